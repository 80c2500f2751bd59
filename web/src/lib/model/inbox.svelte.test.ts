import { beforeEach, expect, test, vi } from 'vitest';
import type { Api } from '$lib/net/api';
import { requestId } from '$lib/wire/ids';
import type { ServiceRequest, UnreadSummary } from '$lib/wire/things';
import { FakeClock, message, request, settle } from '../../test/fakes';
import { Inbox } from './inbox.svelte';

let clock: FakeClock;
let inbox: Inbox;
const api = { requests: vi.fn<Api['requests']>(), request: vi.fn<Api['request']>() };
const other: ServiceRequest = {
  ...request,
  id: requestId(8),
  updated_at: '2026-11-22T08:00:00.000Z',
};
const ids = () => inbox.requests.map((each) => each.id);

function unread(
  id: number,
  unread_count: number,
  time = '2026-11-22T09:10:00.000Z',
): UnreadSummary {
  const item = {
    service_request_id: requestId(id),
    other_party_name: 'Asha Nair',
    unread_count,
    last_message_excerpt: '',
    last_message_time: time,
  };
  return { total_unread_count: unread_count, items: unread_count === 0 ? [] : [item] };
}

beforeEach(async () => {
  clock = new FakeClock();
  api.requests.mockReset().mockResolvedValue({ requests: [request, other], next: null });
  api.request.mockReset().mockImplementation((id) => Promise.resolve({ ...request, id }));
  inbox = new Inbox(api as unknown as Api, clock);
  await inbox.load();
});

test('a pushed number is shown at once, and the request with news is fetched again', async () => {
  inbox.setUnread(unread(8, 0));
  api.request.mockResolvedValue({
    ...other,
    updated_at: '2026-11-22T09:10:00.000Z',
    unread_count: 2,
  });
  inbox.setUnread(unread(8, 2));
  expect(inbox.requests[1]?.unread_count).toBe(2);
  await settle();
  expect(ids()).toEqual([8, 7]);
});

test('a pushed number stands against an older list answer', async () => {
  inbox.setUnread(unread(7, 0));
  api.requests.mockResolvedValue({ requests: [{ ...request, unread_count: 5 }], next: null });
  await inbox.load();
  expect(inbox.requests[0]?.unread_count).toBe(0);
  inbox.setUnread(null);
  await inbox.load();
  expect(inbox.requests[0]?.unread_count).toBe(5);
});

test('a message in an open chat is the newest of its request', () => {
  inbox.messageIn(message(9, { service_request_id: requestId(8), content: 'newest' }));
  expect(ids()).toEqual([8, 7]);
  expect(inbox.requests[0]?.last_message?.content).toBe('newest');
});

test('a state from a chat leaves numbers and last message alone', () => {
  inbox.setUnread(unread(7, 3));
  inbox.requestIn({ ...request, status: 'COMPLETED', unread_count: 0 });
  expect(inbox.requests[0]).toMatchObject({ status: 'COMPLETED', unread_count: 3 });
});

test('searching waits until typing pauses', () => {
  api.requests.mockClear();
  for (const typed of ['K', 'KL', 'KL 07']) {
    inbox.find(typed);
    clock.turn(100);
  }
  expect(api.requests).not.toHaveBeenCalled();
  clock.turn(250);
  expect(api.requests).toHaveBeenCalledExactlyOnceWith('open', 'KL 07', null);
});

test('an answer to an older question does not replace a newer one', async () => {
  let answerOld: (page: Awaited<ReturnType<Api['requests']>>) => void = () => undefined;
  api.requests.mockImplementationOnce(() => new Promise((resolve) => (answerOld = resolve)));
  const old = inbox.load();
  inbox.show('closed');
  await settle();
  answerOld({ requests: [], next: null });
  await old;
  expect(ids()).toEqual([7, 8]);
});
