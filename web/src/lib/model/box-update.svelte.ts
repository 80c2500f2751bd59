import { ApiError } from '$lib/net/api';
import type { BoxApi } from '$lib/net/box-api';
import type { Clock } from '$lib/net/clock';
import type { UpdateState } from '$lib/wire/box-update';

/** How often the page asks while an update is at work. */
const look_every_ms = 1_500;

/** Which program the box runs, and putting a newer one in its place. */
export class BoxUpdate {
  readonly #api: BoxApi;
  readonly #clock: Clock;
  #state = $state.raw<UpdateState | null>(null);
  #failed = $state(false);
  /** An update was asked for and how it ended has not been heard. */
  #watching = $state(false);
  #cancel: () => void = () => undefined;

  constructor(api: BoxApi, clock: Clock) {
    this.#api = api;
    this.#clock = clock;
  }

  /** Null until the box was asked once. */
  get state(): UpdateState | null {
    return this.#state;
  }

  /** Whether the box did not answer: while it starts again it cannot. */
  get failed(): boolean {
    return this.#failed;
  }

  get watching(): boolean {
    return this.#watching;
  }

  /** Asks now, and again and again while an update is at work. */
  async look(): Promise<void> {
    this.stop();
    const before = this.#state;
    try {
      const state = await this.#api.update();
      this.#failed = false;
      this.#state = state;
      const ended = state.last?.at !== before?.last?.at;
      this.#watching = state.running !== null || (this.#watching && !ended);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#failed = true;
    }
    this.stop();
    if (this.#watching) this.#cancel = this.#clock.after(look_every_ms, () => void this.look());
  }

  /** Brings a program to the box, which checks it. */
  async bring(program: Blob, signature: string): Promise<void> {
    this.#state = await this.#api.bringUpdate(program, signature);
  }

  /** Has the program that waits take the place of the one that runs. */
  async apply(): Promise<void> {
    const before = this.#state;
    const state = await this.#api.applyUpdate();
    // What ended before is compared with what ends next.
    this.#state = before === null ? state : { ...state, last: before.last };
    this.#watching = true;
    this.stop();
    this.#cancel = this.#clock.after(look_every_ms, () => void this.look());
  }

  stop(): void {
    this.#cancel();
  }
}
