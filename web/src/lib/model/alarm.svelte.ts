import { AlarmError, type AlarmApi, type AlarmWant } from '$lib/net/alarm-api';
import { subscribed } from '$lib/net/push-subscription';
import type { AlarmStands } from '$lib/wire/alarm';
import type { PushBrowser } from './push.svelte';

export type AlarmState = 'looking' | 'gone' | 'unreachable' | 'here';

/** The alarm's page on an admin's phone: how the box stands, and whether this phone is told. */
export class AlarmVisit {
  readonly #api: AlarmApi;
  readonly #browser: PushBrowser;
  #state = $state<AlarmState>('looking');
  #stands = $state.raw<AlarmStands | null>(null);
  #isBusy = $state(false);
  #hasFailed = $state(false);
  #isTested = $state(false);
  #permission = $state<NotificationPermission>('default');

  constructor(api: AlarmApi, browser: PushBrowser) {
    this.#api = api;
    this.#browser = browser;
    this.#permission = browser.permission();
  }

  get state(): AlarmState {
    return this.#state;
  }

  /** Null before the first answer. */
  get stands(): AlarmStands | null {
    return this.#stands;
  }

  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** Switching on did not work: the browser's push service did not answer. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  get isTested(): boolean {
    return this.#isTested;
  }

  /** Whether this browser knows notifications at all. */
  get isSupported(): boolean {
    return this.#browser.worker !== null;
  }

  get isDenied(): boolean {
    return this.#permission === 'denied';
  }

  async look(): Promise<void> {
    await this.#ask('look', await this.#subscription());
  }

  async turnOn(): Promise<void> {
    await this.#busy(async () => {
      this.#permission = await this.#browser.ask();
      if (this.#permission !== 'granted') return;
      const worker = await this.#browser.worker;
      await this.#ask('subscribe', await subscribed(worker, this.#stands?.vapid ?? ''));
    });
  }

  async turnOff(): Promise<void> {
    await this.#busy(async () => {
      await this.#ask('unsubscribe', await this.#subscription());
    });
  }

  async test(): Promise<void> {
    await this.#busy(async () => {
      await this.#ask('test', await this.#subscription());
      this.#isTested = this.#state === 'here';
    });
  }

  async #ask(want: AlarmWant, subscription: PushSubscription | null): Promise<void> {
    try {
      this.#stands = await this.#api.ask(want, subscription);
      this.#state = 'here';
    } catch (error) {
      if (!(error instanceof AlarmError)) throw error;
      this.#state = error.why;
    }
  }

  async #subscription(): Promise<PushSubscription | null> {
    const worker = await this.#browser.worker;
    return (await worker?.pushManager.getSubscription()) ?? null;
  }

  /** The push service is the browser's: it may be out of reach, which is no fault of the page. */
  async #busy(what: () => Promise<void>): Promise<void> {
    this.#isBusy = true;
    this.#hasFailed = false;
    this.#isTested = false;
    try {
      await what();
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      console.warn('notifications:', error.message);
      this.#hasFailed = true;
    } finally {
      this.#isBusy = false;
    }
  }
}
