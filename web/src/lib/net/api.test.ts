import { describe, expect, test, vi } from 'vitest';
import { requestId } from '$lib/wire/ids';
import { Api, ApiError, renewFromCookie } from './api';

const token = (lifetime: number) => `h.${btoa(JSON.stringify({ iat: 5, exp: 5 + lifetime }))}.s`;
const user = { id: 3, full_name: 'Ravi Sharma', role: 'workshop_admin' };
const access = () =>
  Response.json({ access: token(900), user, workshop: { id: 1, name: 'Sharma Motors' } });
const problem = (status: number, code: string) =>
  Response.json({ status, code, detail: 'No.' }, { status });

function box(answers: Record<string, (() => Response)[]>) {
  const calls: string[] = [];
  const fetchFake = vi.fn((path: RequestInfo | URL, init?: RequestInit) => {
    const call = `${init?.method ?? 'GET'} ${path as string}`;
    calls.push(call);
    const queue = answers[call] ?? [];
    const answer = queue.length > 1 ? queue.shift() : queue[0];
    return answer === undefined
      ? Promise.reject(new TypeError('offline'))
      : Promise.resolve(answer());
  });
  return { calls, fetch: fetchFake as typeof fetch };
}

describe('calls to the box', () => {
  test('an expired token is renewed once and the call made again', async () => {
    const { fetch, calls } = box({
      'POST /api/auth/token/refresh/': [access],
      'POST /api/auth/ws-ticket/': [
        () => problem(401, 'not_signed_in'),
        () => Response.json({ ticket: 'T' }),
      ],
    });
    const api = new Api(fetch, () => 0, renewFromCookie);
    await expect(api.wsTicket()).resolves.toBe('T');
    expect(calls.filter((call) => call.includes('refresh'))).toHaveLength(2);
  });

  test('my jobs are the open ones that are assigned to me', async () => {
    const mine = 'GET /api/service-requests/?state=open&limit=50&assigned=me';
    const { fetch } = box({
      'POST /api/auth/token/refresh/': [access],
      [mine]: [() => Response.json([])],
    });
    const api = new Api(fetch, () => 0, renewFromCookie);
    await expect(api.requests('mine', '', null)).resolves.toEqual({ requests: [], next: null });
  });

  test('callers at the same time share one renewal', async () => {
    const { fetch, calls } = box({
      'POST /api/auth/token/refresh/': [access],
      'POST /api/auth/ws-ticket/': [() => Response.json({ ticket: 'T' })],
    });
    const api = new Api(fetch, () => 0, renewFromCookie);
    await Promise.all([api.wsTicket(), api.wsTicket(), api.wsTicket()]);
    expect(calls.filter((call) => call.includes('refresh'))).toHaveLength(1);
  });

  test('a token is renewed before it runs out, whatever the clocks say', async () => {
    let now = 1e12;
    const { fetch, calls } = box({
      'POST /api/auth/token/refresh/': [access],
      'POST /api/auth/ws-ticket/': [() => Response.json({ ticket: 'T' })],
    });
    const api = new Api(fetch, () => now, renewFromCookie);
    await api.wsTicket();
    now += 869_000;
    await api.wsTicket();
    expect(calls.filter((call) => call.includes('refresh'))).toHaveLength(1);
    now += 2_000;
    await api.wsTicket();
    expect(calls.filter((call) => call.includes('refresh'))).toHaveLength(2);
  });

  test('no answer at all is a fault of its own kind', async () => {
    const api = new Api(box({}).fetch, () => 0, renewFromCookie);
    await expect(api.setupState()).rejects.toMatchObject({ status: 0, code: 'network' });
  });

  test('a refusal carries code, sentence and fields', async () => {
    const refusal = {
      status: 422,
      code: 'invalid',
      detail: 'Look.',
      errors: { username: ['Taken.'] },
    };
    const { fetch } = box({
      'POST /api/auth/login/': [() => Response.json(refusal, { status: 422 })],
    });
    const caught = await new Api(fetch, () => 0, renewFromCookie)
      .login('a', 'b')
      .catch((e: unknown) => e);
    expect(caught).toBeInstanceOf(ApiError);
    expect(caught).toMatchObject({
      code: 'invalid',
      detail: 'Look.',
      fields: { username: ['Taken.'] },
    });
  });

  test('a page of something in between is still a fault, not a crash', async () => {
    const { fetch } = box({ 'GET /api/setup/': [() => new Response('<html>', { status: 502 })] });
    await expect(new Api(fetch, () => 0, renewFromCookie).setupState()).rejects.toMatchObject({
      status: 502,
    });
  });

  test('the next page of requests is where the Link header says', async () => {
    const link = '</api/service-requests/?state=open&before=c%3D42&limit=50>; rel="next"';
    const { fetch } = box({
      'POST /api/auth/token/refresh/': [access],
      'GET /api/service-requests/?state=open&limit=50': [
        () => Response.json([], { headers: { link } }),
      ],
    });
    const page = await new Api(fetch, () => 0, renewFromCookie).requests('open', '', null);
    expect(page).toEqual({ requests: [], next: 'c=42' });
  });

  test('recovery words that were confirmed are gone', async () => {
    const { fetch } = box({
      'POST /api/auth/token/refresh/': [access],
      'GET /api/setup/recovery-words/': [() => problem(410, 'gone')],
    });
    await expect(new Api(fetch, () => 0, renewFromCookie).recoveryWords()).resolves.toBeNull();
  });

  test('a retried post carries the same id', async () => {
    const { fetch } = box({ 'POST /api/auth/token/refresh/': [access] });
    const api = new Api(fetch, () => 0, renewFromCookie);
    await expect(api.postMessage(requestId(7), { client_id: 'c', content: 'x' })).rejects.toThrow();
    const body = (vi.mocked(fetch).mock.lastCall?.[1]?.body ?? '') as string;
    expect(JSON.parse(body)).toEqual({ client_id: 'c', content: 'x' });
  });
});
