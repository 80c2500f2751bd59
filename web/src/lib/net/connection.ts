import { decode, encode, type ClientFrame, type ServerFrame } from '$lib/wire/frames';
import { WireError } from '$lib/wire/guard';
import { ApiError } from './api';
import { backoff } from './backoff';
import type { Clock } from './clock';
import { closed, type OpenSocket, type Socket } from './socket';

export type Refusal =
  'sign_in' | 'not_yours' | 'invite_revoked' | 'invite_expired' | 'invite_invalid';

/** Where a connection is; the banner renders exactly this. */
export type ConnectionState =
  | { readonly at: 'idle' }
  | { readonly at: 'connecting' }
  | { readonly at: 'live'; readonly since: number }
  | {
      readonly at: 'waiting';
      readonly retryAt: number;
      readonly attempt: number;
      readonly reached: Reached;
    }
  | { readonly at: 'refused'; readonly why: Refusal };

/** How far the last attempt came: with `http` the box answers, only the socket does not open. */
export type Reached = 'nothing' | 'http';

/** A fresh single-use ticket; `renew` first signs in again with the long-lived credential. */
export type TakeTicket = (how: 'as_is' | 'renew') => Promise<string>;

export interface ConnectionParts {
  readonly open: OpenSocket;
  readonly clock: Clock;
  readonly random: () => number;
  readonly ticket: TakeTicket;
  /** False where a ticket proves nothing about the line, and nothing goes over HTTP instead. */
  readonly hasHttp: boolean;
  /** Path and query of the socket, asked for at every attempt because the place to resume from moves. */
  readonly path: (ticket: string) => string;
  readonly frame: (frame: ServerFrame) => void;
  readonly changed: (state: ConnectionState) => void;
}

const first_frame_ms_max = 10_000;
const quick_retry_ms_max = 1_000;

/**
 * Keeps one socket open for as long as it is wanted: takes a ticket, connects, and when the line
 * breaks comes back by itself. It is live once the box has sent its first frame.
 *
 * Refused credentials end it; everything else is tried again with full jitter.
 */
export class Connection {
  readonly #parts: ConnectionParts;
  #socket: Socket | null = null;
  #state: ConnectionState = { at: 'idle' };
  #attempt = 0;
  #renewed = false;
  /** Rises with every attempt, so that an answer to an abandoned one is ignored. */
  #turn = 0;
  #cancelTimer: () => void = () => undefined;

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  start(): void {
    if (this.#state.at === 'idle') this.#connect('as_is');
  }

  /** Closes for good; `start` may be called again. */
  stop(): void {
    this.#abandon();
    this.#become({ at: 'idle' });
  }

  /** Tries at once instead of waiting: the person tapped, the network is back, the tab is shown. */
  retryNow(): void {
    if (this.#state.at === 'waiting') this.#connect('as_is');
  }

  /** Drops a line that may be dead without knowing it, and opens a new one at once. */
  reconnect(): void {
    if (this.#state.at === 'idle' || this.#state.at === 'refused') return;
    this.#attempt = 0;
    this.#connect('as_is');
  }

  /** Says whether the frame was handed to a live socket; it may still be lost on the way. */
  send(frame: ClientFrame): boolean {
    if (this.#state.at !== 'live' || this.#socket === null) return false;
    this.#socket.send(encode(frame));
    return true;
  }

  #connect(how: 'as_is' | 'renew'): void {
    this.#abandon();
    const turn = this.#turn;
    this.#become({ at: 'connecting' });
    this.#parts.ticket(how).then(
      (ticket) => {
        if (turn === this.#turn) this.#open(ticket, turn);
      },
      (error: unknown) => {
        if (turn !== this.#turn) return;
        const why = refusalIn(error);
        if (why === null) this.#wait('nothing', backoff(this.#attempt++, this.#parts.random));
        else this.#refuse(why);
      },
    );
  }

  #open(ticket: string, turn: number): void {
    const timeout = () => {
      this.#closed(1006);
    };
    this.#cancelTimer = this.#parts.clock.after(first_frame_ms_max, timeout);
    this.#socket = this.#parts.open(this.#parts.path(ticket), {
      text: (text) => {
        if (turn === this.#turn) this.#received(text);
      },
      closed: (code) => {
        if (turn === this.#turn) this.#closed(code);
      },
    });
  }

  #received(text: string): void {
    let frame: ServerFrame | null;
    try {
      frame = decode(text);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      console.warn('dropped a frame that breaks the contract:', error.message);
      return;
    }
    const becameLive = this.#state.at !== 'live';
    if (becameLive) {
      this.#cancelTimer();
      this.#attempt = 0;
      this.#renewed = false;
      this.#state = { at: 'live', since: this.#parts.clock.now() };
    }
    // The frame first: whoever hears "live" then already knows who they are and where they stand.
    if (frame !== null) this.#parts.frame(frame);
    if (becameLive && this.#state.at === 'live') this.#parts.changed(this.#state);
  }

  #closed(code: number): void {
    const reached = this.#parts.hasHttp ? 'http' : 'nothing';
    this.#abandon();
    switch (code) {
      case closed.signInAgain:
        if (this.#renewed) {
          this.#refuse('sign_in');
        } else {
          this.#renewed = true;
          this.#connect('renew');
        }
        return;
      case closed.notYours:
        this.#refuse('not_yours');
        return;
      case closed.tooSlow:
      case closed.restarting:
        this.#wait(reached, Math.round(this.#parts.random() * quick_retry_ms_max));
        return;
      default:
        this.#wait(reached, backoff(this.#attempt++, this.#parts.random));
    }
  }

  #wait(reached: Reached, ms: number): void {
    this.#cancelTimer = this.#parts.clock.after(ms, () => {
      this.#connect('as_is');
    });
    const retryAt = this.#parts.clock.now() + ms;
    this.#become({ at: 'waiting', retryAt, attempt: this.#attempt, reached });
  }

  #refuse(why: Refusal): void {
    this.#abandon();
    this.#become({ at: 'refused', why });
  }

  #abandon(): void {
    this.#turn += 1;
    this.#cancelTimer();
    this.#cancelTimer = () => undefined;
    this.#socket?.close();
    this.#socket = null;
  }

  #become(state: ConnectionState): void {
    this.#state = state;
    this.#parts.changed(state);
  }
}

/** Why credentials were refused for good, or null when trying again may help. */
function refusalIn(error: unknown): Refusal | null {
  if (!(error instanceof ApiError)) return null;
  switch (error.code) {
    case 'invite_revoked':
    case 'invite_expired':
    case 'invite_invalid':
      return error.code;
    default:
      if (error.status === 401) return 'sign_in';
      return error.status === 403 ? 'not_yours' : null;
  }
}
