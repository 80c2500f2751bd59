/**
 * A conversation as its opened journal entries tell it: what `motoreach.v1` frames would have said.
 *
 * The box folds the same entries into its tables; here they are folded into frames, so that room,
 * conversation and components need not know which door they were opened at. Pure: entries in, frames
 * out, the same whenever and however often it is run.
 */
import type { Json } from '$lib/wire/guard';
import type { ServiceRequest, Side, Status } from '$lib/wire/things';
import { statuses } from '$lib/wire/things';

/** One journal entry, opened. */
export interface OpenedEntry {
  readonly seq: number;
  readonly id: string;
  readonly kind: string;
  readonly from_owner: boolean;
  readonly at_ms: number;
  /** Null when the body is gone (erased, trimmed) or does not open. */
  readonly json: Json | null;
  readonly broken: boolean;
}

/** A frame of `motoreach.v1`, as it stands in the text of a socket. */
export type FrameJson = Readonly<Record<string, unknown>> & { readonly type: string };

interface MessageJson {
  readonly id: number;
  readonly client_id: string;
  readonly sender_type: Side;
  readonly content: string;
  readonly expires_at: string | null;
  readonly author_name: string;
  readonly redacted: boolean;
  readonly removed: string | null;
  readonly [field: string]: unknown;
}

interface ReceiptJson {
  readonly side: Side;
  readonly name: string;
  readonly up_to: number;
  readonly at: string;
}

const excerpt_chars_max = 120;
const no_request: ServiceRequest = {
  id: 0 as ServiceRequest['id'],
  status: 'CREATED',
  allowed_statuses: [],
  description: '',
  vehicle: { plate: '', make: null, model: null, year: null },
  customer: { id: 0 as ServiceRequest['customer']['id'], full_name: '', phone: null },
  workshop: { id: 1, name: '' },
  assigned_to: null,
  unread_count: 0,
  last_message: null,
  created_at: '',
  updated_at: '',
};

export class SealedThread {
  #entries: OpenedEntry[] = [];
  #seqs = new Map<string, number>();
  #messages = new Map<number, MessageJson>();
  #receipts: ReceiptJson[] = [];
  #request: ServiceRequest = no_request;
  #lastAt = 0;

  /** The last entry that is in it; 0 before the first. */
  get rev(): number {
    return this.#entries.at(-1)?.seq ?? 0;
  }

  get request(): ServiceRequest {
    return this.#request;
  }

  has(id: string): boolean {
    return this.#seqs.has(id);
  }

  /** The id of the newest of the workshop's messages up to here; null when there is none. */
  workshopMessageUpTo(seq: number): { readonly id: string; readonly seq: number } | null {
    const found = [...this.#messages.values()].findLast(
      (each) => each.id <= seq && each.sender_type === 'WORKSHOP',
    );
    return found === undefined ? null : { id: found.client_id, seq: found.id };
  }

  /** Another incarnation of the journal follows, from its beginning. */
  startOver(): void {
    this.#entries = [];
    this.#seqs.clear();
    this.#messages.clear();
    this.#receipts = [];
    this.#request = no_request;
  }

  /** Takes the next entries; what is not newer than the last one is passed over. */
  apply(entries: readonly OpenedEntry[]): void {
    for (const entry of entries) {
      if (entry.seq <= this.rev) continue;
      this.#entries.push(entry);
      this.#seqs.set(entry.id, entry.seq);
      this.#fold(entry);
    }
  }

  /** This phone has read up to here; the journal will say so once the workshop has heard of it. */
  noteRead(id: string, at_ms: number): void {
    this.#read('USER', this.#request.customer.full_name, id, at_ms);
  }

  hello(log: string | null, workshop_online: boolean): FrameJson {
    const { full_name } = this.#request.customer;
    return {
      type: 'chat.hello',
      log: log ?? '',
      rev: this.rev,
      you: { id: 0, full_name, role: 'user', side: 'USER' },
      peers: [],
      workshop_online,
      receipts: this.#receipts,
      request: this.#request,
    };
  }

  /** The newest messages, or the newest before one. */
  history(limit: number, before: number | null): FrameJson {
    const all = [...this.#messages.values()];
    const upTo = before === null ? all : all.filter((each) => each.id < before);
    const messages = upTo.slice(-limit).map((each) => this.#shown(each));
    return { type: 'chat.history', messages, has_more: upTo.length > messages.length, before };
  }

  /** What happened after `rev`, in its order. */
  framesAfter(rev: number): readonly FrameJson[] {
    const first = this.#entries.findIndex((entry) => entry.seq > rev);
    if (first === -1) return [];
    return this.#entries
      .slice(first)
      .map((entry) => this.#frameOf(entry))
      .filter((frame) => frame !== null);
  }

  // --- folding ------------------------------------------------------------------------------

  #fold(entry: OpenedEntry): void {
    const { seq, json } = entry;
    // With the words the time is gone too: that of the entry before is near enough.
    const at_ms = json === null ? this.#lastAt : entry.at_ms;
    this.#lastAt = at_ms;
    switch (entry.kind) {
      case 'request_opened':
        this.#opened(json, at_ms);
        break;
      case 'status_changed':
        this.#change({ status: statusIn(json) ?? this.#request.status }, at_ms);
        break;
      case 'request_described':
        this.#change({ description: text(json, 'description') ?? '' }, at_ms);
        break;
      case 'message_posted':
        this.#messages.set(seq, this.#message(entry));
        break;
      case 'messages_read': {
        const side = sideIn(json);
        this.#read(side, text(json, 'by') ?? '', text(json, 'up_to') ?? '', at_ms);
        break;
      }
      case 'message_redacted':
        this.#remove(text(json, 'message'), 'redacted');
        break;
      case 'message_expired':
        this.#remove(text(json, 'message'), 'expired');
        break;
      case 'event_erased':
        this.#remove(text(json, 'event'), 'forgotten');
        break;
    }
  }

  #opened(json: Json | null, at_ms: number): void {
    const { workshop, customer } = no_request;
    const vehicle = {
      plate: text(json, 'plate') ?? '',
      make: text(json, 'make'),
      model: text(json, 'model'),
      year: number(json, 'year'),
    };
    this.#request = {
      ...no_request,
      id: (number(json, 'number') ?? 0) as ServiceRequest['id'],
      description: text(json, 'description') ?? '',
      vehicle,
      customer: { ...customer, full_name: text(json, 'owner_name') ?? '' },
      workshop: { ...workshop, name: text(json, 'workshop') ?? '' },
      created_at: iso(at_ms),
      updated_at: iso(at_ms),
    };
  }

  #change(to: Partial<ServiceRequest>, at_ms: number): void {
    this.#request = { ...this.#request, ...to, updated_at: iso(at_ms) };
  }

  #message({ seq, id, from_owner, json, broken }: OpenedEntry): MessageJson {
    // Only where the words are gone is the relay asked whose they were: it could say anything.
    const sender_type = json !== null ? sideIn(json) : from_owner ? 'USER' : 'WORKSHOP';
    const expires = number(json, 'expires_ms');
    const from = text(json, 'from') ?? '';
    const { workshop } = this.#request;
    // What the workshop calls itself today.
    if (sender_type === 'WORKSHOP' && from !== '' && from !== workshop.name) {
      this.#request = { ...this.#request, workshop: { ...workshop, name: from } };
    }
    return {
      id: seq,
      service_request_id: this.#request.id,
      sender_type,
      sender_name: from,
      content: text(json, 'content') ?? '',
      created_at: iso(this.#lastAt),
      client_id: id,
      rev: seq,
      author_name: text(json, 'by') ?? from,
      author_id: null,
      quotes: text(json, 'reply_to'),
      expires_at: expires === null ? null : iso(expires),
      // It is in the journal, which only the workshop's box writes.
      delivery: 'delivered',
      redacted: json === null,
      // Until an entry further on says that somebody removed it.
      removed: json === null ? (broken ? 'unopened' : 'trimmed') : null,
      damaged: false,
    };
  }

  #read(side: Side, name: string, upTo: string, at_ms: number): void {
    const up_to = this.#seqs.get(upTo) ?? 0;
    const known = this.#receipts.find((each) => each.side === side)?.up_to ?? 0;
    if (up_to <= known) return;
    const others = this.#receipts.filter((each) => each.side !== side);
    this.#receipts = [...others, { side, name, up_to, at: iso(at_ms) }];
  }

  #remove(id: string | null, removed: string): void {
    const seq = this.#seqs.get(id ?? '');
    const message = seq === undefined ? undefined : this.#messages.get(seq);
    if (seq === undefined || message === undefined) return;
    this.#messages.set(seq, { ...message, content: '', redacted: true, removed });
  }

  // --- showing ------------------------------------------------------------------------------

  #frameOf(entry: OpenedEntry): FrameJson | null {
    const rev = entry.seq;
    switch (entry.kind) {
      case 'message_posted': {
        const message = this.#messages.get(rev);
        return message === undefined ? null : { type: 'chat.message', ...this.#shown(message) };
      }
      case 'messages_read': {
        const up_to = this.#seqs.get(text(entry.json, 'up_to') ?? '');
        if (up_to === undefined) return null;
        const name = text(entry.json, 'by') ?? '';
        const side = sideIn(entry.json);
        return { type: 'chat.read', side, name, up_to, at: iso(entry.at_ms), rev };
      }
      case 'message_redacted':
      case 'message_expired': {
        const id = this.#seqs.get(text(entry.json, 'message') ?? '');
        if (id === undefined) return null;
        const why = entry.kind === 'message_expired' ? 'expired' : 'redacted';
        return { type: 'chat.redacted', id, rev, by: text(entry.json, 'by'), why };
      }
      case 'event_erased': {
        const id = this.#seqs.get(text(entry.json, 'event') ?? '');
        if (id === undefined || !this.#messages.has(id)) return null;
        return { type: 'chat.redacted', id, rev, by: null, why: 'forgotten' };
      }
      case 'request_opened':
      case 'status_changed':
      case 'request_described':
        return { type: 'chat.changed', what: entry.kind, rev, request: this.#request };
      default:
        return null;
    }
  }

  #shown({ quotes, ...message }: MessageJson): Readonly<Record<string, unknown>> {
    return { ...message, reply_to: this.quote(typeof quotes === 'string' ? quotes : null) };
  }

  /** A message's first words, for an answer to it; null when it is not here. */
  quote(id: string | null): { id: number; author_name: string; excerpt: string } | null {
    const message = this.#messages.get(this.#seqs.get(id ?? '') ?? 0);
    if (message === undefined) return null;
    const chars = Array.from(message.content);
    const excerpt =
      chars.length > excerpt_chars_max
        ? `${chars.slice(0, excerpt_chars_max).join('')}…`
        : message.content;
    return { id: message.id, author_name: message.author_name, excerpt };
  }

  /** The id that a message has in the journal. */
  idOf(seq: number): string | null {
    return this.#messages.get(seq)?.client_id ?? null;
  }
}

const iso = (ms: number) => new Date(ms).toISOString();

function text(json: Json | null, key: string): string | null {
  const value = json?.[key];
  return typeof value === 'string' ? value : null;
}

function number(json: Json | null, key: string): number | null {
  const value = json?.[key];
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : null;
}

/** Who cannot be told from the owner is the workshop: its words are never shown as the owner's. */
const sideIn = (json: Json | null): Side => (text(json, 'side') === 'user' ? 'USER' : 'WORKSHOP');

function statusIn(json: Json | null): Status | null {
  const word = text(json, 'status');
  return statuses.find((each) => each === word) ?? null;
}
