import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';

const secret_bytes = 32;

/** Bytes to base64url without padding, as links and codes carry them. */
export function toBase64Url(bytes: Uint8Array): string {
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/** The bytes of a base64url text, or null when it is none. */
export function fromBase64Url(text: string): Uint8Array | null {
  if (!/^[\w-]*$/.test(text)) return null;
  try {
    const bytes = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    return Uint8Array.from(bytes, (char) => char.charCodeAt(0));
  } catch {
    return null;
  }
}

/**
 * The code that stands for an owner's link at the box: derived from the secret in the link's
 * fragment, which itself never leaves this device. Null when the fragment is not a whole secret
 * (a link cut short by the app it was sent with).
 */
export function codeFromFragment(fragment: string): string | null {
  const secret = fromBase64Url(fragment.replace(/^#/, ''));
  if (secret?.length !== secret_bytes) return null;
  return toBase64Url(hkdf(sha256, secret, new Uint8Array(0), new TextEncoder().encode('auth'), 32));
}
