import { beforeEach, describe, expect, test, vi } from 'vitest';
import { ApiError, type Api } from '$lib/net/api';
import { messageId, requestId } from '$lib/wire/ids';
import { uuidMaker } from '$lib/wire/uuid';
import { FakeClock, FakeNet, hello, history, message, settle } from '../../test/fakes';
import { Outbox } from './outbox.svelte';
import { Room } from './room.svelte';
import { Storage } from './storage';

let clock: FakeClock;
let net: FakeNet;
let room: Room;
const api = {
  wsTicket: vi.fn<Api['wsTicket']>(),
  renew: vi.fn<Api['renew']>(),
  postMessage: vi.fn<Api['postMessage']>(),
  newestMessages: vi.fn<Api['newestMessages']>(),
};

function makeRoom(): Room {
  const newId = uuidMaker(clock.now, (into) => crypto.getRandomValues(into));
  return new Room(requestId(7), {
    api: api as unknown as Api,
    http: api as unknown as Api,
    open: net.open,
    clock,
    random: () => 1,
    outbox: new Outbox(new Storage(localStorage), 'staff-3', requestId(7), newId, clock.now),
  });
}

beforeEach(() => {
  localStorage.clear();
  clock = new FakeClock();
  net = new FakeNet();
  api.wsTicket.mockReset().mockResolvedValue('T');
  api.postMessage.mockReset();
  api.newestMessages.mockReset().mockResolvedValue([]);
  room = makeRoom();
});

const sentMessages = () => net.last.sent.filter((frame) => frame['type'] === 'chat.message');
const shown = () => room.timeline.flatMap((item) => (item.kind === 'day' ? [] : [item.kind]));

async function goLive(messages = [message(1), message(2)], read = {}) {
  room.open();
  await settle();
  net.last.say(hello(1010, read));
  net.last.say(history(messages));
}

/** What the box does with a message: commits it and tells everyone, the sender included. */
function boxTakes(index: number, id: number) {
  const frame = sentMessages()[index];
  const client_id = frame?.['client_id'] as string;
  net.last.say({ type: 'chat.ack', client_id, id, rev: 1000 + id });
  net.last.say({
    type: 'chat.message',
    ...message(id, { sender_type: 'WORKSHOP' }),
    client_id,
    content: frame?.['content'],
  });
}

describe('sending', () => {
  test('shows a message at once and once only', async () => {
    await goLive([]);
    room.send('  hello  ', null);
    expect(shown()).toEqual(['pending']);
    boxTakes(0, 3);
    expect(shown()).toEqual(['message']);
    expect(room.conversation.messages[0]?.content).toBe('hello');
  });

  test('empty text is not sent', async () => {
    await goLive();
    room.send('   ', null);
    expect(sentMessages()).toEqual([]);
    expect(room.outbox.items).toEqual([]);
  });

  test('works offline: what was written goes out in order once the box is there', async () => {
    room.send('one', null);
    room.send('two', null);
    await goLive([]);
    expect(sentMessages().map((frame) => frame['content'])).toEqual(['one']);
    boxTakes(0, 3);
    boxTakes(1, 4);
    expect(sentMessages().map((frame) => frame['content'])).toEqual(['one', 'two']);
    expect(room.outbox.items).toEqual([]);
  });

  test('after a break the same message is offered under the same id', async () => {
    await goLive([]);
    room.send('important', null);
    const first = sentMessages()[0]?.['client_id'];
    net.last.drop(1006);
    clock.turn(500);
    await settle();
    net.last.say(hello(1010));
    expect(sentMessages().map((frame) => frame['client_id'])).toEqual([first]);
  });

  test('a message that arrives while resuming is not shown twice', async () => {
    await goLive([]);
    room.send('important', null);
    const client_id = sentMessages()[0]?.['client_id'] as string;
    net.last.drop(1006);
    clock.turn(500);
    await settle();
    net.last.say(hello(1011));
    net.last.say({ type: 'chat.message', ...message(3, { sender_type: 'WORKSHOP' }), client_id });
    net.last.say({ type: 'chat.ack', client_id, id: 3, rev: 1003 });
    expect(shown()).toEqual(['message']);
  });

  test('a reload does not lose what was not confirmed', async () => {
    room.send('before the reload', null);
    room = makeRoom();
    await goLive([]);
    expect(sentMessages().map((frame) => frame['content'])).toEqual(['before the reload']);
  });

  test('a refusal for good shows the reason and lets the next one through', async () => {
    await goLive([]);
    room.send('bad', null);
    room.send('good', null);
    const client_id = sentMessages()[0]?.['client_id'];
    net.last.say({ type: 'chat.error', code: 'not_allowed', detail: 'Not here.', client_id });
    expect(room.outbox.items[0]?.failure).toEqual({ code: 'not_allowed', detail: 'Not here.' });
    expect(sentMessages().map((frame) => frame['content'])).toEqual(['bad', 'good']);
  });

  test('a full box is asked again later, and nothing overtakes', async () => {
    await goLive([]);
    room.send('one', null);
    room.send('two', null);
    const client_id = sentMessages()[0]?.['client_id'];
    net.last.say({ type: 'chat.error', code: 'disk_full', detail: '', client_id });
    expect(sentMessages()).toHaveLength(1);
    clock.turn(2_000);
    expect(sentMessages().map((frame) => frame['content'])).toEqual(['one', 'one']);
  });

  test('no answer within fifteen seconds means that the line is dead', async () => {
    await goLive([]);
    room.send('hello?', null);
    clock.turn(15_000);
    await settle();
    expect(net.sockets).toHaveLength(2);
  });

  test('goes over HTTP when the socket does not open but the box answers', async () => {
    api.postMessage.mockImplementation((_, post) =>
      Promise.resolve(
        message(3, {
          sender_type: 'WORKSHOP',
          client_id: post.client_id as never,
          content: post.content,
        }),
      ),
    );
    room.send('over HTTP', null);
    room.open();
    await settle();
    net.last.drop(1006);
    clock.turn(500);
    await settle();
    net.last.drop(1006);
    await settle();
    expect(api.postMessage).toHaveBeenCalledOnce();
    expect(room.outbox.items).toEqual([]);
    expect(room.conversation.messages.map((each) => each.content)).toEqual(['over HTTP']);
    expect(room.conversation.cursor).toBeNull();
  });

  test('a post that fails in passing keeps the message', async () => {
    api.postMessage.mockRejectedValue(new ApiError(507, 'disk_full', ''));
    room.send('kept', null);
    room.open();
    for (let i = 0; i < 3; i++) {
      await settle();
      net.last.drop(1006);
      clock.turn(4_000);
    }
    await settle();
    expect(room.outbox.items).toMatchObject([{ content: 'kept', failure: null }]);
  });
});

describe('resuming', () => {
  test('asks for what came after the last change that was seen', async () => {
    await goLive();
    net.last.say({ type: 'chat.message', ...message(3, { rev: 1015 }) });
    net.last.drop(1012);
    clock.turn(1_000);
    await settle();
    const query = new URL(net.last.path, 'http://box').searchParams;
    expect(query.get('after')).toBe('1015');
    expect(query.get('log')).toBe('log-1');
  });

  test('shows each missed message once', async () => {
    await goLive();
    net.last.drop(1012);
    clock.turn(1_000);
    await settle();
    net.last.say(hello(1020));
    for (const id of [2, 3, 4])
      net.last.say({ type: 'chat.message', ...message(id, { rev: 1010 + id }) });
    expect(room.conversation.messages.map((each) => each.id)).toEqual([1, 2, 3, 4]);
  });
});

describe('reading', () => {
  test('nothing is marked read by opening', async () => {
    await goLive();
    clock.turn(60_000);
    expect(net.last.sent).toEqual([]);
  });

  test('what was seen is told once, up to the furthest', async () => {
    await goLive();
    room.seen(messageId(1));
    room.seen(messageId(2));
    room.seen(messageId(1));
    clock.turn(250);
    expect(net.last.sent).toEqual([{ type: 'chat.read', up_to: 2 }]);
  });

  test('what was seen while offline is told when the box is back', async () => {
    await goLive();
    net.last.drop(1012);
    room.seen(messageId(2));
    clock.turn(1_000);
    await settle();
    net.last.say(hello(1010));
    expect(net.last.sent).toEqual([{ type: 'chat.read', up_to: 2 }]);
  });

  test('what a colleague has read already is not told again', async () => {
    await goLive([message(1), message(2)], { WORKSHOP: 2 });
    room.seen(messageId(2));
    clock.turn(250);
    expect(net.last.sent).toEqual([]);
  });
});

describe('others', () => {
  test('typing is shown for five seconds, or until the message is there', async () => {
    await goLive();
    net.last.say({ type: 'chat.typing', name: 'Asha Nair', side: 'USER' });
    expect(room.typing).toHaveLength(1);
    clock.turn(5_000);
    expect(room.typing).toEqual([]);
    net.last.say({ type: 'chat.typing', name: 'Asha Nair', side: 'USER' });
    net.last.say({ type: 'chat.message', ...message(3) });
    expect(room.typing).toEqual([]);
    // At the relay's door nobody knows who of the workshop it is.
    net.last.say({ type: 'chat.typing', name: 'Sharma Motors', side: 'WORKSHOP' });
    net.last.say({ type: 'chat.message', ...message(4, { sender_type: 'WORKSHOP' }) });
    expect(room.typing).toEqual([]);
  });

  test('are told about my typing every three seconds at most', async () => {
    await goLive();
    room.typed();
    room.typed();
    clock.turn(3_000);
    room.typed();
    expect(net.last.sent).toHaveLength(2);
  });

  test('come and go', async () => {
    await goLive();
    expect(room.isOnline('USER')).toBe(false);
    net.last.say({ type: 'chat.presence', side: 'USER', online: true, name: 'Asha Nair' });
    expect(room.isOnline('USER')).toBe(true);
    net.last.say({ type: 'chat.presence', side: 'USER', online: false, name: 'Asha Nair' });
    expect(room.isOnline('USER')).toBe(false);
  });
});
