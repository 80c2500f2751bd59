/** The frames of `motoreach-owner.v1`: what an owner's page and the relay say (`src/wire/owner.rs`). */
import { fromBase64Url, type Bytes } from './bytes';
import { bool, int, list, nullable, object, string, word, WireError, type Json } from './guard';

/** The subprotocol of an owner's socket at the relay. */
export const ownerProtocol = 'motoreach-owner.v1';

/** One journal entry; the body is null once erased or trimmed. */
export interface OwnerEntry {
  readonly seq: number;
  readonly id: string;
  readonly kind: string;
  /** An owner wrote it; it shows also when the words are gone. */
  readonly from_owner: boolean;
  readonly epoch: number;
  readonly body: Bytes | null;
}

export interface OwnerWrap {
  readonly epoch: number;
  readonly wrapped: Bytes;
}

const goneWhys = ['revoked', 'expired', 'invalid'] as const;
/** Why a link opens nothing (any more). */
export type GoneWhy = (typeof goneWhys)[number];

const moments = ['online', 'offline', 'typing'] as const;

export interface RelayHello {
  readonly type: 'hello';
  readonly workshop: string;
  readonly thread: string;
  readonly log: string | null;
  readonly head: number;
  /** Where the entries that follow begin: what the page has, or 0. */
  readonly from: number;
  readonly workshop_online: boolean;
  readonly offline_since: string | null;
  readonly expires_at: string;
  readonly wraps: readonly OwnerWrap[];
  readonly vapid: string;
  readonly doors: readonly string[];
  /** The relay's time: how long ago something was must not depend on this phone's clock. */
  readonly now: string;
}

export interface RelayEntries {
  readonly type: 'entries';
  readonly log: string | null;
  readonly head: number;
  readonly entries: readonly OwnerEntry[];
  readonly more: boolean;
}

export type RelayFrame =
  | RelayHello
  | RelayEntries
  | { readonly type: 'wraps'; readonly wraps: readonly OwnerWrap[] }
  | { readonly type: 'stored'; readonly id: string }
  | { readonly type: 'refused'; readonly id: string; readonly why: string }
  | {
      readonly type: 'presence';
      readonly workshop_online: boolean;
      readonly offline_since: string | null;
    }
  | { readonly type: 'moment'; readonly what: (typeof moments)[number] }
  | { readonly type: 'seen'; readonly up_to: number }
  | {
      readonly type: 'error';
      readonly code: string;
      readonly detail: string;
      readonly id: string | null;
      readonly retry_after_s: number | null;
    }
  | { readonly type: 'gone'; readonly why: GoneWhy }
  | { readonly type: 'pong' };

export type OwnerFrame =
  | {
      readonly type: 'auth';
      readonly auth: string;
      readonly device: string;
      readonly log: string | null;
      readonly after: number;
    }
  | {
      readonly type: 'post';
      readonly id: string;
      readonly kind: string;
      readonly epoch: number;
      readonly sealed: string;
    }
  | { readonly type: 'typing' }
  | {
      readonly type: 'push.subscribe';
      readonly endpoint: string;
      readonly p256dh: string;
      readonly auth: string;
    }
  | { readonly type: 'push.unsubscribe'; readonly endpoint: string }
  | { readonly type: 'push.test'; readonly endpoint: string }
  | { readonly type: 'seen'; readonly up_to: number }
  | { readonly type: 'ping' };

function bytes(from: Json, key: string): Bytes {
  const read = fromBase64Url(string(from, key));
  if (read === null) throw new WireError(`${key} is not base64url`);
  return read;
}

function readEntry(value: unknown): OwnerEntry {
  const from = object(value, 'entry');
  return {
    seq: int(from, 'seq'),
    id: string(from, 'id'),
    kind: string(from, 'kind'),
    from_owner: bool(from, 'from_owner'),
    epoch: int(from, 'epoch'),
    body: nullable(from, 'body', bytes),
  };
}

function readWrap(value: unknown): OwnerWrap {
  const from = object(value, 'wrap');
  return { epoch: int(from, 'epoch'), wrapped: bytes(from, 'wrapped') };
}

const text = (value: unknown) => string({ value }, 'value');

const readers: Record<string, (from: Json) => RelayFrame> = {
  hello: (from) => ({
    type: 'hello',
    workshop: string(from, 'workshop'),
    thread: string(from, 'thread'),
    log: nullable(from, 'log', string),
    head: int(from, 'head'),
    from: int(from, 'from'),
    workshop_online: bool(from, 'workshop_online'),
    offline_since: nullable(from, 'offline_since', string),
    expires_at: string(from, 'expires_at'),
    wraps: list(from, 'wraps', readWrap),
    vapid: string(from, 'vapid'),
    doors: list(from, 'doors', text),
    now: string(from, 'now'),
  }),
  entries: (from) => ({
    type: 'entries',
    log: nullable(from, 'log', string),
    head: int(from, 'head'),
    entries: list(from, 'entries', readEntry),
    more: bool(from, 'more'),
  }),
  wraps: (from) => ({ type: 'wraps', wraps: list(from, 'wraps', readWrap) }),
  stored: (from) => ({ type: 'stored', id: string(from, 'id') }),
  refused: (from) => ({ type: 'refused', id: string(from, 'id'), why: string(from, 'why') }),
  presence: (from) => ({
    type: 'presence',
    workshop_online: bool(from, 'workshop_online'),
    offline_since: nullable(from, 'offline_since', string),
  }),
  moment: (from) => ({ type: 'moment', what: word(from, 'what', moments) }),
  seen: (from) => ({ type: 'seen', up_to: int(from, 'up_to') }),
  error: (from) => ({
    type: 'error',
    code: string(from, 'code'),
    detail: string(from, 'detail'),
    id: nullable(from, 'id', string),
    retry_after_s: nullable(from, 'retry_after_s', int),
  }),
  gone: (from) => ({ type: 'gone', why: word(from, 'why', goneWhys) }),
  pong: () => ({ type: 'pong' }),
};

/**
 * The frame in `text`, or null when its type is not known here (an old page, a new relay).
 *
 * Throws {@link WireError} for what is not JSON or not what its type promises.
 */
export function decodeRelay(text: string): RelayFrame | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new WireError('not JSON');
  }
  const from = object(value, 'frame');
  const type = string(from, 'type');
  return Object.hasOwn(readers, type) ? (readers[type]?.(from) ?? null) : null;
}
