import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { OwnerLink } from '$lib/net/owner-link';
import { OwnerStore } from '$lib/store/owner-store';
import { toBase64Url } from '$lib/wire/bytes';
import { fragment, invite, uuid } from '../../test/fake-relay';
import { Push } from './push.svelte';

const vapid = (n: number) => toBase64Url(new Uint8Array(65).fill(n));
const tell = vi.fn(() => true);
let permission: NotificationPermission;
let answer: NotificationPermission;
let subscription: PushSubscription | null;
let link: OwnerLink;

/** A browser whose push service gives out addresses, or does not answer. */
function browser(works = true) {
  const pushManager = {
    getSubscription: () => Promise.resolve(subscription),
    subscribe: ({ applicationServerKey }: { applicationServerKey: Uint8Array<ArrayBuffer> }) => {
      if (!works) return Promise.reject(new DOMException('push service error', 'AbortError'));
      subscription = {
        endpoint: `https://push.example/${applicationServerKey[0] ?? 0}`,
        options: { applicationServerKey: applicationServerKey.buffer },
        getKey: () => new Uint8Array([1, 2, 3]).buffer,
        unsubscribe: () => {
          subscription = null;
          return Promise.resolve(true);
        },
      } as unknown as PushSubscription;
      return Promise.resolve(subscription);
    },
  };
  return {
    worker: Promise.resolve({ pushManager } as unknown as ServiceWorkerRegistration),
    permission: () => permission,
    ask: () => {
      permission = answer;
      return Promise.resolve(answer);
    },
  };
}

const make = (works = true) => new Push(browser(works), link, tell);

beforeEach(async () => {
  [permission, answer, subscription] = ['default', 'granted', null];
  tell.mockClear();
  const parts = { store: new OwnerStore(new IDBFactory()), now: Date.now, newId: () => uuid(1) };
  const opened = await OwnerLink.open(parts, invite, fragment);
  if (opened === null) throw new Error('a whole link');
  link = opened;
});

describe('notifications', () => {
  test('are offered once, and not again after “not now”', async () => {
    expect(make().mayAsk).toBe(true);
    await make().later();
    expect(make().mayAsk).toBe(false);
  });

  test('switched on, the relay is told now and on every connect', async () => {
    const push = make();
    await push.connected(vapid(4));
    expect(tell).not.toHaveBeenCalled();
    await push.turnOn();
    expect(push.state).toBe('on');
    const subscribed = { type: 'push.subscribe', endpoint: 'https://push.example/4' };
    expect(tell).toHaveBeenLastCalledWith(expect.objectContaining(subscribed));
    tell.mockClear();
    await make().connected(vapid(4));
    expect(tell).toHaveBeenCalledWith(expect.objectContaining(subscribed));
  });

  test('refused by the person, they stay off and are not asked for again', async () => {
    answer = 'denied';
    const push = make();
    await push.connected(vapid(4));
    await push.turnOn();
    expect(push.state).toBe('denied');
    expect(push.mayAsk).toBe(false);
    expect(tell).not.toHaveBeenCalled();
  });

  test('that the browser’s service does not give are said to have failed', async () => {
    const push = make(false);
    await push.connected(vapid(4));
    await push.turnOn();
    expect(push).toMatchObject({ state: 'off', hasFailed: true, isBusy: false });
  });

  test('of a relay with a new key are subscribed anew', async () => {
    const push = make();
    await push.connected(vapid(4));
    await push.turnOn();
    await push.connected(vapid(5));
    expect(subscription?.endpoint).toBe('https://push.example/5');
  });

  test('switched off, the relay forgets this browser', async () => {
    const push = make();
    await push.connected(vapid(4));
    await push.turnOn();
    await push.turnOff();
    expect(push.state).toBe('off');
    const endpoint = 'https://push.example/4';
    expect(tell).toHaveBeenLastCalledWith({ type: 'push.unsubscribe', endpoint });
  });
});
