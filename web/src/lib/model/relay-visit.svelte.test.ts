import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { OwnerStore } from '$lib/store/owner-store';
import { inviteId, messageId } from '$lib/wire/ids';
import type { Json } from '$lib/wire/guard';
import { uuidMaker } from '$lib/wire/uuid';
import { FakeClock } from '../../test/fakes';
import { FakeRelay, fragment, invite, logs, uuid } from '../../test/fake-relay';
import { RelayVisit } from './relay-visit.svelte';
import { Storage } from './storage';

let clock: FakeClock;
let relay: FakeRelay;
let factory: IDBFactory;
const visits: RelayVisit[] = [];

function visit(): RelayVisit {
  const made = new RelayVisit(
    {
      device: {
        clock,
        random: () => 1,
        open: relay.open,
        storage: new Storage(localStorage),
        newId: uuidMaker(clock.now, (into) => crypto.getRandomValues(into)),
        ring: () => undefined,
      },
      store: new OwnerStore(factory),
      push: { worker: null, permission: () => 'default', ask: () => Promise.resolve('default') },
      origin: 'https://relay.example',
      userAgent: 'Mozilla/5.0 (Linux; Android 16) Chrome/140.0 Mobile Safari/537.36',
      open: relay.open,
      channel: new BroadcastChannel('motoreach-owner'),
    },
    inviteId(invite),
    fragment,
  );
  visits.push(made);
  return made;
}

/** Ciphers and databases answer in their own time. */
const until = (what: () => void) => vi.waitFor(what, { timeout: 4000, interval: 2 });

function roomOf(page: RelayVisit) {
  if (page.state.at !== 'open') throw new Error(`it is ${page.state.at}`);
  return page.state.room;
}

async function open(): Promise<RelayVisit> {
  const page = visit();
  const before = relay.sockets.length;
  await page.start();
  await until(() => {
    expect(relay.sockets.length).toBeGreaterThan(before);
  });
  await relay.admit();
  await until(() => {
    expect(page.state.at).toBe('open');
    expect(roomOf(page).state.at).toBe('live');
  });
  return page;
}

const posts = (kind: string): readonly Json[] =>
  relay.last.of('post').filter((post) => post['kind'] === kind);

async function posted(kind: string, count: number): Promise<readonly Json[]> {
  await until(() => {
    expect(posts(kind)).toHaveLength(count);
  });
  return posts(kind);
}

async function boxTakes(post: Json | undefined): Promise<void> {
  if (post === undefined) throw new Error('nothing was posted');
  relay.send([await relay.takes(post)]);
}

const said = (page: RelayVisit) =>
  roomOf(page).conversation.messages.map((message) => message.content);

/** The relay has the first post (this phone's name), so that the next ones can go. */
async function namePosted(): Promise<void> {
  const [device] = await posted('device', 1);
  await boxTakes(device);
}

async function postsEmpty(): Promise<void> {
  const store = new OwnerStore(factory);
  await vi.waitFor(async () => {
    expect(await store.posts(invite)).toEqual([]);
  });
  await store.close();
}

async function breakAndReturn(page: RelayVisit): Promise<void> {
  const before = relay.sockets.length;
  relay.last.drop();
  await until(() => {
    expect(roomOf(page).state.at).toBe('waiting');
  });
  clock.turn(1000);
  await until(() => {
    expect(relay.sockets.length).toBeGreaterThan(before);
  });
  await relay.admit();
  await until(() => {
    expect(roomOf(page).state.at).toBe('live');
  });
}

beforeEach(async () => {
  localStorage.clear();
  clock = new FakeClock();
  relay = new FakeRelay();
  factory = new IDBFactory();
  await relay.request();
  await relay.staffSays('Good morning');
});

afterEach(() => {
  for (const page of visits.splice(0)) page.stop();
});

describe('a link at the relay', () => {
  test('opens the conversation with no account, and nothing in the clear on the way', async () => {
    const page = await open();
    expect(said(page)).toEqual(['Good morning']);
    expect(roomOf(page).request).toMatchObject({
      id: 7,
      vehicle: { plate: 'KL 07 CD 4521' },
      workshop: { name: 'Sharma Motors' },
    });
    await namePosted();
    roomOf(page).send('Is it ready?', null);
    await posted('message', 1);
    const sent = JSON.stringify(relay.last.sent);
    for (const words of ['Is it ready', 'Android', fragment]) expect(sent).not.toContain(words);
  });

  test('opens without a network, with what was kept', async () => {
    (await open()).stop();
    const page = visit();
    await page.start();
    await until(() => {
      expect(page.state.at).toBe('open');
    });
    expect(roomOf(page).state.at).not.toBe('live');
    expect(said(page)).toEqual(['Good morning']);
  });

  test('asks only for what it has not got, and shows it below the line', async () => {
    (await open()).stop();
    await relay.staffSays('It is ready');
    const page = await open();
    expect(relay.last.of('auth')[0]).toMatchObject({ log: logs[0], after: 20 });
    expect(said(page)).toEqual(['Good morning', 'It is ready']);
    expect(roomOf(page).conversation.unreadOnOpening).toMatchObject({ upTo: 30 });
  });

  test('starts over when the journal is another one', async () => {
    const page = await open();
    relay.log = logs[1] as string;
    relay.entries = [];
    await relay.request();
    await relay.staffSays('Recovered');
    await relay.staffSays('Good morning');
    await breakAndReturn(page);
    await until(() => {
      expect(said(page)).toEqual(['Recovered', 'Good morning']);
    });
  });

  test('what is no link is said to be none', async () => {
    const page = new RelayVisit(
      { ...partsOf(), origin: 'https://relay.example' },
      inviteId(invite),
      fragment.slice(4),
    );
    await page.start();
    expect(page.state).toMatchObject({ at: 'gone', why: 'invalid' });
  });
});

function partsOf() {
  return {
    device: {
      clock,
      random: () => 1,
      open: relay.open,
      storage: new Storage(localStorage),
      newId: () => uuid(1),
      ring: () => undefined,
    },
    store: new OwnerStore(factory),
    push: {
      worker: null,
      permission: (): NotificationPermission => 'default',
      ask: () => Promise.resolve<NotificationPermission>('default'),
    },
    userAgent: '',
    channel: null,
  };
}

describe('a message climbs the ladder', () => {
  test('waits on this phone, is at the relay, at the workshop, and read', async () => {
    const page = await open();
    await namePosted();
    const room = roomOf(page);
    room.send('Is it ready?', null);
    expect(room.outbox.items).toMatchObject([{ stored_at: null, acknowledged: false }]);
    const [post] = await posted('message', 1);
    relay.last.say({ type: 'stored', id: post?.['id'] });
    await until(() => {
      expect(room.outbox.items[0]?.stored_at).not.toBeNull();
    });
    await boxTakes(post);
    await until(() => {
      expect(said(page)).toEqual(['Good morning', 'Is it ready?']);
    });
    expect(room.outbox.items).toEqual([]);
    const message = room.conversation.messages[1];
    if (message === undefined) throw new Error('it is there');
    expect(room.conversation.deliveryOf(message)).toBe('delivered');
    const read = { side: 'workshop', up_to: post?.['id'], by: 'Ravi Sharma' };
    relay.send([await relay.write('messages_read', read)]);
    await until(() => {
      expect(room.conversation.readBy(message)?.name).toBe('Ravi Sharma');
    });
  });

  test('written with no network, it survives a reload and goes with the same bytes', async () => {
    const first = await open();
    await namePosted();
    relay.last.drop();
    roomOf(first).send('one', null);
    roomOf(first).send('two', null);
    await until(() => {
      expect(roomOf(first).outbox.items).toHaveLength(2);
    });
    await until(() => {
      expect(localStorage).toHaveLength(0);
    });
    first.stop();

    const second = await open();
    const [one] = await posted('message', 1);
    expect(roomOf(second).outbox.items.map((item) => item.content)).toEqual(['one', 'two']);
    await breakAndReturn(second);
    const [again] = await posted('message', 1);
    expect(again).toEqual(one);
    relay.last.say({ type: 'stored', id: again?.['id'] });
    const [, two] = await posted('message', 2);
    expect((await relay.opens(again ?? {})).json).toMatchObject({ seq: 2, content: 'one' });
    expect((await relay.opens(two ?? {})).json).toMatchObject({ seq: 3, content: 'two' });
  });

  test('two tabs number their posts densely and offer none twice as two', async () => {
    const [a, b] = [await open(), await open()];
    await namePosted();
    roomOf(a).send('from a', null);
    roomOf(b).send('from b', null);
    await until(() => {
      expect(roomOf(a).outbox.items).toHaveLength(2);
      expect(roomOf(b).outbox.items).toHaveLength(2);
    });
    const store = new OwnerStore(factory);
    const seqs = (await store.posts(invite)).map((post) => post.seq);
    expect(seqs).toEqual([...new Set(seqs)]);
    expect(seqs.at(-1)).toBe((seqs[0] ?? 0) + seqs.length - 1);
    await store.close();
  });

  test('refused for now, it can be tried again; refused for good, its words go in a new one', async () => {
    const page = await open();
    await namePosted();
    const room = roomOf(page);
    room.send('hello', null);
    const [post] = await posted('message', 1);
    relay.last.say({ type: 'refused', id: post?.['id'], why: 'unreadable' });
    await until(() => {
      expect(room.outbox.items[0]?.failure).toMatchObject({ code: 'unreadable' });
    });
    const [pending] = room.outbox.items;
    if (pending === undefined) throw new Error('it is there');
    room.retry(pending.client_id);
    const [, again] = await posted('message', 2);
    expect(again).toEqual(post);

    relay.send([await relay.write('post_refused', { why: 'request_closed' }, pending.client_id)]);
    await until(() => {
      expect(room.outbox.items[0]?.failure).toMatchObject({ code: 'request_closed' });
    });
    room.retry(pending.client_id);
    const third = (await posted('message', 3))[2];
    expect(third?.['id']).not.toBe(post?.['id']);
    await until(() => {
      expect(room.outbox.items.map((item) => item.failure)).toEqual([null]);
    });
  });

  test('what the relay never answers is offered on a new line', async () => {
    const page = await open();
    await posted('device', 1);
    clock.turn(15_000);
    await until(() => {
      expect(roomOf(page).state.at).toBe('waiting');
    });
    expect(relay.last.isClosed).toBe(true);
  });
});

describe('reading', () => {
  test('is kept for the workshop, told to the other devices, and posted once', async () => {
    const page = await open();
    await namePosted();
    const room = roomOf(page);
    room.seen(messageId(20));
    clock.turn(300);
    const [read] = await posted('read', 1);
    expect((await relay.opens(read ?? {})).json).toMatchObject({ up_to: uuid(2) });
    expect(relay.last.of('seen')).toEqual([{ type: 'seen', up_to: 20 }]);
    expect(room.conversation.readUpTo).toBe(20);
    await breakAndReturn(page);
    expect(await posted('read', 1)).toEqual([read]);
  });

  test('on another device moves the line', async () => {
    const page = await open();
    expect(roomOf(page).conversation.unreadOnOpening).not.toBeNull();
    relay.last.say({ type: 'seen', up_to: 20 });
    await until(() => {
      expect(roomOf(page).conversation.unreadOnOpening).toBeNull();
    });
  });
});

describe('what the relay cannot do', () => {
  test('an altered body is not shown as anybody’s words', async () => {
    const entry = await relay.staffSays('pay here');
    const flipped = entry.body?.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')) ?? null;
    relay.entries = relay.entries.map((each) =>
      each.id === entry.id ? { ...each, body: flipped } : each,
    );
    const page = await open();
    const message = roomOf(page).conversation.messages.at(-1);
    if (message === undefined) throw new Error('it is there');
    expect(message.content).toBe('');
    expect(roomOf(page).conversation.removedWhy(message)).toBe('unopened');
  });

  test('whose words they are is read under the seal', async () => {
    const entry = await relay.staffSays('I agree');
    relay.entries = relay.entries.map((each) =>
      each.id === entry.id ? { ...each, from_owner: true } : each,
    );
    const page = await open();
    expect(roomOf(page).conversation.messages.at(-1)?.sender_type).toBe('WORKSHOP');
  });
});

test('a removed message leaves this phone too', async () => {
  const entry = await relay.staffSays('wrong number');
  (await open()).stop();
  relay.entries = relay.entries.map((each) =>
    each.id === entry.id ? { ...each, body: null } : each,
  );
  await relay.write('message_redacted', { message: entry.id, by: 'Ravi Sharma' });
  const page = await open();
  const message = roomOf(page).conversation.messages.at(-1);
  expect(message).toMatchObject({ content: '', redacted: true });
  const store = new OwnerStore(factory);
  const kept = (await store.entries(invite)).find((each) => each.id === entry.id);
  expect(kept?.body).toBeNull();
  await store.close();
});

describe('a link that is gone', () => {
  /** The page comes back after its socket was cut, and this is what it is told. */
  async function isTold(page: RelayVisit, why: string): Promise<void> {
    const before = relay.sockets.length;
    relay.last.say({ type: 'gone', why });
    relay.last.drop(4401);
    await until(() => {
      expect(roomOf(page).state.at).toBe('waiting');
    });
    expect(roomOf(page).conversation.messages).not.toEqual([]);
    clock.turn(1000);
    await until(() => {
      expect(relay.sockets.length).toBeGreaterThan(before);
    });
    relay.last.open();
    relay.last.say({ type: 'gone', why });
    relay.last.drop(4401);
  }

  test('says so and keeps nothing, when it was revoked', async () => {
    const page = await open();
    await isTold(page, 'revoked');
    await until(() => {
      expect(page.state).toMatchObject({
        at: 'gone',
        why: 'revoked',
        label: { plate: 'KL 07 CD 4521' },
      });
    });
    const store = new OwnerStore(factory);
    expect(await store.entries(invite)).toEqual([]);
    expect(await store.keys(invite)).toEqual([]);
    await store.close();
  });

  test('that has run out is not tried for ever', async () => {
    const page = await open();
    await isTold(page, 'expired');
    await until(() => {
      expect(page.state).toMatchObject({ at: 'gone', why: 'expired' });
    });
    const sockets = relay.sockets.length;
    clock.turn(120_000);
    expect(relay.sockets).toHaveLength(sockets);
  });

  test('and was known here is kept, when the relay has lost its memory', async () => {
    const page = await open();
    await isTold(page, 'invalid');
    await until(() => {
      expect(roomOf(page).state.at).toBe('waiting');
    });
    expect(said(page)).toEqual(['Good morning']);
    clock.turn(2000);
    await until(() => {
      expect(relay.last.isClosed).toBe(false);
    });
    await relay.admit();
    await until(() => {
      expect(roomOf(page).state.at).toBe('live');
    });
  });
});

describe('the workshop’s own line', () => {
  test('a short break alarms nobody; a longer one is said with its time', async () => {
    const page = await open();
    await namePosted();
    await postsEmpty();
    expect(page.workshop).toEqual({ at: 'online' });
    const since = '2026-11-22T10:14:00Z';
    relay.last.say({ type: 'presence', workshop_online: false, offline_since: since });
    await until(() => {
      expect(page.workshop).toEqual({ at: 'unsure' });
    });
    clock.turn(20_000);
    expect(page.workshop).toEqual({ at: 'offline', since });
    expect(page.doorUrl).toBe(`http://motoreach.local/o/${invite}#${fragment}`);
    relay.last.say({ type: 'presence', workshop_online: true, offline_since: null });
    await until(() => {
      expect(page.workshop).toEqual({ at: 'online' });
    });
  });

  test('that has been down for long is said at once', async () => {
    relay.online = false;
    relay.offlineSince = '2026-11-22T09:14:00Z';
    const page = await open();
    expect(page.workshop).toEqual({ at: 'offline', since: relay.offlineSince });
  });
});
