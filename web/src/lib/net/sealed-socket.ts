/**
 * The relay's door as a socket of `motoreach.v1`: what the relay carries sealed is opened here and
 * said as the box would have said it; what a room says goes out as sealed posts.
 *
 * So room, conversation and outbox serve both doors. A room hears its first frame when the relay has
 * let this link in, and "live" means what it means at the box. The link (`OwnerLink`) outlives it.
 */
import { toBase64Url } from '$lib/wire/bytes';
import { object, WireError } from '$lib/wire/guard';
import {
  decodeRelay,
  type GoneWhy,
  type OwnerFrame,
  type RelayEntries,
  type RelayFrame,
  type RelayHello,
} from '$lib/wire/owner';
import type { Clock } from './clock';
import type { OwnerLink } from './owner-link';
import { PostOffice } from './post-office';
import type { FrameJson } from './sealed-thread';
import { closed, type OpenSocket, type Socket, type SocketEvents } from './socket';

/** What the page learns beside the conversation. */
export interface SealedEvents {
  /** The relay has let this link in. */
  readonly hello: (frame: RelayHello) => void;
  /** Everything is here: from now on what comes is new. */
  readonly ready: () => void;
  readonly presence: (workshop_online: boolean, offline_since: string | null) => void;
  /** Whether somebody of the workshop has the conversation open. */
  readonly staffHere: (here: boolean) => void;
  /** Read up to here on another device of the same person. */
  readonly seen: (upTo: number) => void;
  readonly error: (code: string, detail: string) => void;
}

export interface SealedParts {
  readonly link: OwnerLink;
  readonly open: OpenSocket;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly events: SealedEvents;
}

const history_messages = 50;
const silence_ms_max = 25_000;
const pong_ms_max = 10_000;
const lost = 1006;

/** Opens sockets for one link, one at a time; `send` says something outside of the conversation. */
export class SealedDoor {
  readonly #parts: SealedParts;
  #session: SealedSession | null = null;

  constructor(parts: SealedParts) {
    this.#parts = parts;
  }

  readonly open: OpenSocket = (path, events) => {
    const session = new SealedSession(this.#parts, path, events);
    this.#session = session;
    return session;
  };

  /** False when nobody listens right now. */
  tell(frame: OwnerFrame): boolean {
    return this.#session?.tell(frame) ?? false;
  }
}

class SealedSession implements Socket {
  readonly #parts: SealedParts;
  readonly #events: SocketEvents;
  readonly #raw: Socket;
  readonly #office: PostOffice;
  /** Up to where the room knows the conversation; null: it knows none, or another journal's. */
  #shown: number | null;
  readonly #shownLog: string | null;
  /** Frames are taken in one after the other, although opening them takes its time. */
  #turn: Promise<void> = Promise.resolve();
  #at: 'waiting' | 'catching-up' | 'ready' | 'over' = 'waiting';
  #online = false;
  #saidHello = false;
  #cancelSilence: () => void = () => undefined;

  constructor(parts: SealedParts, path: string, events: SocketEvents) {
    this.#parts = parts;
    this.#events = events;
    const query = new URL(path, 'http://relay').searchParams;
    this.#shownLog = query.get('log');
    this.#shown = this.#shownLog === null ? null : Number(query.get('after'));
    const { link, clock } = parts;
    this.#office = new PostOffice({
      link,
      clock,
      tell: (frame) => this.tell(frame),
      dead: () => {
        this.#lost();
      },
    });
    this.#raw = parts.open(`/ws/owner/${link.record.invite}/`, {
      opened: () => {
        const { device, log, after } = link.record;
        this.#say({ type: 'auth', auth: link.auth, device, log, after });
      },
      text: (text) => {
        this.#heard();
        this.#turn = this.#turn.then(() => this.#received(text)).catch(this.#broken);
      },
      closed: (code) => {
        // What came before the end is still taken in.
        this.#turn = this.#turn.then(() => {
          this.#over(code);
        });
      },
    });
    this.#heard();
  }

  /** A frame of `motoreach.v1` from the room. */
  send(text: string): void {
    const frame = object(JSON.parse(text), 'frame');
    switch (frame['type']) {
      case 'chat.typing':
        this.tell({ type: 'typing' });
        break;
      case 'chat.read':
        this.#read(Number(frame['up_to'])).catch(this.#broken);
        break;
      default:
        break;
    }
  }

  close(): void {
    this.#at = 'over';
    this.#end();
    this.#raw.close();
  }

  tell(frame: OwnerFrame): boolean {
    if (this.#at !== 'ready') return false;
    this.#say(frame);
    return true;
  }

  async #received(text: string): Promise<void> {
    if (this.#at === 'over') return;
    let frame: RelayFrame | null;
    try {
      frame = decodeRelay(text);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      console.warn('dropped a frame that breaks the contract:', error.message);
      return;
    }
    if (frame !== null) await this.#take(frame);
  }

  async #take(frame: RelayFrame): Promise<void> {
    const { link, events } = this.#parts;
    switch (frame.type) {
      case 'hello':
        await this.#hello(frame);
        break;
      case 'entries':
        await this.#entries(frame);
        break;
      case 'wraps':
        await link.wraps(frame.wraps);
        break;
      case 'stored':
        await this.#office.stored(frame.id);
        break;
      case 'refused':
        await this.#office.refused(frame.id, frame.why, null);
        break;
      case 'presence':
        this.#online = frame.workshop_online;
        events.presence(frame.workshop_online, frame.offline_since);
        this.#show({
          type: 'chat.presence',
          side: 'WORKSHOP',
          online: frame.workshop_online,
          name: null,
        });
        break;
      case 'moment':
        this.#moment(frame.what);
        break;
      case 'seen':
        events.seen(frame.up_to);
        break;
      case 'error':
        if (frame.id === null) events.error(frame.code, frame.detail);
        else await this.#office.refused(frame.id, frame.code, frame.retry_after_s);
        break;
      case 'gone':
        await this.#gone(frame.why);
        break;
      case 'pong':
        break;
    }
  }

  async #hello(frame: RelayHello): Promise<void> {
    const { link, events } = this.#parts;
    const fresh = await link.hello(frame);
    if (fresh || this.#shownLog !== frame.log) this.#shown = null;
    this.#online = frame.workshop_online;
    this.#at = 'catching-up';
    events.hello(frame);
    if (frame.head <= link.record.after) this.#caughtUp();
  }

  async #entries({ log, entries, more }: RelayEntries): Promise<void> {
    const { link } = this.#parts;
    await link.take(log, entries);
    this.#office.look();
    if (this.#at === 'over') return;
    if (this.#shown !== null) this.#showNew();
    // A long conversation takes a while: that we are let in is said at once.
    else if (!this.#saidHello) this.#sayHello();
    if (!more && this.#at === 'catching-up') this.#caughtUp();
  }

  /**
   * Only the answer to our own `auth` is believed: what is said in the middle may be a relay that is
   * taking in another copy of the journal. And a link that has worked here and is unknown there is
   * one that the relay has yet to learn of again.
   */
  async #gone(why: GoneWhy): Promise<void> {
    const { link } = this.#parts;
    if (this.#at !== 'waiting' || (why === 'invalid' && link.isKnown)) this.#lost();
    else await link.end(why);
  }

  #caughtUp(): void {
    const { link, events } = this.#parts;
    if (this.#shown !== null) this.#showNew();
    this.#at = 'ready';
    this.#sayHello();
    if (this.#shown === null) {
      this.#show(link.thread.history(history_messages, null));
      this.#shown = link.thread.rev;
    }
    events.ready();
    this.#office.open();
  }

  #sayHello(): void {
    const { link } = this.#parts;
    this.#saidHello = true;
    this.#show(link.thread.hello(link.record.log, this.#online));
  }

  #showNew(): void {
    const { thread } = this.#parts.link;
    for (const frame of thread.framesAfter(this.#shown ?? 0)) this.#show(frame);
    this.#shown = thread.rev;
  }

  #moment(what: 'online' | 'offline' | 'typing'): void {
    if (what !== 'typing') {
      this.#parts.events.staffHere(what === 'online');
      return;
    }
    const { name } = this.#parts.link.thread.request.workshop;
    this.#show({ type: 'chat.typing', name, side: 'WORKSHOP' });
  }

  /**
   * Kept like a message until the workshop has heard of it; on this phone it is so at once, and the
   * person's other devices hear of it without the workshop.
   */
  async #read(upTo: number): Promise<void> {
    const { link, clock, newId } = this.#parts;
    const read = link.thread.workshopMessageUpTo(upTo);
    if (read === null) return;
    const at_ms = clock.now();
    const name = link.thread.request.customer.full_name;
    const at = new Date(at_ms).toISOString();
    const { rev } = link.thread;
    link.thread.noteRead(read.id, at_ms);
    this.#show({ type: 'chat.read', side: 'USER', name, up_to: read.seq, at, rev });
    this.tell({ type: 'seen', up_to: read.seq });
    await link.posts.add({ id: newId(), kind: 'read', at_ms, json: { up_to: read.id } });
  }

  #show(frame: FrameJson): void {
    if (this.#at !== 'over') this.#events.text(JSON.stringify(frame));
  }

  #say(frame: OwnerFrame): void {
    this.#raw.send(JSON.stringify(frame));
  }

  /** A browser does not see the server's pings: silence is broken by our own, then taken for death. */
  #heard(): void {
    const { clock } = this.#parts;
    this.#cancelSilence();
    this.#cancelSilence = clock.after(silence_ms_max, () => {
      if (this.#at === 'ready') this.#say({ type: 'ping' });
      this.#cancelSilence = clock.after(pong_ms_max, () => {
        this.#lost();
      });
    });
  }

  #lost(): void {
    this.#raw.close();
    this.#over(lost);
  }

  #over(code: number): void {
    if (this.#at === 'over') return;
    this.#at = 'over';
    this.#end();
    // Whatever was said before, a link that is gone must not be tried again.
    this.#events.closed(this.#parts.link.gone === null ? code : closed.signInAgain);
  }

  #end(): void {
    this.#cancelSilence();
    this.#office.close();
  }

  /** What this phone cannot keep (its storage is full) it must not pretend to have: begin anew. */
  readonly #broken = (error: unknown): void => {
    console.error('the sealed conversation stopped:', error);
    this.#lost();
  };
}

/** A browser's subscription, as the relay takes it. */
export function pushFrame(subscription: PushSubscription): OwnerFrame | null {
  const key = (name: PushEncryptionKeyName) => {
    const bytes = subscription.getKey(name);
    return bytes === null ? null : toBase64Url(new Uint8Array(bytes));
  };
  const p256dh = key('p256dh');
  const auth = key('auth');
  if (p256dh === null || auth === null) return null;
  return { type: 'push.subscribe', endpoint: subscription.endpoint, p256dh, auth };
}
