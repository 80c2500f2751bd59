import { ApiError, type Api } from '$lib/net/api';
import type { AlarmLink } from '$lib/wire/alarm';
import type { LinkStateFrame } from '$lib/wire/frames';
import type { Relay as Details } from '$lib/wire/relay';

/** What staff should know about the link to the relay; nothing while all is well. */
export type LinkNotice =
  | { readonly what: 'offline'; readonly since: string }
  | { readonly what: 'waiting'; readonly messages: number; readonly since: string }
  | { readonly what: 'stopped'; readonly why: string };

/** The link to the relay: how it stands, and for admins its settings. */
export class Relay {
  readonly #api: Api;
  #link = $state.raw<LinkStateFrame | null>(null);
  #details = $state.raw<Details | null>(null);
  #failed = $state(false);
  #loading: Promise<void> | null = null;
  #again = false;
  #connecting = false;

  /** What the strip says: it is about the internet, so nothing that a short break would change. */
  readonly notice: LinkNotice | null = $derived(noticeOf(this.#link));

  constructor(api: Api) {
    this.#api = api;
  }

  /** Null until it was loaded once. */
  get details(): Details | null {
    return this.#details;
  }

  get failed(): boolean {
    return this.#failed;
  }

  /** How the link stands, off the socket; null: this page itself has no connection. */
  stands(link: LinkStateFrame | null): void {
    this.#link = link;
    // While somebody connects, what is shown is the form: the answer says what came of it.
    if (link !== null && this.#details !== null && !this.#connecting) void this.load();
  }

  /** Fetches everything; asked again meanwhile, it does so once more afterwards. */
  load(): Promise<void> {
    if (this.#loading !== null) {
      this.#again = true;
      return this.#loading;
    }
    this.#loading = this.#load().finally(() => {
      this.#loading = null;
      if (this.#again) {
        this.#again = false;
        void this.load();
      }
    });
    return this.#loading;
  }

  /** Connects and waits for what comes of it; a fault says which of the two was wrong. */
  async connect(url: string, code: string): Promise<void> {
    this.#connecting = true;
    try {
      this.#details = await this.#api.connectRelay(url, code);
    } finally {
      this.#connecting = false;
    }
  }

  async disconnect(): Promise<void> {
    await this.#api.disconnectRelay();
    await this.load();
  }

  /** Of two copies of the box that are alive, this is the real one. */
  async claim(): Promise<void> {
    this.#details = await this.#api.claimRelay();
  }

  alarm(): Promise<AlarmLink> {
    return this.#api.alarm();
  }

  switchAlarm(on: boolean): Promise<AlarmLink> {
    return this.#api.switchAlarm(on);
  }

  async #load(): Promise<void> {
    try {
      this.#details = await this.#api.relay();
      this.#failed = false;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#failed = true;
    }
  }
}

function noticeOf(link: LinkStateFrame | null): LinkNotice | null {
  if (link === null) return null;
  switch (link.state) {
    case 'unpaired':
    case 'online':
      return null;
    case 'connecting':
    case 'waiting':
      return link.waiting_messages > 0
        ? {
            what: 'waiting',
            messages: link.waiting_messages,
            since: link.waiting_since ?? link.since,
          }
        : { what: 'offline', since: link.since };
    case 'stopped':
      return { what: 'stopped', why: link.why ?? '' };
  }
}
