import { ApiError } from '$lib/net/api';
import type { BoxApi } from '$lib/net/box-api';
import type { Clock } from '$lib/net/clock';
import type { Addresses } from '$lib/wire/box-addresses';

/** How often a page that shows them asks: a router may give the box another one at any time. */
const look_every_ms = 10_000;

/** Where the box is found, while a page shows it. */
export class BoxAddresses {
  readonly #api: BoxApi;
  readonly #clock: Clock;
  #addresses = $state.raw<Addresses | null>(null);
  #failed = $state(false);
  #cancel: () => void = () => undefined;
  #watched = false;

  constructor(api: BoxApi, clock: Clock) {
    this.#api = api;
    this.#clock = clock;
  }

  /** Null until it was looked once. */
  get addresses(): Addresses | null {
    return this.#addresses;
  }

  /** Whether the last look brought nothing: the last known ones are shown on. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Looks now and every ten seconds; gives what ends it. */
  watch(): () => void {
    this.#watched = true;
    void this.#look();
    return () => {
      this.#watched = false;
      this.#cancel();
    };
  }

  async #look(): Promise<void> {
    this.#cancel();
    try {
      this.#addresses = await this.#api.addresses();
      this.#failed = false;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#failed = true;
    }
    if (this.#watched) this.#cancel = this.#clock.after(look_every_ms, () => void this.#look());
  }
}
