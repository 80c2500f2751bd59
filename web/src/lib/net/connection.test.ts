import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { ServerFrame } from '$lib/wire/frames';
import { FakeClock, FakeNet, hello, settle } from '../../test/fakes';
import { ApiError } from './api';
import { Connection, type ConnectionState, type TakeTicket } from './connection';

let clock: FakeClock;
let net: FakeNet;
let states: ConnectionState[];
let frames: ServerFrame[];
let ticket: ReturnType<typeof vi.fn<TakeTicket>>;
let connection: Connection;

beforeEach(() => {
  clock = new FakeClock();
  net = new FakeNet();
  states = [];
  frames = [];
  let number = 0;
  ticket = vi.fn<TakeTicket>(() => Promise.resolve(`t${++number}`));
  connection = new Connection({
    open: net.open,
    clock,
    random: () => 1,
    ticket,
    hasHttp: true,
    path: (token) => `/ws/?token=${token}`,
    frame: (frame) => frames.push(frame),
    changed: (state) => states.push(state),
  });
});

async function live() {
  connection.start();
  await settle();
  net.last.say(hello(1));
}

describe('a connection', () => {
  test('takes a ticket, opens a socket with it, and is live with the first frame', async () => {
    connection.start();
    await settle();
    expect(net.last.path).toBe('/ws/?token=t1');
    expect(connection.state.at).toBe('connecting');
    net.last.say(hello(1));
    expect(connection.state.at).toBe('live');
    expect(frames).toHaveLength(1);
  });

  test('comes back by itself after the line broke, with a fresh ticket', async () => {
    await live();
    net.last.drop(1006);
    expect(connection.state).toMatchObject({ at: 'waiting', retryAt: clock.now() + 500 });
    clock.turn(500);
    await settle();
    expect(net.sockets).toHaveLength(2);
    expect(net.last.path).toBe('/ws/?token=t2');
  });

  test('waits longer after every failure and forgets that once live', async () => {
    ticket.mockRejectedValue(new ApiError(0, 'network', ''));
    connection.start();
    await settle();
    for (const wait of [500, 1000, 2000, 4000]) {
      expect(connection.state).toMatchObject({
        at: 'waiting',
        retryAt: clock.now() + wait,
        reached: 'nothing',
      });
      clock.turn(wait);
      await settle();
    }
    ticket.mockResolvedValue('again');
    connection.retryNow();
    await settle();
    net.last.say(hello(1));
    net.last.drop(1006);
    expect(connection.state).toMatchObject({ at: 'waiting', retryAt: clock.now() + 500 });
  });

  test('tries at once when somebody taps', async () => {
    await live();
    net.last.drop(1006);
    connection.retryNow();
    await settle();
    expect(net.sockets).toHaveLength(2);
  });

  test('signs in again once when the box asks for it, then gives up', async () => {
    connection.start();
    await settle();
    net.last.drop(4401);
    await settle();
    expect(ticket).toHaveBeenLastCalledWith('renew');
    net.last.drop(4401);
    await settle();
    expect(connection.state).toEqual({ at: 'refused', why: 'sign_in' });
    clock.turn(60_000);
    await settle();
    expect(net.sockets).toHaveLength(2);
  });

  test('may sign in again anew after it was live in between', async () => {
    connection.start();
    await settle();
    net.last.drop(4401);
    await settle();
    net.last.say(hello(1));
    net.last.drop(4401);
    await settle();
    expect(net.sockets).toHaveLength(3);
  });

  test('ends when the request is not ours', async () => {
    connection.start();
    await settle();
    net.last.drop(4403);
    expect(connection.state).toEqual({ at: 'refused', why: 'not_yours' });
  });

  test('ends when the link was revoked', async () => {
    ticket.mockRejectedValue(new ApiError(410, 'invite_revoked', ''));
    connection.start();
    await settle();
    expect(connection.state).toEqual({ at: 'refused', why: 'invite_revoked' });
  });

  test.each([1012, 4408])('comes back within a second after %d', async (code) => {
    await live();
    net.last.drop(code);
    clock.turn(1000);
    await settle();
    expect(net.sockets).toHaveLength(2);
  });

  test('takes a socket that says nothing for ten seconds for dead', async () => {
    connection.start();
    await settle();
    clock.turn(10_000);
    expect(net.last.isClosed).toBe(true);
    expect(connection.state.at).toBe('waiting');
  });

  test('drops a broken frame and stays', async () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue();
    await live();
    net.last.sayText('{"type":"chat.ack"}');
    expect(warn).toHaveBeenCalledOnce();
    expect(connection.state.at).toBe('live');
  });

  test('hears nothing more from a socket it has left', async () => {
    await live();
    const old = net.last;
    connection.reconnect();
    await settle();
    old.say(hello(2));
    old.drop(4403);
    expect(frames).toHaveLength(1);
    expect(connection.state.at).toBe('connecting');
  });

  test('hands frames over only while live', async () => {
    expect(connection.send({ type: 'chat.typing' })).toBe(false);
    await live();
    expect(connection.send({ type: 'chat.typing' })).toBe(true);
    expect(net.last.sent).toEqual([{ type: 'chat.typing' }]);
    connection.stop();
    expect(connection.send({ type: 'chat.typing' })).toBe(false);
  });
});
