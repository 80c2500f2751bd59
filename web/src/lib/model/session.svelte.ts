import { ApiError, type Access, type Api, type SetupForm, type SetupState } from '$lib/net/api';
import { backoff } from '$lib/net/backoff';
import type { Clock } from '$lib/net/clock';
import type { User, Workshop } from '$lib/wire/things';
import type { Storage } from './storage';

export type { SetupForm, SetupState } from '$lib/net/api';

export type SessionState =
  | { readonly at: 'unknown' }
  | { readonly at: 'unreachable' }
  | { readonly at: 'signed_out'; readonly setup: SetupState; readonly expired: boolean }
  | { readonly at: 'signed_in'; readonly user: User; readonly workshop: Workshop | null };

const words_kept_key = 'motoreach.words-kept';

/** Who of the staff is signed in on this page. */
export class Session {
  readonly #api: Api;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #storage: Storage;
  #state = $state.raw<SessionState>({ at: 'unknown' });
  #words = $state.raw<readonly string[] | null>(null);
  #attempt = 0;
  #cancelRetry: () => void = () => undefined;

  constructor(api: Api, clock: Clock, random: () => number, storage: Storage) {
    this.#api = api;
    this.#clock = clock;
    this.#random = random;
    this.#storage = storage;
  }

  get state(): SessionState {
    return this.#state;
  }

  get user(): User | null {
    return this.#state.at === 'signed_in' ? this.#state.user : null;
  }

  get workshop(): Workshop | null {
    return this.#state.at === 'signed_in' ? this.#state.workshop : null;
  }

  get isAdmin(): boolean {
    return this.user?.role === 'workshop_admin';
  }

  /** The recovery words, for as long as nobody has said that they are written down. */
  get words(): readonly string[] | null {
    return this.#words;
  }

  /** Finds out who is there; tries again by itself while the box cannot be reached. */
  async start(): Promise<void> {
    this.#cancelRetry();
    try {
      await this.#entered(await this.#api.renew());
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 401) await this.#signedOut(false);
      else this.#unreachable();
    }
  }

  async signIn(username: string, password: string): Promise<void> {
    await this.#entered(await this.#api.login(username, password));
  }

  async signOut(): Promise<void> {
    try {
      await this.#api.logout();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
    await this.#signedOut(false);
  }

  /** The box no longer takes our credentials. */
  async expired(): Promise<void> {
    if (this.#state.at === 'signed_in') await this.#signedOut(true);
  }

  async setUp(form: SetupForm): Promise<void> {
    const { access, words } = await this.#api.setUp(form);
    this.#words = words;
    await this.#entered(access);
  }

  async wordsKept(): Promise<void> {
    await this.#api.recoveryWordsKept();
    this.#storage.write(words_kept_key, 'yes');
    this.#words = null;
  }

  async changePassword(current: string, next: string): Promise<void> {
    await this.#api.changePassword(current, next);
  }

  async #entered(access: Access): Promise<void> {
    this.#attempt = 0;
    if (access.user.role === 'workshop_admin' && this.#words === null) {
      // A page closed before the words were written down brings them up again.
      if (this.#storage.read(words_kept_key) === null) await this.#askForWords();
    }
    this.#state = { at: 'signed_in', user: access.user, workshop: access.workshop };
  }

  async #askForWords(): Promise<void> {
    try {
      this.#words = await this.#api.recoveryWords();
      if (this.#words === null) this.#storage.write(words_kept_key, 'yes');
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
  }

  async #signedOut(expired: boolean): Promise<void> {
    try {
      const setup = await this.#api.setupState();
      this.#attempt = 0;
      this.#words = null;
      this.#state = { at: 'signed_out', setup, expired };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#unreachable();
    }
  }

  #unreachable(): void {
    this.#state = { at: 'unreachable' };
    const ms = 500 + backoff(this.#attempt++, this.#random);
    this.#cancelRetry = this.#clock.after(ms, () => void this.start());
  }
}
