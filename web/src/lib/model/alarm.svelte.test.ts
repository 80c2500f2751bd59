import { describe, expect, test, vi } from 'vitest';
import { AlarmApi } from '$lib/net/alarm-api';
import { toBase64Url } from '$lib/wire/bytes';
import type { AlarmStands } from '$lib/wire/alarm';
import { AlarmVisit } from './alarm.svelte';

const endpoint = 'https://push.example/1';

/** A relay that knows one phone, or none, and a browser that has a push service. */
function phoneAt(answer: (asked: Record<string, unknown>) => Response) {
  const asked: Record<string, unknown>[] = [];
  const fetchHere = vi.fn((_: unknown, init?: RequestInit) => {
    const body = JSON.parse(init?.body as string) as Record<string, unknown>;
    asked.push(body);
    return Promise.resolve(answer(body));
  });
  let subscription: PushSubscription | null = null;
  const pushManager = {
    getSubscription: () => Promise.resolve(subscription),
    subscribe: () => {
      subscription = {
        endpoint,
        getKey: () => new Uint8Array([1, 2]).buffer,
      } as unknown as PushSubscription;
      return Promise.resolve(subscription);
    },
  };
  let permission: NotificationPermission = 'default';
  const browser = {
    worker: Promise.resolve({ pushManager } as unknown as ServiceWorkerRegistration),
    permission: () => permission,
    ask: () => {
      permission = 'granted';
      return Promise.resolve(permission);
    },
  };
  const api = new AlarmApi(fetchHere as unknown as typeof fetch, 'AQ', 'secret');
  return { visit: new AlarmVisit(api, browser), asked };
}

const stands = (subscribed: boolean): AlarmStands => ({
  online: true,
  silent_since: null,
  after_s: 3600,
  phones: subscribed ? 1 : 0,
  subscribed,
  vapid: toBase64Url(new Uint8Array(65).fill(4)),
  now: '2026-11-25T02:00:00Z',
});

describe('the alarm on a phone', () => {
  test('is switched on with this browser’s address, and off again', async () => {
    const { visit, asked } = phoneAt(({ want }) => Response.json(stands(want === 'subscribe')));
    await visit.look();
    expect(visit.stands?.subscribed).toBe(false);
    await visit.turnOn();
    expect(asked.at(-1)).toMatchObject({ secret: 'secret', want: 'subscribe', endpoint });
    expect(visit.stands?.phones).toBe(1);
    await visit.turnOff();
    expect(asked.at(-1)).toMatchObject({ want: 'unsubscribe', endpoint });
    expect(visit.stands?.subscribed).toBe(false);
  });

  test('says when the link opens nothing any more, and when nobody answers', async () => {
    const gone = phoneAt(() => new Response('{}', { status: 404 }));
    await gone.visit.look();
    expect(gone.visit.state).toBe('gone');
    const away = phoneAt(() => {
      throw new TypeError('network');
    });
    await away.visit.look();
    expect(away.visit.state).toBe('unreachable');
  });
});
