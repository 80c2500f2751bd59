import type { Clock } from '$lib/net/clock';

/**
 * Does something for a key at once, then at most once per `pause_ms` however often it is asked:
 * what is asked in between is done once, when the pause and the time before are over.
 */
export class Paced<Key> {
  readonly #clock: Clock;
  readonly #pause_ms: number;
  readonly #act: (key: Key) => Promise<void>;
  /** Keys in their pause; true when they were asked for again meanwhile. */
  readonly #resting = new Map<Key, boolean>();

  constructor(clock: Clock, pause_ms: number, act: (key: Key) => Promise<void>) {
    this.#clock = clock;
    this.#pause_ms = pause_ms;
    this.#act = act;
  }

  ask(key: Key): void {
    if (this.#resting.has(key)) this.#resting.set(key, true);
    else void this.#run(key);
  }

  async #run(key: Key): Promise<void> {
    this.#resting.set(key, false);
    const pause = new Promise<void>((over) => this.#clock.after(this.#pause_ms, over));
    try {
      await Promise.all([this.#act(key), pause]);
    } finally {
      const again = this.#resting.get(key) === true;
      this.#resting.delete(key);
      if (again) this.ask(key);
    }
  }
}
