/**
 * Offers what waits on this phone to the relay, for as long as one socket is open: oldest first, one
 * at a time, so that nothing overtakes. Everything that the journal does not contain yet is offered
 * again on every connect; ids make that harmless.
 */
import { toBase64Url } from '$lib/wire/bytes';
import type { OwnerFrame } from '$lib/wire/owner';
import type { Clock } from './clock';
import type { OwnerLink } from './owner-link';

export interface OfficeParts {
  readonly link: OwnerLink;
  readonly clock: Clock;
  readonly tell: (frame: OwnerFrame) => boolean;
  /** No answer came: the line is dead without knowing it. */
  readonly dead: () => void;
}

const answer_ms_max = 15_000;
const hold_ms_first = 2_000;
const hold_ms_max = 60_000;

/** Refusals that pass by themselves; the post is offered again after a while. */
const passing = new Set([
  'rate_limited',
  'too_many',
  'mailbox_full',
  'disk_full',
  'storage_failing',
  'busy',
  'internal',
]);

export class PostOffice {
  readonly #parts: OfficeParts;
  readonly #offered = new Set<string>();
  #inFlight: string | null = null;
  #isOpen = false;
  #isHeld = false;
  #holdMs = hold_ms_first;
  #cancelAnswer: () => void = () => undefined;
  #cancelHold: () => void = () => undefined;
  #unwatch: () => void = () => undefined;

  constructor(parts: OfficeParts) {
    this.#parts = parts;
  }

  /** The relay listens: from now on whatever is added is offered too. */
  open(): void {
    this.#isOpen = true;
    this.#unwatch = this.#parts.link.posts.watch(() => {
      this.look();
    });
    this.look();
  }

  close(): void {
    this.#isOpen = false;
    this.#unwatch();
    this.#cancelAnswer();
    this.#cancelHold();
  }

  async stored(id: string): Promise<void> {
    this.#holdMs = hold_ms_first;
    await this.#parts.link.posts.stored(id, this.#parts.clock.now());
    this.#answered(id);
  }

  /**
   * The box or the relay would not take it. What passes by itself is offered again after a while;
   * with anything else the person may try again.
   */
  async refused(id: string, code: string, retryAfterS: number | null): Promise<void> {
    if (passing.has(code)) this.#hold(retryAfterS === null ? this.#holdMs : retryAfterS * 1000);
    else await this.#parts.link.posts.refused(id, { code, final: false });
    this.#offered.delete(id);
    this.#answered(id);
  }

  /** Looks for the next one to offer. */
  look(): void {
    const { list } = this.#parts.link.posts;
    // It is in the journal already: no other answer is needed.
    if (this.#inFlight !== null && !list.some((post) => post.id === this.#inFlight)) {
      this.#landed();
    }
    if (!this.#isOpen || this.#isHeld || this.#inFlight !== null) return;
    const next = list.find((post) => post.refusal === null && !this.#offered.has(post.id));
    if (next === undefined) return;
    const { id, kind, epoch, sealed } = next;
    if (!this.#parts.tell({ type: 'post', id, kind, epoch, sealed: toBase64Url(sealed) })) return;
    this.#offered.add(id);
    this.#inFlight = id;
    this.#cancelAnswer = this.#parts.clock.after(answer_ms_max, this.#parts.dead);
  }

  #answered(id: string): void {
    if (this.#inFlight === id) this.#landed();
    this.look();
  }

  #landed(): void {
    this.#inFlight = null;
    this.#cancelAnswer();
  }

  #hold(ms: number): void {
    this.#isHeld = true;
    this.#holdMs = Math.min(this.#holdMs * 2, hold_ms_max);
    this.#cancelHold();
    this.#cancelHold = this.#parts.clock.after(ms, () => {
      this.#isHeld = false;
      this.look();
    });
  }
}
