import { ApiError } from '$lib/net/api';
import type { BoxApi } from '$lib/net/box-api';
import type { Clock } from '$lib/net/clock';
import type { Checkup, Finding } from '$lib/wire/box-health';

/** How often an admin's page asks by itself. */
const look_every_ms = 10 * 60_000;

/** How the box fares, as its admins see it. */
export class BoxHealth {
  readonly #api: BoxApi;
  readonly #clock: Clock;
  #checkup = $state.raw<Checkup | null>(null);
  #failed = $state(false);
  #busy = $state(false);
  #cancel: () => void = () => undefined;

  /** What somebody has to see to today, the first of it; for the strip on every page. */
  readonly urgent: Finding | null = $derived(
    this.#checkup?.findings.find((finding) => finding.level === 'act') ?? null,
  );

  constructor(api: BoxApi, clock: Clock) {
    this.#api = api;
    this.#clock = clock;
  }

  /** Null until it was looked once. */
  get checkup(): Checkup | null {
    return this.#checkup;
  }

  /** Whether the last look brought nothing. */
  get failed(): boolean {
    return this.#failed;
  }

  get busy(): boolean {
    return this.#busy;
  }

  /** Looks now, and then again every ten minutes until `stop`. */
  async look(): Promise<void> {
    this.stop();
    this.#busy = true;
    try {
      this.#checkup = await this.#api.health();
      this.#failed = false;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#failed = true;
    } finally {
      this.#busy = false;
      this.stop();
      this.#cancel = this.#clock.after(look_every_ms, () => void this.look());
    }
  }

  stop(): void {
    this.#cancel();
  }
}
