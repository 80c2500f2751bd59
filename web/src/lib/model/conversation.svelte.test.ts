import { beforeEach, describe, expect, test } from 'vitest';
import { clientId, messageId } from '$lib/wire/ids';
import { hello, history, message } from '../../test/fakes';
import { Conversation } from './conversation.svelte';
import { timeline } from './timeline';

let conversation: Conversation;
const ids = () => conversation.messages.map((each) => each.id);

beforeEach(() => {
  conversation = new Conversation();
});

function opened(read: { USER?: number; WORKSHOP?: number } = {}) {
  conversation.hello(hello(1010, read));
  conversation.history(
    history([message(1), message(2, { sender_type: 'WORKSHOP' }), message(3), message(4)], true),
  );
}

describe('messages', () => {
  test('are shown once, however often they come', () => {
    opened();
    conversation.apply(message(5, { rev: 1011 }));
    conversation.apply(message(5, { rev: 1011 }));
    conversation.settle(message(5, { rev: 1011 }));
    expect(ids()).toEqual([1, 2, 3, 4, 5]);
  });

  test('are shown in the order of their ids, however they come', () => {
    opened();
    conversation.settle(message(7));
    conversation.apply(message(6, { rev: 1012 }));
    conversation.apply(message(5, { rev: 1011 }));
    expect(ids()).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  test('older ones go in front', () => {
    conversation.hello(hello(1010));
    conversation.history(history([message(10)], true));
    conversation.history({
      type: 'chat.history',
      messages: [message(8), message(9)],
      has_more: false,
      before: messageId(10),
    });
    expect(ids()).toEqual([8, 9, 10]);
    expect(conversation.hasOlder).toBe(false);
  });

  test('a history without "before" replaces everything', () => {
    opened();
    conversation.hello(hello(5, {}, 'another log'));
    conversation.history(history([message(1, { content: 'restored' })]));
    expect(ids()).toEqual([1]);
    expect(conversation.cursor).toEqual({ log: 'another log', rev: 5 });
  });

  test('a removed one stays as a trace, and an old copy does not bring it back', () => {
    opened();
    conversation.redacted({
      type: 'chat.redacted',
      id: messageId(3),
      rev: 1020,
      by: 'Ravi',
      why: 'redacted',
    });
    conversation.settle(message(3));
    expect(conversation.messages[2]).toMatchObject({ redacted: true, content: '' });
    expect(conversation.removedWhy(message(3))).toBe('redacted');
  });

  test('an expired one says so', () => {
    opened();
    conversation.redacted({
      type: 'chat.redacted',
      id: messageId(3),
      rev: 1020,
      by: null,
      why: 'expired',
    });
    expect(conversation.removedWhy(message(3))).toBe('expired');
  });
});

describe('the place to resume from', () => {
  test('is the box’s position once a history is shown', () => {
    expect(conversation.cursor).toBeNull();
    opened();
    expect(conversation.cursor).toEqual({ log: 'log-1', rev: 1010 });
  });

  test('moves with every change that arrived, not with the hello of a resumed line', () => {
    opened();
    conversation.apply(message(5, { rev: 1011 }));
    conversation.hello(hello(1050));
    expect(conversation.cursor?.rev).toBe(1011);
    conversation.apply(message(6, { rev: 1040 }));
    expect(conversation.cursor?.rev).toBe(1040);
  });

  test('does not move with what came over HTTP: something before it may be missing', () => {
    opened();
    conversation.settle(message(9, { rev: 1049 }));
    expect(conversation.cursor?.rev).toBe(1010);
  });
});

describe('the delivery ladder', () => {
  const mine = (id: number) => message(id, { sender_type: 'WORKSHOP', delivery: 'sent' });

  test('what the relay has is delivered; another log counts anew', () => {
    opened();
    conversation.delivered(messageId(5));
    conversation.delivered(messageId(4));
    expect(conversation.deliveryOf(mine(5))).toBe('delivered');
    expect(conversation.deliveryOf(mine(6))).toBe('sent');
    expect(conversation.deliveryOf(message(5))).toBe('sent');
    conversation.hello(hello(1010, { USER: 5 }));
    expect(conversation.deliveryOf(mine(5))).toBe('read');
    conversation.hello(hello(9, {}, 'another log'));
    expect(conversation.deliveryOf(mine(6))).toBe('sent');
  });

  test('goes from sent to delivered to read', () => {
    opened();
    conversation.apply(mine(5));
    expect(conversation.deliveryOf(mine(5))).toBe('sent');
    expect(conversation.deliveryOf({ ...mine(5), delivery: 'delivered' })).toBe('delivered');
    const receipt = {
      side: 'USER' as const,
      name: 'Asha Nair',
      up_to: messageId(5),
      at: '2026-11-22T10:14:00.000Z',
    };
    conversation.read({ type: 'chat.read', receipt, rev: 1030 });
    expect(conversation.deliveryOf(mine(5))).toBe('read');
    expect(conversation.readBy(mine(5))).toEqual({ name: 'Asha Nair', at: receipt.at });
    expect(conversation.deliveryOf(mine(6))).toBe('sent');
  });

  test('my own side’s reading does not count', () => {
    opened({ WORKSHOP: 4 });
    expect(conversation.deliveryOf(mine(2))).toBe('sent');
  });

  test('an old receipt gives the time of the newest it covers only', () => {
    conversation.hello(hello(1010, { USER: 3 }));
    conversation.history(history([mine(1), mine(2), message(3)]));
    expect(conversation.readBy(mine(1))).toEqual({ name: 'Asha Nair', at: null });
    expect(conversation.readBy(mine(2))?.at).toBe('2026-11-22T08:59:00.000Z');
  });
});

describe('the unread line', () => {
  test('stands before the first unread message of the other side', () => {
    opened({ WORKSHOP: 1 });
    const items = timeline(conversation.messages, [], conversation.unreadOnOpening);
    const at = items.findIndex((item) => item.kind === 'unread');
    expect(items[at]).toMatchObject({ count: 2 });
    expect(items[at + 1]).toMatchObject({ kind: 'message', message: { id: 3 } });
  });

  test('does not move: not when read, not when new ones come, not after a reconnect', () => {
    opened({ WORKSHOP: 1 });
    const before = conversation.unreadOnOpening;
    const receipt = {
      side: 'WORKSHOP' as const,
      name: 'Ravi',
      up_to: messageId(4),
      at: '2026-11-22T10:14:00.000Z',
    };
    conversation.read({ type: 'chat.read', receipt, rev: 1030 });
    conversation.apply(message(5, { rev: 1031 }));
    conversation.hello(hello(1031, { WORKSHOP: 4 }));
    conversation.history(history([message(3), message(4), message(5)]));
    expect(conversation.unreadOnOpening).toEqual(before);
    const unread = timeline(conversation.messages, [], before).find(
      (item) => item.kind === 'unread',
    );
    expect(unread).toMatchObject({ count: 2 });
  });

  test('is not there when nothing was unread on opening, whatever comes later', () => {
    opened({ WORKSHOP: 4 });
    conversation.apply(message(5, { rev: 1031 }));
    const items = timeline(conversation.messages, [], conversation.unreadOnOpening);
    expect(items.some((item) => item.kind === 'unread')).toBe(false);
  });
});

test('days are named once and a run of one author is held together', () => {
  const at = (time: string) => ({ created_at: new Date(`2026-11-${time}`).toISOString() });
  const items = timeline(
    [
      message(1, at('21T10:00:00')),
      message(2, at('22T10:00:00')),
      message(3, at('22T10:01:00')),
      message(4, at('22T11:00:00')),
    ],
    [],
    null,
  );
  expect(items.map((item) => item.kind)).toEqual([
    'day',
    'message',
    'day',
    'message',
    'message',
    'message',
  ]);
  const runs = items.flatMap((item) => (item.kind === 'message' ? [[item.first, item.last]] : []));
  expect(runs).toEqual([
    [true, true],
    [true, false],
    [false, true],
    [true, true],
  ]);
});

test('a day that comes twice is named twice, each under a key of its own', () => {
  const at = (time: string) => ({ created_at: new Date(`2026-11-${time}`).toISOString() });
  const items = timeline(
    [
      message(1, at('22T09:00:00')),
      // Typed in a tunnel the evening before, and here only now.
      message(2, at('21T23:50:00')),
      message(3, at('22T09:05:00')),
    ],
    [],
    null,
  );
  const days = items.filter((item) => item.kind === 'day').map((item) => item.key);
  expect(days).toHaveLength(3);
  expect(new Set(days).size).toBe(3);
});

test('what waits stands under its day, and together', () => {
  const waits = (client_id: string, time: string) => ({
    client_id: clientId(client_id),
    content: 'Is it ready?',
    reply_to: null,
    created_at: new Date(`2026-11-${time}`).toISOString(),
    failure: null,
    acknowledged: false,
    stored_at: null,
  });
  const sent = message(1, { created_at: new Date('2026-11-21T10:00:00').toISOString() });
  const pending = [waits('a', '22T10:00:00'), waits('b', '22T10:01:00')];
  const items = timeline([sent], pending, null);
  expect(items.map((item) => item.kind)).toEqual(['day', 'message', 'day', 'pending', 'pending']);
  const runs = items.flatMap((item) => (item.kind === 'pending' ? [[item.first, item.last]] : []));
  expect(runs).toEqual([
    [true, false],
    [false, true],
  ]);
});
