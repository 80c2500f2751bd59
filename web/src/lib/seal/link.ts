/**
 * What comes of an owner's link: the page's side of `src/seal/{invite,thread}.rs`.
 *
 * The secret is what follows `#`. It opens the socket (`auth`), unwraps the thread's keys, and takes
 * part in the key of everything the owner writes: whoever held another link can forge nothing here.
 */
import { concat, fromBase64Url, toBase64Url, utf8, uuidBytes, type Bytes } from '$lib/wire/bytes';
import { derivable, hkdf, openWith, sealKey, type SealKey } from './key';

/** The keys of one epoch of a thread, as one link's holder has them. */
export interface ThreadKeys {
  readonly epoch: number;
  /** Opens journal entries. */
  readonly journal: SealKey;
  /** Seals what this link's holder sends. */
  readonly post: SealKey;
}

const secret_bytes = 32;
const id_bytes = 16;

/** A link's secret, ready to derive from. */
export interface LinkSecret {
  readonly invite: Bytes;
  readonly secret: CryptoKey;
}

/** The UUID of a link, whose path carries its 16 bytes as base64url; null when it is none. */
export function inviteUuid(invite: string): string | null {
  const bytes = fromBase64Url(invite);
  if (bytes?.length !== id_bytes) return null;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Reads a link's two parts; null when one of them is cut short. */
export async function readLink(invite: string, fragment: string): Promise<LinkSecret | null> {
  const uuid = inviteUuid(invite);
  const secret = fromBase64Url(fragment.replace(/^#/, ''));
  if (uuid === null || secret?.length !== secret_bytes) return null;
  return { invite: uuidBytes(uuid), secret: await derivable(secret) };
}

/** What is shown to the relay to open the socket; the secret cannot be found from it. */
export async function authOf(link: LinkSecret): Promise<string> {
  return toBase64Url(await hkdf(link.secret, utf8('auth')));
}

/** The keys in a wrapped thread key; throws `SealBroken` when it is not this link's. */
export async function unwrap(link: LinkSecret, epoch: number, wrapped: Bytes): Promise<ThreadKeys> {
  const wrap = await sealKey(await hkdf(link.secret, utf8('wrap')));
  const number = epochBytes(epoch);
  const threadKey = await openWith(
    wrap,
    concat(utf8('nonce'), link.invite, number),
    concat(utf8('motoreach-wrap-1'), link.invite, number),
    wrapped,
  );
  return threadKeys(link, epoch, threadKey);
}

/** Both directions' keys from a thread key, which is wiped. */
async function threadKeys(link: LinkSecret, epoch: number, key: Bytes): Promise<ThreadKeys> {
  const thread = await derivable(key);
  key.fill(0);
  const journal = await sealKey(await hkdf(thread, utf8('journal')));
  const salt = await hkdf(thread, utf8('post'));
  const info = concat(utf8('post'), link.invite);
  const post = await sealKey(await hkdf(link.secret, info, salt));
  salt.fill(0);
  return { epoch, journal, post };
}

function epochBytes(epoch: number): Bytes {
  const bytes = new Uint8Array(2);
  new DataView(bytes.buffer).setUint16(0, epoch);
  return bytes;
}
