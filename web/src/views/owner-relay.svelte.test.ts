import 'fake-indexeddb/auto';
import { render, screen } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { IDBFactory } from 'fake-indexeddb';
import type { Component } from 'svelte';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { Installer } from '$lib/model/installer.svelte';
import { pastedLink, type OwnerPhone } from '$lib/model/owner-phone.svelte';
import { RelayVisit as Visit } from '$lib/model/relay-visit.svelte';
import { Storage } from '$lib/model/storage';
import { OwnerStore } from '$lib/store/owner-store';
import { inviteId } from '$lib/wire/ids';
import { uuidMaker } from '$lib/wire/uuid';
import { FakeClock } from '../test/fakes';
import { FakeRelay, fragment, invite } from '../test/fake-relay';
import RelayVisit from './RelayVisit.svelte';

let clock: FakeClock;
let relay: FakeRelay;

const until = (what: () => void) => vi.waitFor(what, { timeout: 4000, interval: 5 });

async function open(): Promise<void> {
  const parts = {
    device: {
      clock,
      random: () => 1,
      open: relay.open,
      storage: new Storage(localStorage),
      newId: uuidMaker(clock.now, (into) => crypto.getRandomValues(into)),
      ring: vi.fn(),
    },
    store: new OwnerStore(new IDBFactory()),
    push: {
      worker: new Promise<ServiceWorkerRegistration>(() => undefined),
      permission: () => 'default' as const,
      ask: () => Promise.resolve('default' as const),
    },
    origin: 'https://relay.example',
    userAgent: '',
    open: relay.open,
    channel: null,
  };
  const phone = {
    installer: new Installer(window),
    visit: () => new Visit(parts, inviteId(invite), fragment),
  } as unknown as OwnerPhone;
  render(RelayVisit as unknown as Component<Record<string, unknown>>, {
    phone,
    invite: inviteId(invite),
    fragment,
  });
  await until(() => {
    expect(relay.sockets).toHaveLength(1);
  });
  await relay.admit();
  expect(await screen.findByText('Good morning')).toBeVisible();
}

async function write(content: string): Promise<void> {
  await userEvent.type(screen.getByRole('textbox', { name: 'Message' }), content);
  await userEvent.click(screen.getByRole('button', { name: 'Send' }));
}

async function posted(count: number) {
  await until(() => {
    expect(relay.last.of('post')).toHaveLength(count);
  });
  return relay.last.of('post').at(-1) ?? {};
}

beforeEach(async () => {
  localStorage.clear();
  vi.stubGlobal('matchMedia', () => ({ matches: false }));
  Element.prototype.scrollTo = vi.fn() as never;
  HTMLDialogElement.prototype.showModal = function (this: HTMLDialogElement) {
    this.open = true;
  };
  HTMLDialogElement.prototype.close = vi.fn();
  clock = new FakeClock();
  relay = new FakeRelay();
  await relay.request();
  await relay.staffSays('Good morning');
});

describe('an owner at the relay', () => {
  test('sees each step of a message, and is asked about notifications after it', async () => {
    await open();
    relay.send([await relay.takes(await posted(1))]);
    await write('Is it ready?');
    expect((await screen.findAllByText('Waiting on this phone'))[0]).toBeVisible();
    expect(screen.queryByText('Shall we tell you when they answer?')).toBeNull();
    const post = await posted(2);
    relay.last.say({ type: 'stored', id: post['id'] });
    expect((await screen.findAllByText(/^At the relay since/))[0]).toBeVisible();
    expect(await screen.findByText('Shall we tell you when they answer?')).toBeVisible();
    relay.send([await relay.takes(post)]);
    expect(await screen.findByText('At the workshop')).toBeInTheDocument();
    expect(screen.queryByText(/^At the relay since/)).toBeNull();
    await userEvent.click(screen.getByRole('button', { name: 'Not now' }));
    await until(() => {
      expect(screen.queryByText('Shall we tell you when they answer?')).toBeNull();
    });
  });

  test('cannot remove a message there, and is not offered to', async () => {
    await open();
    await userEvent.click(screen.getByRole('button', { name: 'Message menu' }));
    expect(screen.getByRole('button', { name: 'Reply' })).toBeVisible();
    expect(screen.queryByRole('button', { name: 'Remove' })).toBeNull();
  });

  test('hears that the workshop is offline, since when, and of its own door', async () => {
    relay.online = false;
    relay.offlineSince = '2026-11-22T09:14:00Z';
    await open();
    expect(screen.getByText(/^Workshop offline since .* Your message is kept\.$/)).toBeVisible();
    await userEvent.click(screen.getByRole('button', { name: 'Use their Wi-Fi' }));
    expect(screen.getByRole('link', { name: 'Open on their Wi-Fi' })).toHaveAttribute(
      'href',
      `http://motoreach.local/o/${invite}#${fragment}`,
    );
    expect(
      screen.getByRole('img', { name: 'QR code of this conversation on the workshop’s Wi-Fi' }),
    ).toBeVisible();
  });

  test('opens it on another device and gives this one a name', async () => {
    await open();
    relay.send([await relay.takes(await posted(1))]);
    await userEvent.click(screen.getByRole('button', { name: 'Menu' }));
    expect(screen.getByRole('img', { name: 'QR code of your link' })).toBeVisible();
    const name = screen.getByRole('textbox', { name: 'Name of this device' });
    await userEvent.clear(name);
    await userEvent.type(name, 'Asha’s phone');
    await userEvent.click(screen.getByRole('button', { name: 'Save' }));
    expect((await relay.opens(await posted(2))).json).toMatchObject({ name: 'Asha’s phone' });
  });

  test('is told kindly what to say when the link has run out', async () => {
    await open();
    relay.last.drop();
    await until(() => {
      clock.turn(1000);
      expect(relay.sockets.length).toBeGreaterThan(1);
    });
    relay.last.open();
    relay.last.say({ type: 'gone', why: 'expired' });
    relay.last.drop(4401);
    expect(await screen.findByRole('heading', { name: 'This link has run out' })).toBeVisible();
    expect(screen.getByText(/^My link for KL 07 CD 4521 \(request 7\)/)).toBeVisible();
  });
});

test.each([
  [`https://relay.example/o/${invite}#${fragment}`, `/o/${invite}#${fragment}`],
  [`Your link: http://a.b/o/${invite}/#${fragment} Thanks`, `/o/${invite}#${fragment}`],
  [`https://relay.example/o/${invite}#${fragment.slice(3)}`, null],
  ['hello', null],
])('what was pasted: %s', (pasted, path) => {
  expect(pastedLink(pasted)).toBe(path);
});
