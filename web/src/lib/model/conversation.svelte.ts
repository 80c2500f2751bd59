import { SvelteMap } from 'svelte/reactivity';
import type { HelloFrame, HistoryFrame, ReadFrame, Receipt, RedactedFrame } from '$lib/wire/frames';
import type { MessageId } from '$lib/wire/ids';
import type { Delivery, Message, RemovedWhy, Side } from '$lib/wire/things';

/** The unread stretch as it was when the page was opened: after `after`, up to `upTo`. */
export interface UnreadStretch {
  readonly after: number;
  readonly upTo: number;
}

/** Who of the other side has read a message; `at` is null when the exact time is not known. */
export interface ReadBy {
  readonly name: string;
  readonly at: string | null;
}

/** Where to resume from after a break. */
export interface Cursor {
  readonly log: string;
  readonly rev: number;
}

/**
 * The messages of one service request, rising by id, each once, however often and in whatever order
 * they arrive. It also knows who has read up to where and which stretch was unread on opening.
 */
export class Conversation {
  #messages = $state.raw<readonly Message[]>([]);
  #receipts = $state.raw<readonly Receipt[]>([]);
  #helloReceipts = new Set<Receipt>();
  #mySide = $state<Side>('USER');
  #loaded = $state(false);
  #hasOlder = $state(false);
  #unread = $state.raw<UnreadStretch | null>(null);
  #removed = new SvelteMap<MessageId, RemovedWhy>();
  #deliveredUpTo = $state(0);
  /** Shown from what this device kept: what is unread shows once the box has been heard. */
  #restored = false;
  #cursor: Cursor | null = null;
  #hello: Cursor | null = null;

  get messages(): readonly Message[] {
    return this.#messages;
  }

  get mySide(): Side {
    return this.#mySide;
  }

  /** False until the first history has come: time for skeletons. */
  get loaded(): boolean {
    return this.#loaded;
  }

  get hasOlder(): boolean {
    return this.#hasOlder;
  }

  /** What was unread when the page was opened; it does not move afterwards. */
  get unreadOnOpening(): UnreadStretch | null {
    return this.#unread;
  }

  /** Null until there is something to resume from. */
  get cursor(): Cursor | null {
    return this.#cursor;
  }

  /** Up to where my side has read, as far as the box knows. */
  get readUpTo(): number {
    return this.#upTo(this.#mySide);
  }

  /** Whether what is known here is numbered by another log than this one. */
  isOfAnotherLog(log: string): boolean {
    return this.#hello !== null && this.#hello.log !== log;
  }

  hello(frame: HelloFrame): void {
    // Another log counts from elsewhere; its history says how far each message has come.
    if (this.isOfAnotherLog(frame.log)) this.#forgetNumbers();
    this.#hello = { log: frame.log, rev: frame.rev };
    this.#mySide = frame.you.side;
    const news = frame.receipts.filter((receipt) => receipt.up_to > this.#upTo(receipt.side));
    for (const receipt of news) this.#helloReceipts.add(receipt);
    this.#receipts = [...this.#receipts, ...news];
    if (this.#restored && this.#cursor?.log === frame.log) {
      this.#restored = false;
      this.#unread = this.#unreadNow();
    }
  }

  /** Shows what this device kept, before the box has said anything. */
  restore(frame: HistoryFrame): void {
    this.#messages = merge([], frame.messages);
    this.#hasOlder = frame.has_more;
    this.#cursor = this.#hello;
    this.#loaded = true;
    this.#restored = true;
  }

  /** Older messages go in front; anything else replaces what is shown. */
  history(frame: HistoryFrame): void {
    this.#hasOlder = frame.has_more;
    if (frame.before !== null) {
      this.#messages = merge(this.#messages, frame.messages);
      return;
    }
    this.#messages = merge([], frame.messages);
    this.#cursor = this.#hello;
    if (!this.#loaded || this.#restored) this.#unread = this.#unreadNow();
    this.#loaded = true;
    this.#restored = false;
  }

  /** A message off the socket: it also moves the place to resume from. */
  apply(message: Message): void {
    this.#advance(message.rev);
    this.settle(message);
  }

  /** A message from HTTP: shown, but what came before it may still be missing. */
  settle(message: Message): void {
    this.#messages = merge(this.#messages, [message]);
  }

  /** The newest messages from HTTP, for as long as the socket does not open. */
  settleAll(messages: readonly Message[]): void {
    this.#messages = merge(this.#messages, messages);
    this.#loaded = true;
  }

  read(frame: ReadFrame): void {
    this.#advance(frame.rev);
    if (frame.receipt.up_to > this.#upTo(frame.receipt.side)) {
      this.#receipts = [...this.#receipts, frame.receipt];
    }
  }

  redacted(frame: RedactedFrame): void {
    this.#advance(frame.rev);
    this.#removed.set(frame.id, frame.why);
    this.#messages = this.#messages.map((message) =>
      message.id === frame.id
        ? { ...message, content: '', redacted: true, rev: frame.rev }
        : message,
    );
  }

  /** The request itself changed: nothing to show here, but the place to resume from moves. */
  changed(rev: number): void {
    this.#advance(rev);
  }

  /** The workshop's messages up to here are at the relay. */
  delivered(upTo: MessageId): void {
    this.#deliveredUpTo = Math.max(this.#deliveredUpTo, upTo);
  }

  /** My side has read up to here on another device: the line moves below it. */
  readElsewhere(upTo: number): void {
    if (this.#unread === null || upTo <= this.#unread.after) return;
    this.#unread = upTo >= this.#unread.upTo ? null : { ...this.#unread, after: upTo };
  }

  /** How far a message of my side has come. */
  deliveryOf(message: Message): Delivery {
    if (this.readBy(message) !== null) return 'read';
    const there = message.sender_type === 'WORKSHOP' && message.id <= this.#deliveredUpTo;
    return there && message.delivery === 'sent' ? 'delivered' : message.delivery;
  }

  readBy(message: Message): ReadBy | null {
    const reader = this.#receipts.find(
      (receipt) => receipt.side !== message.sender_type && receipt.up_to >= message.id,
    );
    if (reader === undefined) return null;
    // A receipt that was already there on opening says when the newest was read, not the earlier ones.
    const exact = !this.#helloReceipts.has(reader) || this.#isLastCovered(message, reader);
    return { name: reader.name, at: exact ? reader.at : null };
  }

  /** Why a message is gone: its time ran out, or a person removed it. */
  removedWhy(message: Message): RemovedWhy {
    const known = this.#removed.get(message.id) ?? message.removed;
    return known ?? (message.expires_at === null ? 'redacted' : 'expired');
  }

  #forgetNumbers(): void {
    this.#deliveredUpTo = 0;
    this.#receipts = [];
    this.#helloReceipts.clear();
    this.#removed.clear();
    this.#unread = null;
  }

  #isLastCovered(message: Message, by: Receipt): boolean {
    const last = this.#messages.findLast(
      (each) => each.sender_type === message.sender_type && each.id <= by.up_to,
    );
    return last?.id === message.id;
  }

  #unreadNow(): UnreadStretch | null {
    const after = this.#upTo(this.#mySide);
    const last = this.#messages.findLast((message) => message.sender_type !== this.#mySide);
    return last !== undefined && last.id > after ? { after, upTo: last.id } : null;
  }

  #upTo(side: Side): number {
    return this.#receipts.findLast((receipt) => receipt.side === side)?.up_to ?? 0;
  }

  #advance(rev: number): void {
    if (this.#cursor === null || rev <= this.#cursor.rev) return;
    this.#cursor = { log: this.#cursor.log, rev };
  }
}

/** Both lists as one, rising by id, each id once with its newest revision. */
function merge(known: readonly Message[], news: readonly Message[]): readonly Message[] {
  const last = known.at(-1);
  const [first] = news;
  if (news.length === 1 && first !== undefined && (last === undefined || first.id > last.id)) {
    return [...known, first];
  }
  const byId = new Map(known.map((message) => [message.id, message]));
  for (const message of news) {
    const old = byId.get(message.id);
    if (old === undefined || old.rev <= message.rev) byId.set(message.id, message);
  }
  return [...byId.values()].sort((a, b) => a.id - b.id);
}
