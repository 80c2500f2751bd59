import { ApiError } from '$lib/net/api';
import type { BoxApi } from '$lib/net/box-api';
import type { Clock } from '$lib/net/clock';
import type { Backups as Details, KeepRules } from '$lib/wire/backup';

const look_every_ms = 1_000;

/** The box's backups as an admin's page shows them: it watches the one that is being made. */
export class Backups {
  readonly #api: BoxApi;
  readonly #clock: Clock;
  #details = $state.raw<Details | null>(null);
  #failed = $state(false);
  #cancel: () => void = () => undefined;

  constructor(api: BoxApi, clock: Clock) {
    this.#api = api;
    this.#clock = clock;
  }

  /** Null until they were loaded once. */
  get details(): Details | null {
    return this.#details;
  }

  get failed(): boolean {
    return this.#failed;
  }

  /** Fetches everything, and goes on doing so while a backup is being made. */
  async load(): Promise<void> {
    this.stop();
    try {
      this.#details = await this.#api.backups();
      this.#failed = false;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#failed = true;
    }
    this.stop();
    if (this.#failed || (this.#details?.running ?? null) !== null) {
      this.#cancel = this.#clock.after(look_every_ms, () => void this.load());
    }
  }

  /** Begins one and watches it. */
  async backUp(): Promise<void> {
    try {
      await this.#api.backUp();
    } catch (error) {
      // Somebody else, or the night, was faster: that one is watched.
      if (!(error instanceof ApiError) || error.code !== 'backup_under_way') throw error;
    }
    await this.load();
  }

  /** Says where backups go, and how many are kept. */
  async set(folder: string | null, keep: KeepRules): Promise<void> {
    await this.#api.setBackups(folder, keep);
    await this.load();
  }

  /** A whole backup, to be kept somewhere else. */
  file(name: string): Promise<Blob> {
    return this.#api.backupFile(name);
  }

  stop(): void {
    this.#cancel();
  }
}
