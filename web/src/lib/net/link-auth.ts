import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { fromBase64Url, toBase64Url } from '$lib/wire/bytes';

const secret_bytes = 32;

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
