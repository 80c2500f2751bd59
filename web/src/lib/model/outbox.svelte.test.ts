import { beforeEach, describe, expect, test } from 'vitest';
import { uuidMaker } from '$lib/wire/uuid';
import { requestId } from '$lib/wire/ids';
import { Outbox, isPermanent, requestsWithUnsent } from './outbox.svelte';
import { Storage } from './storage';

const newId = uuidMaker(
  () => 1_764_000_000_000,
  (into) => crypto.getRandomValues(into),
);
let storage: Storage;
const open = (owner = 'staff-3', request = 7) =>
  new Outbox(storage, owner, requestId(request), newId, () => 1_764_000_000_000);

beforeEach(() => {
  localStorage.clear();
  storage = new Storage(localStorage);
});

describe('the outbox', () => {
  test('keeps what was written over a reload, in the order it was written', () => {
    const outbox = open();
    for (const content of ['one', 'two', 'three']) outbox.add(content, null);
    expect(open().items.map((item) => item.content)).toEqual(['one', 'two', 'three']);
    expect(open().items.map((item) => item.client_id)).toEqual(
      outbox.items.map((item) => item.client_id),
    );
  });

  test('forgets a message once the box has acknowledged it, but shows it until it appears', () => {
    const outbox = open();
    const { client_id } = outbox.add('hello', null);
    outbox.acknowledge(client_id);
    expect(outbox.items).toMatchObject([{ content: 'hello', acknowledged: true }]);
    expect(outbox.next).toBeNull();
    expect(open().items).toEqual([]);
    outbox.confirm(client_id);
    expect(outbox.items).toEqual([]);
  });

  test('passes over a refused message, and offers it again under the same id', () => {
    const outbox = open();
    const refused = outbox.add('too long', null);
    const next = outbox.add('fine', null);
    outbox.fail(refused.client_id, { code: 'too_long', detail: '' });
    expect(outbox.next?.client_id).toBe(next.client_id);
    expect(open().items[0]?.failure).toMatchObject({ code: 'too_long' });
    outbox.retry(refused.client_id);
    expect(outbox.next?.client_id).toBe(refused.client_id);
  });

  test('does not mix people who share a tablet, nor requests', () => {
    open('staff-3', 7).add('from Ravi', null);
    expect(open('staff-4', 7).items).toEqual([]);
    expect(open('staff-3', 8).items).toEqual([]);
    expect(requestsWithUnsent(storage, 'staff-3')).toEqual([7]);
    expect(requestsWithUnsent(storage, 'staff-4')).toEqual([]);
  });

  test('two tabs do not overwrite one another', () => {
    const first = open();
    const second = open();
    first.add('from the first', null);
    second.add('from the second', null);
    expect(open().items).toHaveLength(2);
  });

  test('a broken entry is skipped', () => {
    open().add('good', null);
    localStorage.setItem('motoreach.outbox.staff-3.7.zzz', '{nonsense');
    expect(open().items.map((item) => item.content)).toEqual(['good']);
  });

  test('works in memory where storage is forbidden', () => {
    storage = new Storage(null);
    open().add('kept for now', null);
    expect(open().items).toHaveLength(1);
  });

  test.each(['rate_limited', 'disk_full', 'storage_failing', 'network'])(
    '%s passes by itself',
    (code) => {
      expect(isPermanent(code)).toBe(false);
    },
  );

  test.each(['too_long', 'not_allowed', 'invalid'])('%s is for good', (code) => {
    expect(isPermanent(code)).toBe(true);
  });
});
