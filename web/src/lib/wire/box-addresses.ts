/** Where the box is found: `GET /api/box/addresses/`. */
import { bool, list, nullable, object, string, WireError, word } from './guard';

export const announcements = ['off', 'no_network', 'asking', 'announced', 'failed'] as const;
export type Announcement = (typeof announcements)[number];

/** Where a device gets the certificate that it is to trust. */
export interface CertificatePlaces {
  readonly crt: string;
  readonly mobileconfig: string;
}

export interface Secure {
  readonly state: 'off' | 'on' | 'failed';
  readonly url: string | null;
  /** Why it is not so although it was wanted: a sentence. */
  readonly why: string | null;
  /** Of the box's own authority, to compare; null where there is none. */
  readonly fingerprint: string | null;
  readonly certificate: CertificatePlaces | null;
}

export interface Addresses {
  readonly name: string;
  /** Whether another machine has the name that the box was to have. */
  readonly conflict: boolean;
  readonly announcement: Announcement;
  readonly url: string;
  /** Where names do not work, the most useful first. */
  readonly plain: readonly string[];
  readonly secure: Secure;
}

export function readAddresses(value: unknown): Addresses {
  const from = object(value, 'addresses');
  return {
    name: string(from, 'name'),
    conflict: bool(from, 'conflict'),
    announcement: word(from, 'announcement', announcements),
    url: string(from, 'url'),
    plain: list(from, 'plain', plainText),
    secure: readSecure(from['secure']),
  };
}

function plainText(value: unknown): string {
  if (typeof value !== 'string') throw new WireError('an address is not a string');
  return value;
}

function readSecure(value: unknown): Secure {
  const from = object(value, 'secure');
  return {
    state: word(from, 'state', ['off', 'on', 'failed']),
    url: nullable(from, 'url', string),
    why: nullable(from, 'why', string),
    fingerprint: nullable(from, 'fingerprint', string),
    certificate: nullable(from, 'certificate', (of, key) => readPlaces(of[key])),
  };
}

function readPlaces(value: unknown): CertificatePlaces {
  const from = object(value, 'certificate');
  return { crt: string(from, 'crt'), mobileconfig: string(from, 'mobileconfig') };
}
