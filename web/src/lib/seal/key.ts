/**
 * A 256-bit key in WebCrypto, and sealing under it: the page's side of `src/seal/{key,sealed}.rs`,
 * held to the same golden vectors.
 *
 * A key never leaves the browser's vault: it is imported so that no script, ours included, can read
 * it back. Its bytes are in memory only while it is derived.
 */
import { concat, utf8, type Bytes } from '$lib/wire/bytes';

/** One key for both of its uses: the cipher, and deriving the nonce of each event. */
export interface SealKey {
  readonly cipher: CryptoKey;
  readonly nonces: CryptoKey;
}

/** Where a sealed body belongs; it opens nowhere else. Ids are their 16 bytes. */
export interface SealContext {
  readonly workshop: Bytes;
  /** Null for what concerns the whole workshop. */
  readonly thread: Bytes | null;
  readonly event: Bytes;
  readonly kind: string;
}

/** Bytes do not open: another key, another place, or changed on the way. Which is not told. */
export class SealBroken extends Error {
  override readonly name = 'SealBroken';
}

const version = 1;
const key_bits = 256;
const nonce_bits = 96;
const none = new Uint8Array(0);

/** HKDF-SHA-256, 32 bytes. An empty salt is the RFC's 32 zero bytes. */
export async function hkdf(from: CryptoKey, info: Bytes, salt: Bytes = none): Promise<Bytes> {
  return derived(from, info, salt, key_bits);
}

/** Bytes to derive from; they cannot be read back. */
export function derivable(bytes: Bytes): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', bytes, 'HKDF', false, ['deriveBits']);
}

/** A key to seal and open with; the bytes that it is made of are wiped. */
export async function sealKey(bytes: Bytes): Promise<SealKey> {
  const [cipher, nonces] = await Promise.all([
    crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt']),
    derivable(bytes),
  ]);
  bytes.fill(0);
  return { cipher, nonces };
}

/** Seals `plain`; the same input gives the same bytes, so a post is sealed again rather than kept. */
export function seal(key: SealKey, context: SealContext, plain: Bytes): Promise<Bytes> {
  return sealWith(key, concat(utf8('nonce'), context.event), aadOf(context), plain);
}

/** Opens what {@link seal} gave; throws {@link SealBroken} for anything else. */
export function open(key: SealKey, context: SealContext, sealed: Bytes): Promise<Bytes> {
  return openWith(key, concat(utf8('nonce'), context.event), aadOf(context), sealed);
}

async function sealWith(key: SealKey, nonce: Bytes, aad: Bytes, plain: Bytes): Promise<Bytes> {
  const how = await cipherOf(key, nonce, aad);
  const sealed = await crypto.subtle.encrypt(how, key.cipher, plain);
  return concat(Uint8Array.of(version), new Uint8Array(sealed));
}

/** As `open`, with the nonce's and the context's parts put together by the caller. */
export async function openWith(
  key: SealKey,
  nonce: Bytes,
  aad: Bytes,
  sealed: Bytes,
): Promise<Bytes> {
  if (sealed[0] !== version) throw new SealBroken();
  const how = await cipherOf(key, nonce, aad);
  try {
    return new Uint8Array(await crypto.subtle.decrypt(how, key.cipher, sealed.subarray(1)));
  } catch {
    throw new SealBroken();
  }
}

async function cipherOf(key: SealKey, nonce: Bytes, aad: Bytes): Promise<AesGcmParams> {
  const iv = await derived(key.nonces, nonce, none, nonce_bits);
  return { name: 'AES-GCM', iv, additionalData: aad, tagLength: 128 };
}

async function derived(from: CryptoKey, info: Bytes, salt: Bytes, bits: number): Promise<Bytes> {
  const how = { name: 'HKDF', hash: 'SHA-256', salt, info };
  return new Uint8Array(await crypto.subtle.deriveBits(how, from, bits));
}

function aadOf({ workshop, thread, event, kind }: SealContext): Bytes {
  const parts = [workshop, thread ?? none, event, utf8(kind)];
  return concat(...parts.flatMap((part) => [lengthOf(part), part]));
}

function lengthOf(part: Bytes): Bytes {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, part.length);
  return length;
}
