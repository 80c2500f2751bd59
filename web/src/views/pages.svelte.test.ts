import { render, screen } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import type { Component } from 'svelte';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import RequestRow from '$features/requests/RequestRow.svelte';
import StatusLadder from '$features/owner/StatusLadder.svelte';
import type { App as AppContext } from '$lib/model/context';
import type { Device } from '$lib/model/device';
import { Restore } from '$lib/model/restore.svelte';
import { Router, routeOf } from '$lib/model/router.svelte';
import { Session } from '$lib/model/session.svelte';
import { Settings } from '$lib/model/settings.svelte';
import { Staff } from '$lib/model/staff.svelte';
import { Storage } from '$lib/model/storage';
import { Api, renewFromCookie } from '$lib/net/api';
import App from '../App.svelte';
import { FakeClock, FakeNet, request, settle } from '../test/fakes';

type Answer = (body: Record<string, unknown>) => Response;
let answers: Record<string, Answer>;
let app: AppContext;
let net: FakeNet;
let clock: FakeClock;
let ids: number;

const token = `h.${btoa(JSON.stringify({ iat: 0, exp: 900 }))}.s`;
const ravi = { id: 3, full_name: 'Ravi Sharma', role: 'workshop_admin' };
const entered = (more = {}) =>
  Response.json({ access: token, user: ravi, workshop: { id: 1, name: 'Sharma Motors' }, ...more });
const refused = (status: number, code: string) =>
  Response.json({ status, code, detail: '' }, { status });

function at(path: string) {
  history.replaceState(null, '', path);
  clock = new FakeClock();
  net = new FakeNet();
  const storage = new Storage(localStorage);
  const fetchFake = ((path: string, init?: RequestInit) => {
    const answer = answers[`${init?.method ?? 'GET'} ${path.split('?')[0]}`];
    if (answer === undefined) return Promise.reject(new TypeError(`offline: ${path}`));
    return Promise.resolve().then(() =>
      answer(JSON.parse((init?.body ?? '{}') as string) as Record<string, unknown>),
    );
  }) as typeof fetch;
  const device: Device = {
    clock,
    random: () => 0,
    open: net.open,
    storage,
    newId: () => `id-${++ids}`,
    ring: vi.fn(),
  };
  const api = new Api(fetchFake, clock.now, renewFromCookie);
  const session = new Session(api, clock, () => 0, storage);
  app = {
    router: new Router(window),
    session,
    restore: new Restore(api, clock, () => session.start()),
    settings: new Settings(storage),
    device,
    fetch: fetchFake,
    makeStaff: () => new Staff(api, device, session),
    openPhone: () => Promise.reject(new Error('this is the box')),
  };
  render(App as unknown as Component<{ app: AppContext }>, { app });
}

beforeEach(() => {
  localStorage.clear();
  ids = 0;
  answers = {
    'POST /api/auth/token/refresh/': () => refused(401, 'not_signed_in'),
    'GET /api/setup/': () =>
      Response.json({ needed: false, code_required: false, workshop_name: 'Sharma Motors' }),
    'GET /api/setup/recovery-words/': () => refused(410, 'gone'),
    'POST /api/auth/ws-ticket/': () => Response.json({ ticket: 'T' }),
    'GET /api/service-requests/': () => Response.json([{ ...request, unread_count: 2 }]),
    'GET /api/people/': () => Response.json([]),
  };
});

describe('the way in', () => {
  test('who is not signed in comes to sign-in, and then to where they wanted', async () => {
    answers['POST /api/auth/login/'] = (body) =>
      body['password'] === 'right' ? entered() : refused(401, 'wrong');
    at('/people');
    await userEvent.type(await screen.findByLabelText('Username, email or phone'), 'ravi');
    await userEvent.type(screen.getByLabelText('Password'), 'wrong{Enter}');
    expect(await screen.findByRole('alert')).toHaveTextContent('do not belong together');
    await userEvent.type(screen.getByLabelText('Password'), 'right{Enter}');
    expect(await screen.findByRole('heading', { name: 'People' })).toBeVisible();
    expect(location.pathname).toBe('/people');
  });

  test('who guessed too often is told how long to wait', async () => {
    answers['POST /api/auth/login/'] = () =>
      Response.json(
        { status: 429, code: 'rate_limited', detail: '' },
        { status: 429, headers: { 'retry-after': '700' } },
      );
    at('/sign-in');
    await userEvent.type(await screen.findByLabelText('Username, email or phone'), 'ravi');
    await userEvent.type(screen.getByLabelText('Password'), 'a guess{Enter}');
    expect(await screen.findByRole('alert')).toHaveTextContent('wait 12 minutes');
  });

  test('a fresh box comes to set-up, shows the words, and wants them written down', async () => {
    answers['GET /api/setup/'] = () =>
      Response.json({ needed: true, code_required: true, workshop_name: null });
    answers['POST /api/setup/'] = () =>
      entered({ recovery_words: Array.from({ length: 24 }, (_, i) => `word${i}`) });
    answers['POST /api/setup/recovery-words/kept/'] = () => new Response(null, { status: 204 });
    at('/');
    await userEvent.type(await screen.findByLabelText('Set-up code'), '1234');
    await userEvent.type(screen.getByLabelText('Name of the workshop'), 'Sharma Motors');
    await userEvent.type(screen.getByLabelText('Your name'), 'Ravi Sharma');
    await userEvent.type(screen.getByLabelText('Username'), 'ravi');
    await userEvent.type(screen.getByLabelText('Password'), 'a short sentence{Enter}');
    expect(await screen.findByRole('heading', { name: 'Your 24 recovery words' })).toBeVisible();
    expect(screen.getByRole('button', { name: 'Continue' })).toBeDisabled();
    await userEvent.click(screen.getByRole('checkbox', { name: 'I have written them down' }));
    await userEvent.click(screen.getByRole('button', { name: 'Continue' }));
    expect(await screen.findByRole('heading', { name: 'Your first request' })).toBeVisible();
  });

  test('a workshop comes back from its relay, and its people sign in as before', async () => {
    let restore = { state: 'idle', entries: 0 } as object;
    let needed = true;
    const handedIn: object[] = [];
    answers['GET /api/setup/'] = () =>
      Response.json({
        needed,
        code_required: needed,
        workshop_name: needed ? null : 'Sharma Motors',
      });
    answers['GET /api/setup/restore/'] = () => Response.json(restore);
    answers['POST /api/setup/restore/'] = (body) => {
      handedIn.push(body);
      restore = { state: 'running', entries: 0 };
      return Response.json(restore, { status: 202 });
    };
    at('/');
    await userEvent.click(await screen.findByRole('radio', { name: 'Restore from the relay' }));
    const words = Array.from({ length: 24 }, (_, i) => `word${i}`).join(' ');
    await userEvent.type(screen.getByLabelText('Set-up code'), '123-456');
    await userEvent.type(screen.getByLabelText('Address of the relay'), 'relay.example');
    await userEvent.type(screen.getByLabelText('Recovery words'), words);
    expect(screen.getByText('24 of 24 words')).toBeVisible();
    await userEvent.click(screen.getByRole('button', { name: 'Bring it back' }));
    expect(await screen.findByText('Asking the relay …')).toBeVisible();
    const [first] = handedIn;
    expect(first).toEqual({ url: 'relay.example', words, claim: false, code: '123-456' });

    restore = { state: 'running', entries: 1204 };
    clock.turn(1_000);
    expect(await screen.findByText('1,204 entries so far')).toBeVisible();
    const restored = { workshop_name: 'Sharma Motors', messages: 1204, requests: 31, people: 4 };
    restore = { state: 'done', entries: 0, restored };
    clock.turn(1_000);
    const back = 'Sharma Motors is back: 1,204 messages in 31 requests, 4 people.';
    expect(await screen.findByText(back)).toBeVisible();

    // The box is away for a moment.
    const answering = answers;
    answers = {};
    clock.turn(1_000);
    await settle();
    answers = answering;
    [needed, restore] = [false, { state: 'idle', entries: 0 }];
    clock.turn(1_000);
    expect(await screen.findByLabelText('Username, email or phone')).toBeVisible();
    expect(screen.getByText(`${back} Sign in with the password that you had.`)).toBeVisible();
  });

  test('a restore that cannot be says why, and a box that is still alive can be ruled out', async () => {
    const handedIn: Record<string, unknown>[] = [];
    let why = 'no_answer';
    answers['GET /api/setup/'] = () =>
      Response.json({ needed: true, code_required: false, workshop_name: null });
    answers['GET /api/setup/restore/'] = () =>
      handedIn.length === 0
        ? Response.json({ state: 'idle', entries: 0 })
        : Response.json({ state: 'failed', entries: 0, why, detail: 'As the box says.' });
    answers['POST /api/setup/restore/'] = (body) => {
      handedIn.push(body);
      return Response.json({ state: 'running', entries: 0 }, { status: 202 });
    };
    at('/');
    await userEvent.click(await screen.findByRole('radio', { name: 'Restore from the relay' }));
    await userEvent.type(screen.getByLabelText('Address of the relay'), 'relay.example');
    await userEvent.type(screen.getByLabelText('Recovery words'), 'abandon');
    const hand = async () => {
      await userEvent.click(screen.getByRole('button', { name: 'Bring it back' }));
      await screen.findByText('Asking the relay …');
      clock.turn(1_000);
    };
    await hand();
    expect(await screen.findByRole('alert')).toHaveTextContent('Nobody answers at this address');
    expect(screen.queryByRole('checkbox')).toBeNull();
    expect(screen.getByLabelText('Recovery words')).toHaveValue('abandon');
    why = 'two_alive';
    await hand();
    expect(await screen.findByRole('alert')).toHaveTextContent('may still be alive');
    await userEvent.click(screen.getByRole('checkbox'));
    why = 'of a later box';
    await hand();
    expect(handedIn.map((each) => each['claim'])).toEqual([false, false, true]);
    expect(await screen.findByRole('alert')).toHaveTextContent('As the box says.');
    await userEvent.click(screen.getByRole('radio', { name: 'New workshop' }));
    expect(await screen.findByLabelText('Name of the workshop')).toBeVisible();
  });

  test('a box that does not answer says so, calmly', async () => {
    answers = {};
    at('/');
    expect(await screen.findByRole('heading', { name: 'The box cannot be reached' })).toBeVisible();
  });
});

describe('the inbox', () => {
  beforeEach(() => {
    answers['POST /api/auth/token/refresh/'] = () => entered();
  });

  test('shows requests with what is unread, and the number in the title', async () => {
    at('/');
    expect(
      await screen.findByRole('link', { name: /Asha Nair.*2 unread.*In progress/s }),
    ).toBeVisible();
    await settle();
    const item = {
      service_request_id: 7,
      other_party_name: 'Asha Nair',
      unread_count: 2,
      last_message_excerpt: 'x',
      last_message_time: null,
    };
    net.last.say({ type: 'notification.message', data: { total_unread_count: 2, items: [item] } });
    await vi.waitFor(() => {
      expect(document.title).toBe('(2) Inbox · MotoReach');
    });
  });

  test('a red dot goes without a reload, when somebody else has read it', async () => {
    at('/');
    await screen.findByText('2');
    await settle();
    net.last.say({ type: 'notification.message', data: { total_unread_count: 0, items: [] } });
    await vi.waitFor(() => {
      expect(screen.queryByRole('img', { name: '2 unread' })).toBeNull();
    });
  });

  test('an address that leads nowhere has a way home', async () => {
    at('/nowhere');
    await userEvent.click(await screen.findByRole('link', { name: 'Back to the inbox' }));
    expect(await screen.findByRole('heading', { name: 'Inbox' })).toBeVisible();
  });
});

test('a new request keeps its id until the box has it, so that a retry opens it once', async () => {
  const sent: unknown[] = [];
  const invite = { id: 'i', url: null, qr_svg: null, created_at: request.created_at, devices: [] };
  answers['POST /api/auth/token/refresh/'] = () => entered();
  answers['POST /api/service-requests/'] = (body) => {
    sent.push(body['client_id']);
    if (sent.length < 3) throw new TypeError('the answer was lost');
    return Response.json({ ...request, invite: { ...invite, expires_at: null, revoked_at: null } });
  };
  at('/requests/new');
  await userEvent.type(await screen.findByLabelText('Name'), 'Asha Nair');
  await userEvent.type(screen.getByLabelText('Number plate'), 'KL 07 CD 4521');
  await userEvent.type(screen.getByLabelText('What is wrong?'), 'Brakes squeal.');
  for (let i = 0; i < 3; i++) {
    await userEvent.click(screen.getByRole('button', { name: 'Open the request' }));
    await settle();
  }
  expect(await screen.findByRole('heading', { name: /Asha Nair is ready/ })).toBeVisible();
  expect(sent).toHaveLength(3);
  expect(new Set(sent).size).toBe(1);
});

describe('an owner’s link', () => {
  test('that was cut short says so kindly, and the secret goes nowhere', async () => {
    at('/o/abc#short');
    expect(await screen.findByRole('heading', { name: 'This link is not complete' })).toBeVisible();
    expect(location.hash).toBe('#short');
  });

  test('that was revoked says so kindly', async () => {
    answers['POST /api/auth/invite/'] = () => refused(410, 'invite_revoked');
    at('/o/abc#BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc');
    expect(await screen.findByRole('heading', { name: 'This link no longer works' })).toBeVisible();
  });

  test('sends the derived code and never the secret', async () => {
    const invite = vi.fn<Answer>(() =>
      entered({ user: { ...ravi, role: 'user' }, service_request: 7 }),
    );
    answers['POST /api/auth/invite/'] = invite;
    at('/o/abc#BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc');
    await vi.waitFor(() => {
      expect(net.sockets).toHaveLength(1);
    });
    expect(JSON.stringify(invite.mock.calls)).not.toContain('BwcHBwcH');
    expect(net.last.path).toBe('/ws/service-chat/7/?token=T');
  });
});

test('a request shows owner, plate and status in words', () => {
  render(RequestRow, { request, href: '/requests/7', current: false });
  const link = screen.getByRole('link');
  for (const words of ['Asha Nair', 'KL 07 CD 4521', 'Activa 6G', 'In progress']) {
    expect(link).toHaveTextContent(words);
  }
});

test('an owner sees which step the work is at', () => {
  render(StatusLadder, { status: 'IN_PROGRESS' });
  expect(screen.getByText('We are working on your vehicle.')).toBeVisible();
  const current = screen
    .getAllByRole('listitem')
    .filter((item) => item.ariaCurrent ?? item.getAttribute('aria-current'));
  expect(current).toHaveLength(1);
  expect(current[0]).toHaveTextContent('In work');
});

test.each([
  ['/', 'inbox'],
  ['/requests/', 'inbox'],
  ['/requests/7', 'request'],
  ['/requests/7/', 'request'],
  ['/requests/new', 'new-request'],
  ['/requests/7x', 'not-found'],
  ['/o/abc', 'owner'],
  ['/o/', 'owner-links'],
  ['/sign-in/', 'sign-in'],
])('%s is the page %s', (path, name) => {
  expect(routeOf(path).name).toBe(name);
});
