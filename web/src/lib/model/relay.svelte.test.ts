import { describe, expect, test } from 'vitest';
import { Api } from '$lib/net/api';
import type { LinkStateFrame } from '$lib/wire/frames';
import { settle } from '../../test/fakes';
import { Relay } from './relay.svelte';

const at = '2026-11-22T09:30:00.123Z';
const link = (more: Partial<LinkStateFrame>): LinkStateFrame => ({
  type: 'link.state',
  state: 'online',
  why: null,
  since: at,
  waiting_messages: 0,
  waiting_since: null,
  ...more,
});
const details = (state: string) => ({
  state,
  since: at,
  url: 'https://relay.example',
  waiting_entries: 0,
  waiting_messages: 0,
  post_gaps: 0,
  merges: [{ at, entries: 40, messages: 37, flagged: [12] }],
});

/** A box that answers what it is told to, and the calls that it got. */
function box(answers: Record<string, () => Response>) {
  const calls: string[] = [];
  const token = `h.${btoa(JSON.stringify({ iat: 0, exp: 900 }))}.s`;
  const user = { id: 3, full_name: 'Ravi Sharma', role: 'workshop_admin' };
  const fetchFake = ((path: string, init?: RequestInit) => {
    const call = `${init?.method ?? 'GET'} ${path}`;
    if (path !== '/api/auth/token/refresh/') calls.push(call);
    const answer = answers[call];
    return answer === undefined ? Promise.reject(new TypeError('offline')) : settled(answer);
  }) as typeof fetch;
  answers['POST /api/auth/token/refresh/'] = () => Response.json({ access: token, user });
  const api = new Api(
    fetchFake,
    () => 0,
    (own) => own.refresh(),
  );
  return { relay: new Relay(api), calls };
}

const settled = (answer: () => Response) => Promise.resolve().then(answer);

describe('what staff are told of the link', () => {
  test('nothing while no relay is set up or all is well', () => {
    const { relay } = box({});
    expect(relay.notice).toBeNull();
    for (const state of ['unpaired', 'online'] as const) {
      relay.stands(link({ state, waiting_messages: 2 }));
      expect(relay.notice).toBeNull();
    }
  });

  test('how many messages wait, since the oldest of them was written', () => {
    const { relay } = box({});
    const waiting_since = '2026-11-22T09:14:00.000Z';
    relay.stands(link({ state: 'waiting', waiting_messages: 3, waiting_since }));
    expect(relay.notice).toEqual({ what: 'waiting', messages: 3, since: waiting_since });
    relay.stands(link({ state: 'connecting' }));
    expect(relay.notice).toEqual({ what: 'offline', since: at });
  });

  test('why it stopped, and nothing once this page itself has no connection', () => {
    const { relay } = box({});
    relay.stands(link({ state: 'stopped', why: 'quarantined' }));
    expect(relay.notice).toEqual({ what: 'stopped', why: 'quarantined' });
    relay.stands(null);
    expect(relay.notice).toBeNull();
  });
});

describe('the settings', () => {
  test('are fetched again whenever the link changes while they are shown', async () => {
    let state = 'waiting';
    const { relay, calls } = box({ 'GET /api/relay/': () => Response.json(details(state)) });
    relay.stands(link({ state: 'waiting' }));
    expect(calls).toEqual([]);
    await relay.load();
    expect(relay.details?.merges).toEqual([{ at, entries: 40, messages: 37, flagged: [12] }]);
    state = 'online';
    relay.stands(link({}));
    relay.stands(link({ waiting_messages: 1 }));
    await settle();
    await settle();
    expect(relay.details?.state).toBe('online');
    expect(calls).toHaveLength(3);
  });

  test('are what came of connecting; a refusal is for the form', async () => {
    let refuses = true;
    const { relay } = box({
      'PUT /api/relay/': () =>
        refuses
          ? Response.json({ code: 'relay_bad_code', detail: 'No.' }, { status: 422 })
          : Response.json(details('online')),
    });
    await expect(relay.connect('relay.example', 'X')).rejects.toMatchObject({
      code: 'relay_bad_code',
    });
    expect(relay.details).toBeNull();
    refuses = false;
    await relay.connect('relay.example', 'X');
    expect(relay.details?.url).toBe('https://relay.example');
  });

  test('stay as they are while somebody connects, whatever is tried meanwhile', async () => {
    const { relay, calls } = box({
      'GET /api/relay/': () => Response.json({ ...details('unpaired'), url: null }),
      'PUT /api/relay/': () => Response.json({ code: 'relay_bad_code' }, { status: 422 }),
    });
    await relay.load();
    const connecting = relay.connect('relay.example', 'X');
    relay.stands(link({ state: 'stopped', why: 'bad_code' }));
    await expect(connecting).rejects.toMatchObject({ status: 422 });
    expect(relay.details?.url).toBeNull();
    expect(calls).toEqual(['GET /api/relay/', 'PUT /api/relay/']);
    relay.stands(link({ state: 'unpaired' }));
    await settle();
    expect(calls).toHaveLength(3);
  });

  test('say when they could not be loaded', async () => {
    const { relay } = box({});
    await relay.load();
    expect(relay.failed).toBe(true);
  });
});
