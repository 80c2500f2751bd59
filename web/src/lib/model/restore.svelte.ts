import { ApiError, type Api, type RestoreForm } from '$lib/net/api';
import type { Clock } from '$lib/net/clock';
import type { Restored } from '$lib/wire/restore';

export type { RestoreForm } from '$lib/net/api';

export type RestoreStage =
  | { readonly at: 'asking'; readonly why: string | null; readonly detail: string | null }
  | { readonly at: 'coming'; readonly entries: number }
  /** It is back; the box starts again with it. */
  | { readonly at: 'starting' };

const look_every_ms = 1_000;

/** Brings a workshop back onto this empty box, and waits until the box serves it. */
export class Restore {
  readonly #api: Api;
  readonly #clock: Clock;
  readonly #served: () => Promise<void>;
  #stage = $state.raw<RestoreStage>({ at: 'asking', why: null, detail: null });
  #restored = $state.raw<Restored | null>(null);
  /** What was typed: nobody copies 24 words from paper twice because an address was wrong. */
  readonly draft = $state({ url: '', words: '', claim: false });
  #cancel: () => void = () => undefined;

  /** `served` is called once the box serves what came back: it is somebody's to sign in to. */
  constructor(api: Api, clock: Clock, served: () => Promise<void>) {
    this.#api = api;
    this.#clock = clock;
    this.#served = served;
  }

  get stage(): RestoreStage {
    return this.#stage;
  }

  /** What this page saw coming back. */
  get restored(): Restored | null {
    return this.#restored;
  }

  /** Hands the words in; what is wrong with them is thrown, what goes wrong later is told. */
  async begin(form: RestoreForm): Promise<void> {
    const { entries } = await this.#api.beginRestore(form);
    this.#stage = { at: 'coming', entries };
    this.#lookSoon();
  }

  /** Why the last try brought nothing was read. */
  forgetFault(): void {
    if (this.#stage.at === 'asking') this.#stage = { at: 'asking', why: null, detail: null };
  }

  /** Finds out how it stands: a page that was loaded again goes on watching. */
  async look(): Promise<void> {
    this.#cancel();
    try {
      await this.#look();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // The box is just starting.
    }
    if (this.#stage.at !== 'asking') this.#lookSoon();
  }

  async #look(): Promise<void> {
    const now = await this.#api.restore();
    switch (now.state) {
      case 'running':
        this.#stage = { at: 'coming', entries: now.entries };
        return;
      case 'failed':
        this.#stage = { at: 'asking', why: now.why, detail: now.detail };
        return;
      case 'done':
        this.#restored = now.restored;
        this.draft.words = '';
        this.#stage = { at: 'starting' };
        return;
      case 'idle':
        if (this.#stage.at !== 'asking') await this.#startedAgain();
    }
  }

  /** A box that knows of no restore has started meanwhile: with what came back, or empty as before. */
  async #startedAgain(): Promise<void> {
    const { needed } = await this.#api.setupState();
    this.#stage = { at: 'asking', why: needed ? 'cut_off' : null, detail: null };
    if (!needed) await this.#served();
  }

  #lookSoon(): void {
    this.#cancel = this.#clock.after(look_every_ms, () => void this.look());
  }
}
