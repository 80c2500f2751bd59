import { clientId, messageId, requestId, type ClientId, type RequestId } from '$lib/wire/ids';
import type { Quote } from '$lib/wire/things';
import type { Storage } from './storage';

/** Why the box will never take a message as it is. */
export interface Failure {
  readonly code: string;
  readonly detail: string;
}

/** A message of ours that the box has not confirmed yet. */
export interface Pending {
  readonly client_id: ClientId;
  readonly content: string;
  readonly reply_to: Quote | null;
  readonly created_at: string;
  readonly failure: Failure | null;
  /** The box has committed it; the message itself is about to appear in the conversation. */
  readonly acknowledged: boolean;
  /** When the relay had it on disk, on its way to the workshop; null at the box's own door. */
  readonly stored_at: string | null;
}

/** What a room asks of an outbox, wherever it is kept. */
export type RoomOutbox = Pick<Outbox, keyof Outbox>;

/** Refusals that pass by themselves: the message stays pending and is offered again. */
const passing = new Set([
  'rate_limited',
  'disk_full',
  'storage_failing',
  'network',
  'busy',
  'internal',
  'too_slow',
  'unavailable',
  'starting',
  'stopping',
  'not_signed_in',
  'unauthorized',
  'signed_out',
  'unknown',
]);

/** Whether a refusal with this code is for good. */
export function isPermanent(code: string): boolean {
  return !passing.has(code);
}

const prefix = 'motoreach.outbox';

/**
 * What was written for one request and not yet confirmed, in the order it was written; kept in
 * storage, each message under its own key, so that two tabs never overwrite one another's.
 */
export class Outbox {
  readonly #storage: Storage;
  readonly #prefix: string;
  readonly #newId: () => string;
  readonly #now: () => number;
  #items = $state.raw<readonly Pending[]>([]);

  /** `owner` keeps people apart who share a tablet: nobody sends in another's name. */
  constructor(
    storage: Storage,
    owner: string,
    request: RequestId,
    newId: () => string,
    now: () => number,
  ) {
    this.#storage = storage;
    this.#prefix = `${prefix}.${owner}.${request}.`;
    this.#newId = newId;
    this.#now = now;
    this.#items = storage
      .keys(this.#prefix)
      .map((key) => parse(storage.read(key)))
      .filter((item) => item !== null)
      // Version 7 UUIDs: their order is the order of writing.
      .sort((a, b) => (a.client_id < b.client_id ? -1 : 1));
  }

  get items(): readonly Pending[] {
    return this.#items;
  }

  /** The next one to offer to the box, or null when all are confirmed or refused. */
  get next(): Pending | null {
    return this.#items.find((item) => item.failure === null && !item.acknowledged) ?? null;
  }

  add(content: string, reply_to: Quote | null): Pending {
    const item: Pending = {
      client_id: clientId(this.#newId()),
      content,
      reply_to,
      created_at: new Date(this.#now()).toISOString(),
      failure: null,
      acknowledged: false,
      stored_at: null,
    };
    this.#write(item);
    this.#items = [...this.#items, item];
    return item;
  }

  /** The box has it on disk: forgotten in storage, shown until the message itself is there. */
  acknowledge(id: ClientId): void {
    this.#storage.remove(this.#prefix + id);
    this.#change(id, (item) => ({ ...item, acknowledged: true }));
  }

  /** The message is in the conversation. */
  confirm(id: ClientId): void {
    if (!this.#items.some((item) => item.client_id === id)) return;
    this.#storage.remove(this.#prefix + id);
    this.#items = this.#items.filter((item) => item.client_id !== id);
  }

  /** A fresh history was loaded: what was acknowledged is in it or further back. */
  dropAcknowledged(): void {
    if (this.#items.some((item) => item.acknowledged)) {
      this.#items = this.#items.filter((item) => !item.acknowledged);
    }
  }

  fail(id: ClientId, failure: Failure): void {
    this.#change(id, (item) => ({ ...item, failure }));
    this.#writeAgain(id);
  }

  /** Offers a refused one again, under the same id. */
  retry(id: ClientId): void {
    this.#change(id, (item) => ({ ...item, failure: null }));
    this.#writeAgain(id);
  }

  /** The person gave it up. */
  discard(id: ClientId): void {
    this.confirm(id);
  }

  #change(id: ClientId, to: (item: Pending) => Pending): void {
    this.#items = this.#items.map((item) => (item.client_id === id ? to(item) : item));
  }

  #writeAgain(id: ClientId): void {
    const item = this.#items.find((each) => each.client_id === id);
    if (item !== undefined) this.#write(item);
  }

  #write(item: Pending): void {
    this.#storage.write(this.#prefix + item.client_id, JSON.stringify(item));
  }
}

/** The requests for which this person has something unsent on this device. */
export function requestsWithUnsent(storage: Storage, owner: string): readonly RequestId[] {
  const start = `${prefix}.${owner}.`;
  const ids = storage.keys(start).map((key) => Number(key.slice(start.length).split('.')[0]));
  return [...new Set(ids)].filter(Number.isSafeInteger).map(requestId);
}

/** An entry of an older page or a broken one is skipped, not fatal. */
function parse(text: string | null): Pending | null {
  try {
    const item = JSON.parse(text ?? 'null') as Partial<Pending> | null;
    if (typeof item?.client_id !== 'string' || typeof item.content !== 'string') return null;
    const quote = item.reply_to ?? null;
    return {
      client_id: item.client_id,
      content: item.content,
      reply_to: quote === null ? null : { ...quote, id: messageId(Number(quote.id)) },
      created_at: item.created_at ?? '',
      failure: item.failure ?? null,
      acknowledged: false,
      stored_at: null,
    };
  } catch {
    return null;
  }
}
