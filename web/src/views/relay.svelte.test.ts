import { render, screen, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import type { Component } from 'svelte';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import Doors from '$features/requests/Doors.svelte';
import LinkStrip from '$features/shell/LinkStrip.svelte';
import type { LinkNotice } from '$lib/model/relay.svelte';
import { Restore } from '$lib/model/restore.svelte';
import { Router } from '$lib/model/router.svelte';
import { Session } from '$lib/model/session.svelte';
import { Settings } from '$lib/model/settings.svelte';
import { Staff } from '$lib/model/staff.svelte';
import { Storage } from '$lib/model/storage';
import { Api, renewFromCookie } from '$lib/net/api';
import AppHarness from '../test/AppHarness.svelte';
import { FakeClock, FakeNet } from '../test/fakes';
import RelayView from './RelayView.svelte';

const since = new Date().toISOString();
const online = {
  state: 'online',
  since,
  url: 'https://relay.example',
  public_url: 'https://chat.example',
  waiting_entries: 0,
  waiting_messages: 0,
  post_gaps: 0,
  merges: [],
};
const unpaired = { ...online, state: 'unpaired', url: null, public_url: null };
const stopped = (why: string) => ({ ...online, state: 'stopped', why });

let calls: { call: string; body: unknown }[];
let answers: Record<string, () => Response>;

async function shown(details: object, role = 'workshop_admin') {
  const token = `h.${btoa(JSON.stringify({ iat: 0, exp: 900 }))}.s`;
  const user = { id: 3, full_name: 'Ravi Sharma', role };
  answers['POST /api/auth/token/refresh/'] = () => Response.json({ access: token, user });
  answers['GET /api/setup/recovery-words/'] = () => Response.json({}, { status: 410 });
  answers['GET /api/relay/'] = () => Response.json(details);
  const fetchFake = ((path: string, init?: RequestInit) => {
    const call = `${init?.method ?? 'GET'} ${path}`;
    calls.push({ call, body: JSON.parse((init?.body ?? '{}') as string) as unknown });
    const answer = answers[call];
    if (answer === undefined) return Promise.reject(new TypeError(`offline: ${call}`));
    return Promise.resolve().then(answer);
  }) as typeof fetch;
  const clock = new FakeClock();
  const storage = new Storage(localStorage);
  const device = {
    clock,
    random: () => 0,
    open: new FakeNet().open,
    storage,
    newId: () => 'id',
    ring: vi.fn(),
  };
  const api = new Api(fetchFake, clock.now, renewFromCookie);
  const session = new Session(api, clock, () => 0, storage);
  await session.start();
  const staff = new Staff(api, device, session);
  const app = {
    router: new Router(window),
    session,
    restore: new Restore(api, clock, () => session.start()),
    settings: new Settings(storage),
    device,
    fetch: fetchFake,
    openPhone: () => Promise.reject(new Error('this is the box')),
    makeStaff: () => staff,
  };
  render(AppHarness, {
    app,
    staff,
    page: RelayView as unknown as Component<Record<string, unknown>>,
  });
}

beforeEach(() => {
  localStorage.clear();
  calls = [];
  answers = {};
});

describe('connecting to a relay', () => {
  test('takes address and code, and shows what came of it', async () => {
    answers['PUT /api/relay/'] = () => Response.json(online);
    await shown(unpaired);
    await userEvent.type(await screen.findByLabelText('Address of the relay'), 'relay.example');
    await userEvent.type(screen.getByLabelText('Pairing code'), 'abcde-fghjk');
    await userEvent.click(screen.getByRole('button', { name: 'Connect' }));
    expect(await screen.findByRole('heading', { name: /^Connected since/ })).toBeVisible();
    expect(screen.getByText('https://chat.example/o/…')).toBeVisible();
    expect(calls).toContainEqual({
      call: 'PUT /api/relay/',
      body: { url: 'relay.example', code: 'abcde-fghjk' },
    });
  });

  test('says at the field that a code is not right', async () => {
    answers['PUT /api/relay/'] = () =>
      Response.json({ code: 'relay_bad_code', detail: 'No.' }, { status: 422 });
    await shown(unpaired);
    await userEvent.type(await screen.findByLabelText('Address of the relay'), 'relay.example');
    await userEvent.type(screen.getByLabelText('Pairing code'), 'wrong{Enter}');
    expect(await screen.findByText(/That code is wrong, used up or too old/)).toBeVisible();
    expect(screen.getByLabelText('Pairing code')).toBeInvalid();
  });

  test('is for admins', async () => {
    await shown(unpaired, 'mechanic');
    expect(await screen.findByText('What a relay is')).toBeVisible();
    expect(screen.queryByLabelText('Pairing code')).toBeNull();
  });
});

describe('a relay that is connected', () => {
  test('says what was brought together and where to look', async () => {
    const merges = [{ at: since, entries: 40, messages: 37, flagged: [12, 15] }];
    await shown({ ...online, waiting_messages: 3, waiting_since: since, merges });
    expect(await screen.findByText(/restored, 37 messages recovered/)).toBeVisible();
    expect(screen.getByRole('link', { name: 'request 12' })).toHaveAttribute(
      'href',
      '/requests/12',
    );
    expect(screen.getByText(/^3 messages since/)).toBeVisible();
  });

  test('is disconnected only when one is sure', async () => {
    const sure = vi.spyOn(window, 'confirm').mockReturnValueOnce(false).mockReturnValueOnce(true);
    answers['DELETE /api/relay/'] = () => new Response(null, { status: 204 });
    await shown(online);
    const button = await screen.findByRole('button', { name: 'Disconnect' });
    await userEvent.click(button);
    expect(calls.some(({ call }) => call.startsWith('DELETE'))).toBe(false);
    answers['GET /api/relay/'] = () => Response.json(unpaired);
    await userEvent.click(button);
    expect(await screen.findByRole('heading', { name: 'Connect to a relay' })).toBeVisible();
    expect(sure).toHaveBeenCalledTimes(2);
  });

  test('keeps trying, in words, and lets the address be changed', async () => {
    await shown({ ...online, state: 'waiting', why: 'no_answer' });
    expect(await screen.findByText(/Nobody answers at this address/)).toHaveTextContent(
      'It is tried again by itself.',
    );
    await userEvent.click(screen.getByRole('button', { name: 'Change address' }));
    expect(screen.getByLabelText('Address of the relay')).toHaveValue('https://relay.example');
  });

  test('says in the box’s words what this page does not know', async () => {
    await shown({ ...stopped('fireworks'), detail: 'The relay burns.' });
    expect(await screen.findByText('The relay burns.')).toBeVisible();
  });

  test('asks for a new code when the relay does not know us', async () => {
    await shown(stopped('unknown_here'));
    expect(await screen.findByRole('heading', { name: 'Connect again' })).toBeVisible();
  });
});

describe('two copies of the box', () => {
  test('an admin says which is real, once sure', async () => {
    vi.spyOn(window, 'confirm').mockReturnValueOnce(true);
    answers['POST /api/relay/claim/'] = () => Response.json(online);
    await shown(stopped('quarantined'));
    expect(
      await screen.findByRole('heading', { name: 'Two copies of this box are alive' }),
    ).toBeVisible();
    await userEvent.click(screen.getByRole('button', { name: 'This is the real one' }));
    expect(await screen.findByRole('heading', { name: /^Connected since/ })).toBeVisible();
  });

  test('a mechanic is told and decides nothing', async () => {
    await shown(stopped('superseded'), 'mechanic');
    expect(await screen.findByText(/declared the real one/, { selector: 'h2' })).toBeVisible();
    expect(screen.queryByRole('button', { name: 'This is the real one' })).toBeNull();
  });
});

describe('the strip on every page', () => {
  const strip = (notice: LinkNotice | null, isAdmin = true) => {
    const { container } = render(LinkStrip, { notice, isAdmin });
    return within(container).getByRole('status');
  };

  test('says nothing while all is well', () => {
    expect(strip(null)).toBeEmptyDOMElement();
  });

  test('counts the messages that wait', () => {
    expect(strip({ what: 'waiting', messages: 3, since })).toHaveTextContent(
      /^Internet: 3 messages wait since \d/,
    );
    expect(strip({ what: 'waiting', messages: 1, since })).toHaveTextContent(
      /^Internet: 1 message waits since/,
    );
  });

  test('brings an admin to where it is decided, and a mechanic to an admin', () => {
    const stops: LinkNotice = { what: 'stopped', why: 'quarantined' };
    const link = within(strip(stops)).getByRole('link', { name: 'Settings' });
    expect(link).toHaveAttribute('href', '/settings/relay');
    expect(strip(stops, false)).toHaveTextContent('Tell an admin.');
  });
});

describe('a link’s doors', () => {
  const lanUrl = 'http://box.local/o/a#s';

  test('without a relay it works on the Wi-Fi only', () => {
    render(Doors, { url: lanUrl, lanUrl });
    expect(screen.getByText(/With a relay it works anywhere/)).toBeVisible();
    expect(screen.queryByRole('button')).toBeNull();
  });

  test('with one it works anywhere, and the Wi-Fi’s own link can be had', () => {
    render(Doors, { url: 'https://chat.example/o/a#s', lanUrl });
    expect(screen.getByText(/Works anywhere/)).toBeVisible();
    expect(screen.getByRole('button', { name: 'Copy the link for your Wi-Fi' })).toBeVisible();
  });
});
