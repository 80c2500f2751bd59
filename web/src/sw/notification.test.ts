import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { beforeEach, describe, expect, test } from 'vitest';
import { OwnerLink } from '$lib/net/owner-link';
import { OwnerStore } from '$lib/store/owner-store';
import { FakeRelay, fragment, invite, inviteUuid, thread, hello } from '../test/fake-relay';
import { notificationOf, tagOf } from './notification';

let store: OwnerStore;
let relay: FakeRelay;

/** What the relay pushes of the newest entry. */
async function payload(content: string) {
  const { seq, id, kind, epoch, body } = await relay.staffSays(content);
  return { thread, invite: inviteUuid, seq, id, kind, epoch, body: body ?? '' };
}

beforeEach(async () => {
  store = new OwnerStore(new IDBFactory());
  relay = new FakeRelay();
  await relay.request();
  const parts = { store, now: Date.now, newId: () => '01935109-0000-7000-8000-0000000000dd' };
  const link = await OwnerLink.open(parts, invite, fragment);
  if (link === null) throw new Error('a whole link');
  await link.hello(await hello(relay));
  await link.take(relay.log, relay.received());
});

describe('a notification', () => {
  test('says who wrote and what, where this phone has the key', async () => {
    const shown = await notificationOf(store, await payload('It is ready'));
    expect(shown).toMatchObject({ title: 'Sharma Motors', options: { body: 'It is ready' } });
    expect(shown.options.tag).toBe(tagOf({ thread }));
    expect(shown.options.data).toEqual({ invite });
  });

  test('says only that there is something, where it does not open', async () => {
    const whole = await payload('It is ready');
    const long = { ...whole, body: undefined };
    for (const closed of [long, { ...whole, body: 'AQAA' }, { ...whole, epoch: 9 }]) {
      const { title, options } = await notificationOf(store, closed);
      expect(title).toBe('Sharma Motors');
      expect(options.body).toBe('New message from your workshop');
    }
  });

  test('of a link that this phone does not know names nobody', async () => {
    const shown = await notificationOf(new OwnerStore(new IDBFactory()), await payload('secret'));
    expect(shown).toMatchObject({ title: 'MotoReach' });
    expect(shown.options.body).toBe('New message from your workshop');
  });

  test('that was asked for as a test says so', async () => {
    const shown = await notificationOf(store, { thread, invite: inviteUuid, test: true });
    expect(shown.options.body).toBe('Notifications work on this device.');
  });

  test('of a silent box says whose it is, and since when', async () => {
    const alarm = inviteUuid;
    const workshop = invite;
    const since = '2026-11-25T02:00:00Z';
    const unknown = await notificationOf(store, { alarm, silent_since: since });
    expect(unknown.title).toBe('MotoReach');
    await store.addAlarm({ workshop, fragment: 'x.y', workshopName: 'Nair Motors' });
    const silent = await notificationOf(store, { alarm, silent_since: since });
    expect(silent.title).toBe('Nair Motors');
    expect(silent.options.body).toMatch(/^The box is silent since/);
    expect(silent.options).toMatchObject({ tag: `alarm:${alarm}`, data: { alarm: workshop } });
    const back = await notificationOf(store, { alarm });
    expect(back.options.body).toBe('The box is back.');
  });

  test('opens with keys that no script can read', async () => {
    const [keys] = await store.keys(invite);
    expect(keys?.journal.cipher.extractable).toBe(false);
    expect(keys?.post.nonces.extractable).toBe(false);
  });
});
