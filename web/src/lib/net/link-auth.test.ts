import { hkdfSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { fromBase64Url, toBase64Url } from '$lib/wire/bytes';
import { codeFromFragment } from './link-auth';

test('the code of a link is HKDF-SHA-256 of its secret, as the box computes it', () => {
  const secret = Uint8Array.from({ length: 32 }, (_, i) => i * 7);
  const expected = Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), 'auth', 32));
  expect(codeFromFragment(`#${Buffer.from(secret).toString('base64url')}`)).toBe(
    expected.toString('base64url'),
  );
});

test('the code does not show the secret', () => {
  const fragment = toBase64Url(new Uint8Array(32).fill(7));
  expect(codeFromFragment(fragment)).not.toContain(fragment);
});

test.each([
  '',
  '#',
  'abc',
  'not base64!',
  toBase64Url(new Uint8Array(31)),
  toBase64Url(new Uint8Array(33)),
])('a link that was cut short has no code: %s', (fragment) => {
  expect(codeFromFragment(fragment)).toBeNull();
});

test('base64url goes there and back', () => {
  const bytes = crypto.getRandomValues(new Uint8Array(100));
  expect(fromBase64Url(toBase64Url(bytes))).toEqual(bytes);
});
