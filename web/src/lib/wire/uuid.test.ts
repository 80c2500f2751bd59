import { expect, test } from 'vitest';
import { uuidMaker } from './uuid';

const random = (into: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(into);

test('ids are version 7 UUIDs', () => {
  const id = uuidMaker(() => Date.now(), random)();
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('ids rise, also within one millisecond and when the clock goes back', () => {
  let now = 1_764_000_000_000;
  const make = uuidMaker(() => now, random);
  const ids = Array.from({ length: 10_000 }, (_, i) => {
    if (i === 5_000) now -= 60_000;
    return make();
  });
  expect(ids).toEqual([...ids].sort());
  expect(new Set(ids).size).toBe(ids.length);
});
