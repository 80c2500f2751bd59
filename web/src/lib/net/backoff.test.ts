import { expect, test } from 'vitest';
import { backoff } from './backoff';

test('the longest wait doubles from half a second to fifteen', () => {
  const longest = [0, 1, 2, 3, 4, 5, 6, 50].map((attempt) => backoff(attempt, () => 1));
  expect(longest).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
});

test('the wait is anything between nothing and the longest', () => {
  expect(backoff(3, () => 0)).toBe(0);
  expect(backoff(3, () => 0.5)).toBe(2000);
});
