// @vitest-environment node
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { concat, fromUtf8, toBase64Url, utf8, type Bytes } from '$lib/wire/bytes';
import { openBody, sealBody } from './body';
import { derivable, hkdf, open, seal, SealBroken, sealKey, type SealContext } from './key';
import { authOf, inviteUuid, readLink, unwrap } from './link';

/** The vectors that `src/seal/vectors.rs` holds the box to. */
interface Sealed {
  readonly key_name: string;
  readonly key: string;
  readonly workshop: string;
  readonly thread: string | null;
  readonly event: string;
  readonly kind: string;
  readonly plain: string;
  readonly sealed: string;
  readonly at_ms?: number;
  readonly author?: string;
  readonly body_utf8?: string;
}
interface Vectors {
  readonly sealed: readonly Sealed[];
  readonly thread: Readonly<Record<'thread_key' | 'journal_key' | 'post_key', string>>;
  readonly invite: Readonly<
    Record<'invite' | 'secret' | 'fragment' | 'auth' | 'wrapped' | 'thread_key' | 'link', string>
  > & { readonly epoch: number };
  /** HKDF(invite secret, salt = the thread's post key, "post" | invite). */
  readonly invite_post_key: string;
}

const file = resolve('../tests/fixtures/seal/vectors.json');
const vectors = JSON.parse(readFileSync(file, 'utf8')) as Vectors;
const bytes = (hex: string): Bytes =>
  Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const hex = (from: Bytes) =>
  Array.from(from, (byte) => byte.toString(16).padStart(2, '0')).join('');
const contextOf = (from: Sealed): SealContext => ({
  workshop: bytes(from.workshop),
  thread: from.thread === null ? null : bytes(from.thread),
  event: bytes(from.event),
  kind: from.kind,
});

describe('what the box seals', () => {
  test.each(vectors.sealed)('$key_name/$event opens, and seals to the same bytes', async (each) => {
    const key = await sealKey(bytes(each.key));
    expect(hex(await open(key, contextOf(each), bytes(each.sealed)))).toBe(each.plain);
    expect(hex(await seal(key, contextOf(each), bytes(each.plain)))).toBe(each.sealed);
  });

  test.each(vectors.sealed.filter((each) => each.body_utf8?.startsWith('{')))(
    '$key_name/$event comes apart into time and words',
    async (each) => {
      const key = await sealKey(bytes(each.key));
      const body = await openBody(key, contextOf(each), bytes(each.sealed));
      expect(body.at_ms).toBe(each.at_ms);
      expect(body.json).toEqual(JSON.parse(each.body_utf8 ?? ''));
      const words = utf8(each.body_utf8 ?? '');
      expect(fromUtf8(bytes(each.plain)).endsWith(fromUtf8(words))).toBe(true);
    },
  );

  test('a time before 1970 keeps its sign', async () => {
    const key = await sealKey(bytes('07'.repeat(32)));
    const context = {
      workshop: bytes('00'.repeat(16)),
      thread: null,
      event: bytes('01'),
      kind: 'x',
    };
    const sealed = await sealBody(key, context, bytes('02'.repeat(16)), { at_ms: -1, json: {} });
    expect(await openBody(key, context, sealed)).toEqual({ at_ms: -1, json: {} });
  });

  test('nothing opens in another place, under another key, or changed', async () => {
    const [each] = vectors.sealed;
    if (each === undefined) throw new Error('the vectors hold sealed bodies');
    const key = await sealKey(bytes(each.key));
    const other = await sealKey(bytes('07'.repeat(32)));
    const sealed = bytes(each.sealed);
    const flipped = Uint8Array.from(sealed, (byte, i) => (i === 5 ? byte ^ 1 : byte));
    const context = contextOf(each);
    const attempts = [
      open(other, context, sealed),
      open(key, { ...context, kind: 'other' }, sealed),
      open(key, { ...context, thread: null }, sealed),
      open(key, context, flipped),
      open(key, context, concat(bytes('02'), sealed.subarray(1))),
      open(key, context, bytes('')),
    ];
    await Promise.all(attempts.map((attempt) => expect(attempt).rejects.toThrow(SealBroken)));
  });
});

describe('what an owner’s link opens', () => {
  const { invite } = vectors;
  const inPath = toBase64Url(bytes(invite.invite));

  test('the socket', async () => {
    const link = await readLink(inPath, invite.fragment);
    if (link === null) throw new Error('a whole link');
    expect(await authOf(link)).toBe(toBase64Url(bytes(invite.auth)));
  });

  test('the thread’s keys: its entries open, its posts are this link’s own', async () => {
    const link = await readLink(inPath, `#${invite.fragment}`);
    if (link === null) throw new Error('a whole link');
    const keys = await unwrap(link, invite.epoch, bytes(invite.wrapped));
    const entry = vectors.sealed.find((each) => each.key_name === 'journal');
    if (entry === undefined) throw new Error('the vectors hold an entry');
    expect(hex(await open(keys.journal, contextOf(entry), bytes(entry.sealed)))).toBe(entry.plain);

    const salt = bytes(vectors.thread.post_key);
    const info = concat(utf8('post'), bytes(invite.invite));
    const mine = await hkdf(await derivable(bytes(invite.secret)), info, salt);
    expect(hex(mine)).toBe(vectors.invite_post_key);
    const post = vectors.sealed.find((each) => each.key_name === 'invite_post');
    if (post === undefined) throw new Error('the vectors hold a post');
    expect(hex(await open(keys.post, contextOf(post), bytes(post.sealed)))).toBe(post.plain);
    expect(hex(await seal(keys.post, contextOf(post), bytes(post.plain)))).toBe(post.sealed);
  });

  test('only with a whole link', async () => {
    expect(await readLink(inPath, invite.fragment.slice(0, -3))).toBeNull();
    expect(await readLink(inPath.slice(2), invite.fragment)).toBeNull();
    expect(inviteUuid('nonsense')).toBeNull();
    const other = await readLink(toBase64Url(bytes('00'.repeat(16))), invite.fragment);
    if (other === null) throw new Error('a whole link');
    await expect(unwrap(other, invite.epoch, bytes(invite.wrapped))).rejects.toThrow(SealBroken);
  });
});
