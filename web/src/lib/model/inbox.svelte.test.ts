import { beforeEach, expect, test, vi } from 'vitest';
import type { Api } from '$lib/net/api';
import { personId, requestId } from '$lib/wire/ids';
import type { ServiceRequest, UnreadSummary, User } from '$lib/wire/things';
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
const meena: User = { id: personId(3), full_name: 'Meena Pillai', role: 'workshop_admin' };
const lakshmi: User = { id: personId(4), full_name: 'Lakshmi Iyer', role: 'mechanic' };
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
  inbox = new Inbox(api as unknown as Api, clock, meena);
  await inbox.load();
});

test('a pushed number is shown at once', () => {
  inbox.setUnread(unread(8, 2));
  expect(inbox.requests[1]?.unread_count).toBe(2);
  expect(api.request).not.toHaveBeenCalled();
});

test('a request with news is fetched again and comes to the top', async () => {
  api.request.mockResolvedValue({ ...other, updated_at: '2026-11-22T09:10:00.000Z' });
  inbox.refetch(other.id);
  await settle();
  expect(ids()).toEqual([8, 7]);
});

test('a burst of news is one fetch at once and one after 300 ms', async () => {
  for (let i = 0; i < 50; i++) inbox.refetch(other.id);
  await settle();
  expect(api.request).toHaveBeenCalledTimes(1);
  clock.turn(299);
  await settle();
  expect(api.request).toHaveBeenCalledTimes(1);
  clock.turn(1);
  await settle();
  expect(api.request).toHaveBeenCalledTimes(2);
  clock.turn(1000);
  await settle();
  expect(api.request).toHaveBeenCalledTimes(2);
});

test('news that comes while the answer to earlier news is awaited is not lost', async () => {
  let answer: (request: ServiceRequest) => void = () => undefined;
  api.request.mockImplementationOnce(() => new Promise((resolve) => (answer = resolve)));
  inbox.refetch(other.id);
  clock.turn(500);
  inbox.refetch(other.id);
  answer(other);
  await settle();
  expect(api.request).toHaveBeenCalledTimes(2);
});

test('who runs the workshop starts with everything open', () => {
  expect(inbox.filters).toEqual(['open', 'closed', 'all']);
  expect(api.requests).toHaveBeenCalledExactlyOnceWith('open', '', null);
});

test('a mechanic starts with their own jobs, and what becomes theirs appears', async () => {
  const mine = { ...request, assigned_to: { id: lakshmi.id, full_name: lakshmi.full_name } };
  api.requests.mockReset().mockResolvedValue({ requests: [mine], next: null });
  inbox = new Inbox(api as unknown as Api, clock, lakshmi);
  await inbox.load();
  expect(api.requests).toHaveBeenCalledExactlyOnceWith('mine', '', null);
  expect(inbox.filters).toEqual(['mine', 'open', 'closed']);
  api.request.mockResolvedValueOnce(other);
  inbox.refetch(other.id);
  await settle();
  expect(ids()).toEqual([7]);
  clock.turn(300);
  await settle();
  api.request.mockResolvedValueOnce({ ...other, assigned_to: mine.assigned_to });
  inbox.refetch(other.id);
  await settle();
  expect(ids()).toEqual([8, 7]);
});

test('a job that is given to somebody else leaves my jobs', async () => {
  const mine = { ...request, assigned_to: { id: lakshmi.id, full_name: lakshmi.full_name } };
  api.requests.mockReset().mockResolvedValue({ requests: [mine], next: null });
  inbox = new Inbox(api as unknown as Api, clock, lakshmi);
  await inbox.load();
  inbox.refetch(request.id);
  await settle();
  expect(ids()).toEqual([]);
});

test('a mechanic sees no red dot on jobs of others', async () => {
  api.requests.mockResolvedValue({ requests: [{ ...request, unread_count: 3 }], next: null });
  inbox = new Inbox(api as unknown as Api, clock, lakshmi);
  inbox.show('open');
  await settle();
  expect(inbox.requests[0]?.unread_count).toBe(0);
});

test('a request that is closed leaves the open ones', () => {
  inbox.requestIn({ ...request, status: 'CANCELLED' });
  expect(ids()).toEqual([8]);
});

test('a summary that is too long to list everything takes no dot away', async () => {
  api.requests.mockResolvedValue({ requests: [{ ...request, unread_count: 2 }], next: null });
  inbox.setUnread({ ...unread(8, 4), total_unread_count: 6 });
  await inbox.load();
  expect(inbox.requests[0]?.unread_count).toBe(2);
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
