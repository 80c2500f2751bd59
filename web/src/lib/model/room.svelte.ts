import { ApiError, type Api } from '$lib/net/api';
import type { Clock } from '$lib/net/clock';
import { Connection, type ConnectionState } from '$lib/net/connection';
import type { OpenSocket } from '$lib/net/socket';
import type { HelloFrame, HistoryFrame, Peer, ServerFrame } from '$lib/wire/frames';
import type { ClientId, MessageId, RequestId } from '$lib/wire/ids';
import type { Message, Quote, ServiceRequest, Side, User } from '$lib/wire/things';
import { Conversation } from './conversation.svelte';
import { isPermanent, type Failure, type RoomOutbox } from './outbox.svelte';
import { timeline } from './timeline';

export type { ConnectionState } from '$lib/net/connection';

export interface RoomParts {
  /** What opens the socket. */
  readonly api: Pick<Api, 'renew' | 'wsTicket'>;
  /** The way round a network that lets no socket through; null at a door that has none. */
  readonly http: Pick<Api, 'postMessage' | 'newestMessages'> | null;
  readonly open: OpenSocket;
  readonly clock: Clock;
  readonly random: () => number;
  readonly outbox: RoomOutbox;
  /** Where the socket leads; the box itself, if nothing is said. */
  readonly door?: 'box' | 'relay';
  /** Older messages that are on this device; without it the box is asked for them. */
  readonly older?: (before: MessageId, limit: number) => HistoryFrame;
  /** The request or its newest message changed, for lists that show it too. */
  readonly onRequest?: (request: ServiceRequest) => void;
  readonly onMessage?: (message: Message) => void;
  /** Credentials were refused for good. */
  readonly onRefused?: (state: ConnectionState) => void;
}

const ack_ms_max = 15_000;
const typing_send_ms = 3_000;
const typing_shown_ms = 5_000;
const read_delay_ms = 250;
const hold_ms_first = 2_000;
const hold_ms_max = 30_000;
const page_messages = 50;

/**
 * One service request's chat while it is open: the conversation, what waits to be sent, who is there
 * and typing. Its verbs work offline too; what they start is finished once the box is back.
 */
export class Room {
  readonly id: RequestId;
  readonly conversation = new Conversation();
  readonly outbox: RoomOutbox;
  readonly door: 'box' | 'relay';
  readonly #parts: RoomParts;
  readonly #connection: Connection;
  #state = $state.raw<ConnectionState>({ at: 'idle' });
  #request = $state.raw<ServiceRequest | null>(null);
  #you = $state.raw<User | null>(null);
  #peers = $state.raw<readonly Peer[]>([]);
  #workshopOnline = $state(false);
  #typing = $state.raw<readonly Peer[]>([]);
  #loadingOlder = $state(false);
  #refusal = $state.raw<Failure | null>(null);
  readonly timeline = $derived.by(() =>
    timeline(this.conversation.messages, this.outbox.items, this.conversation.unreadOnOpening),
  );

  #inFlight: ClientId | null = null;
  #cancelAckTimer: () => void = () => undefined;
  #cancelHold: () => void = () => undefined;
  #held = false;
  #holdMs = hold_ms_first;
  #posting = false;
  #seenUpTo = 0;
  #readScheduled = false;
  #typingSentAt = 0;
  #typingTimers = new Map<string, () => void>();

  constructor(id: RequestId, parts: RoomParts) {
    this.id = id;
    this.#parts = parts;
    this.outbox = parts.outbox;
    this.door = parts.door ?? 'box';
    this.#connection = new Connection({
      open: parts.open,
      clock: parts.clock,
      random: parts.random,
      ticket: async (how) => {
        if (how === 'renew') await parts.api.renew();
        return parts.api.wsTicket();
      },
      hasHttp: parts.http !== null,
      path: (ticket) => this.#path(ticket),
      frame: (frame) => {
        this.#received(frame);
      },
      changed: (state) => {
        this.#changed(state);
      },
    });
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Null until the box has said hello. */
  get request(): ServiceRequest | null {
    return this.#request;
  }

  get you(): User | null {
    return this.#you;
  }

  get typing(): readonly Peer[] {
    return this.#typing;
  }

  get loadingOlder(): boolean {
    return this.#loadingOlder;
  }

  /** The last refusal that belongs to no message (a removal that came too late). */
  get refusal(): Failure | null {
    return this.#refusal;
  }

  get connection(): Connection {
    return this.#connection;
  }

  isOnline(side: Side): boolean {
    if (this.#state.at !== 'live') return false;
    const here = this.#peers.some((peer) => peer.side === side);
    return side === 'WORKSHOP' ? here || this.#workshopOnline : here;
  }

  open(): void {
    this.#connection.start();
  }

  /** Shows what is known from earlier, before (or without) a line to the box. */
  restore(hello: HelloFrame, history: HistoryFrame): void {
    this.#greeted(hello);
    this.conversation.restore(history);
  }

  close(): void {
    this.#connection.stop();
    this.#cancelHold();
    for (const cancel of this.#typingTimers.values()) cancel();
  }

  retryNow(): void {
    this.#connection.retryNow();
  }

  /** Shown at once, sent as soon as it can be. Empty text is ignored, as the box does. */
  send(content: string, reply_to: Quote | null): void {
    const trimmed = content.trim();
    if (trimmed === '') return;
    this.outbox.add(trimmed, reply_to);
    this.#typingSentAt = 0;
    this.#pump();
  }

  retry(id: ClientId): void {
    this.outbox.retry(id);
    this.#held = false;
    this.#connection.retryNow();
    this.#pump();
  }

  discard(id: ClientId): void {
    if (this.#inFlight === id) this.#landed();
    this.outbox.discard(id);
    this.#pump();
  }

  /** A person is typing; told to the others at most every 3 s. */
  typed(): void {
    const now = this.#parts.clock.now();
    if (now - this.#typingSentAt < typing_send_ms) return;
    if (this.#connection.send({ type: 'chat.typing' })) this.#typingSentAt = now;
  }

  /** Everything up to this message was really before a person's eyes. */
  seen(upTo: MessageId): void {
    if (upTo <= this.#seenUpTo) return;
    this.#seenUpTo = upTo;
    if (this.#readScheduled) return;
    this.#readScheduled = true;
    this.#parts.clock.after(read_delay_ms, () => {
      this.#readScheduled = false;
      this.#sendRead();
    });
  }

  loadOlder(): void {
    const first = this.conversation.messages[0];
    if (first === undefined || !this.conversation.hasOlder || this.#loadingOlder) return;
    if (this.#parts.older !== undefined) {
      this.conversation.history(this.#parts.older(first.id, page_messages));
      return;
    }
    this.#loadingOlder = this.#connection.send({
      type: 'chat.history',
      before: first.id,
      limit: page_messages,
    });
  }

  redact(id: MessageId): void {
    this.#refusal = null;
    this.#connection.send({ type: 'chat.redact', id });
  }

  /** A newer state of the request, learned elsewhere. */
  showRequest(request: ServiceRequest): void {
    this.#request = request;
  }

  #path(ticket: string): string {
    const query = new URLSearchParams({ token: ticket });
    const cursor = this.conversation.cursor;
    if (cursor !== null) {
      query.set('after', String(cursor.rev));
      query.set('log', cursor.log);
    }
    return `/ws/service-chat/${this.id}/?${query.toString()}`;
  }

  #received(frame: ServerFrame): void {
    switch (frame.type) {
      case 'chat.hello':
        // Another journal numbers its messages anew.
        if (this.conversation.isOfAnotherLog(frame.log)) this.#seenUpTo = 0;
        this.#greeted(frame);
        break;
      case 'chat.history':
        if (frame.before === null) this.outbox.dropAcknowledged();
        this.conversation.history(frame);
        for (const message of frame.messages) this.outbox.confirm(message.client_id);
        this.#loadingOlder = false;
        break;
      case 'chat.message':
        this.#arrived(frame.message);
        break;
      case 'chat.ack':
        if (this.conversation.messages.some((message) => message.client_id === frame.client_id)) {
          this.outbox.confirm(frame.client_id);
        } else {
          this.outbox.acknowledge(frame.client_id);
        }
        this.#holdMs = hold_ms_first;
        if (this.#inFlight === frame.client_id) this.#landed();
        this.#pump();
        break;
      case 'chat.read':
        this.conversation.read(frame);
        break;
      case 'chat.typing':
        this.#showTyping({ name: frame.name, side: frame.side });
        break;
      case 'chat.presence':
        this.#presence(frame.side, frame.name, frame.online);
        break;
      case 'chat.redacted':
        this.conversation.redacted(frame);
        break;
      case 'chat.changed':
        this.conversation.changed(frame.rev);
        this.#setRequest(frame.request);
        break;
      case 'chat.error':
        this.#errored(frame.client_id, frame.code, frame.detail);
        break;
      case 'chat.delivered':
        this.conversation.delivered(frame.up_to);
        break;
      case 'notification.message':
      case 'requests.changed':
      case 'link.state':
        break;
    }
  }

  #greeted(frame: HelloFrame): void {
    this.conversation.hello(frame);
    this.#you = frame.you;
    this.#peers = frame.peers;
    this.#workshopOnline = frame.workshop_online;
    this.#setRequest(frame.request);
  }

  #arrived(message: Message): void {
    this.conversation.apply(message);
    this.outbox.confirm(message.client_id);
    this.#stopTyping(message.author_name);
    // The relay does not say who of the workshop types.
    this.#stopTyping(message.sender_name);
    this.#parts.onMessage?.(message);
    if (this.#inFlight === message.client_id) this.#landed();
    this.#pump();
  }

  #setRequest(request: ServiceRequest): void {
    this.#request = request;
    this.#parts.onRequest?.(request);
  }

  #changed(state: ConnectionState): void {
    this.#state = state;
    if (state.at === 'live') {
      this.#sendRead();
      this.#held = false;
      this.#pump();
      return;
    }
    this.#landed();
    this.#loadingOlder = false;
    this.#peers = [];
    this.#typing = [];
    if (state.at === 'refused') this.#parts.onRefused?.(state);
    // The box answers but the socket does not open (a proxy in between): HTTP carries on.
    if (state.at === 'waiting' && state.reached === 'http' && state.attempt > 1)
      void this.#overHttp();
  }

  /** One at a time: the next is offered when the box has the one before, so their order holds. */
  #pump(): void {
    const next = this.outbox.next;
    if (next === null || this.#inFlight !== null || this.#held) return;
    const sent = this.#connection.send({
      type: 'chat.message',
      client_id: next.client_id,
      content: next.content,
      ...(next.reply_to === null ? {} : { reply_to: next.reply_to.id }),
    });
    if (!sent) return;
    this.#inFlight = next.client_id;
    // No answer in 15 s: the line is dead without knowing it.
    this.#cancelAckTimer = this.#parts.clock.after(ack_ms_max, () => {
      this.#connection.reconnect();
    });
  }

  #landed(): void {
    this.#inFlight = null;
    this.#cancelAckTimer();
  }

  #errored(id: ClientId | null, code: string, detail: string): void {
    this.#loadingOlder = false;
    if (id === null) {
      this.#refusal = { code, detail };
      return;
    }
    if (this.#inFlight === id) this.#landed();
    if (isPermanent(code)) this.outbox.fail(id, { code, detail });
    else this.#hold();
    this.#pump();
  }

  /** The box is full or we were too fast: offered again after a while, nothing overtakes. */
  #hold(): void {
    this.#held = true;
    this.#cancelHold();
    this.#cancelHold = this.#parts.clock.after(this.#holdMs, () => {
      this.#held = false;
      this.#pump();
    });
    this.#holdMs = Math.min(this.#holdMs * 2, hold_ms_max);
  }

  async #overHttp(): Promise<void> {
    const { http } = this.#parts;
    if (this.#posting || http === null) return;
    this.#posting = true;
    try {
      await postUnsent(http, this.id, this.outbox, (message) => {
        this.conversation.settle(message);
      });
      const newest = await http.newestMessages(this.id);
      this.conversation.settleAll(newest);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    } finally {
      this.#posting = false;
    }
  }

  #sendRead(): void {
    if (this.#seenUpTo <= this.conversation.readUpTo) return;
    this.#connection.send({ type: 'chat.read', up_to: this.#seenUpTo as MessageId });
  }

  #presence(side: Side, name: string | null, online: boolean): void {
    const others = this.#peers.filter(
      (peer) => peer.side !== side || (name !== null && peer.name !== name),
    );
    this.#peers = online ? [...others, { side, name: name ?? '' }] : others;
    if (side === 'WORKSHOP') this.#workshopOnline = this.#peers.some((peer) => peer.side === side);
    if (!online && name !== null) this.#stopTyping(name);
  }

  #showTyping(peer: Peer): void {
    this.#stopTyping(peer.name);
    this.#typing = [...this.#typing, peer];
    const forget = this.#parts.clock.after(typing_shown_ms, () => {
      this.#stopTyping(peer.name);
    });
    this.#typingTimers.set(peer.name, forget);
  }

  #stopTyping(name: string): void {
    this.#typingTimers.get(name)?.();
    this.#typingTimers.delete(name);
    if (this.#typing.length > 0) this.#typing = this.#typing.filter((peer) => peer.name !== name);
  }
}

/** Posts what is unsent in order; stops at the first that may pass later. */
export async function postUnsent(
  api: Pick<Api, 'postMessage'>,
  request: RequestId,
  outbox: RoomOutbox,
  posted: (message: Message) => void,
): Promise<void> {
  for (let next = outbox.next; next !== null; next = outbox.next) {
    const { client_id, content, reply_to } = next;
    try {
      posted(
        await api.postMessage(request, {
          client_id,
          content,
          ...(reply_to === null ? {} : { reply_to: reply_to.id }),
        }),
      );
      outbox.confirm(client_id);
    } catch (error) {
      if (!(error instanceof ApiError) || !isForGood(error)) throw error;
      outbox.fail(client_id, { code: error.code, detail: error.detail });
    }
  }
}

function isForGood(error: ApiError): boolean {
  const passes =
    error.status === 0 || error.status === 401 || error.status === 429 || error.status >= 500;
  return !passes && isPermanent(error.code);
}
