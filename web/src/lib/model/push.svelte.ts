import { pushFrame } from '$lib/net/sealed-socket';
import type { OwnerLink } from '$lib/net/owner-link';
import { subscribed } from '$lib/net/push-subscription';
import type { OwnerFrame } from '$lib/wire/owner';
import type { Message } from '$lib/wire/things';

/** What of the browser notifications need; a test brings its own. */
export interface PushBrowser {
  /** Null where there is no such thing (an iPhone before the page is on its home screen). */
  readonly worker: Promise<ServiceWorkerRegistration> | null;
  permission(): NotificationPermission;
  ask(): Promise<NotificationPermission>;
}

/** This browser's notifications, or none where it knows no such thing. */
export function pushBrowser(worker: Promise<ServiceWorkerRegistration> | null): PushBrowser {
  const isThere = 'PushManager' in window && 'Notification' in window;
  return {
    worker: isThere ? worker : null,
    permission: () => (isThere ? Notification.permission : 'denied'),
    ask: () => Notification.requestPermission(),
  };
}

export type PushState = 'unsupported' | 'denied' | 'off' | 'on';

/** Notifications of one thread on this device: asked for, on, off, tried out. */
export class Push {
  readonly #browser: PushBrowser;
  readonly #link: OwnerLink;
  readonly #tell: (frame: OwnerFrame) => boolean;
  #vapid = '';
  #state = $state<PushState>('off');
  #wish = $state<OwnerLink['record']['push']>('unasked');
  #isBusy = $state(false);
  #hasFailed = $state(false);
  #isTested = $state(false);

  constructor(browser: PushBrowser, link: OwnerLink, tell: (frame: OwnerFrame) => boolean) {
    this.#browser = browser;
    this.#link = link;
    this.#tell = tell;
    this.#look();
  }

  get state(): PushState {
    return this.#state;
  }

  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** Switching on did not work: the browser's push service did not answer. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** A test is on its way. */
  get isTested(): boolean {
    return this.#isTested;
  }

  /** Whether the person may be asked now: never before, and never twice. */
  get mayAsk(): boolean {
    return this.#state === 'off' && this.#wish === 'unasked';
  }

  /** The relay's key; a subscription made for another key is renewed. */
  async connected(vapid: string): Promise<void> {
    this.#vapid = vapid;
    this.#look();
    if (this.#state === 'on') await this.#attempt(() => this.#subscribe());
  }

  async turnOn(): Promise<void> {
    await this.#attempt(async () => {
      if ((await this.#browser.ask()) !== 'granted') {
        this.#look();
        return;
      }
      await this.#subscribe();
      await this.#wants('on');
    });
  }

  async turnOff(): Promise<void> {
    await this.#attempt(async () => {
      await this.#wants('off');
      const subscription = await this.#subscription();
      if (subscription !== null) {
        this.#tell({ type: 'push.unsubscribe', endpoint: subscription.endpoint });
      }
    });
  }

  async later(): Promise<void> {
    await this.#wants('later');
  }

  async test(): Promise<void> {
    const subscription = await this.#subscription();
    if (subscription === null) return;
    this.#isTested = this.#tell({ type: 'push.test', endpoint: subscription.endpoint });
  }

  /** What is shown of this thread goes: the person is reading it, here or elsewhere. */
  async clear(): Promise<void> {
    const worker = await this.#browser.worker;
    const shown = (await worker?.getNotifications({ tag: this.#tag() })) ?? [];
    for (const each of shown) each.close();
  }

  /** A message that came to a page nobody is looking at; shown as the service worker would. */
  async show({ sender_name, content }: Message): Promise<void> {
    const worker = await this.#browser.worker;
    if (this.#state !== 'on' || worker === null) return;
    await worker.showNotification(sender_name, {
      body: content,
      tag: this.#tag(),
      icon: '/icons/icon-192.png',
      data: { invite: this.#link.record.invite },
    });
  }

  async #subscribe(): Promise<void> {
    const subscription = await subscribed(await this.#browser.worker, this.#vapid);
    const frame = subscription === null ? null : pushFrame(subscription);
    if (frame !== null) this.#tell(frame);
  }

  async #subscription(): Promise<PushSubscription | null> {
    const worker = await this.#browser.worker;
    return (await worker?.pushManager.getSubscription()) ?? null;
  }

  async #wants(push: 'on' | 'off' | 'later'): Promise<void> {
    await this.#link.remember({ push });
    this.#look();
  }

  /** The push service is the browser's: it may be out of reach, which is no fault of the page. */
  async #attempt(what: () => Promise<void>): Promise<void> {
    this.#isBusy = true;
    this.#hasFailed = false;
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

  #look(): void {
    this.#wish = this.#link.record.push;
    const permission = this.#browser.permission();
    if (this.#browser.worker === null) this.#state = 'unsupported';
    else if (permission === 'denied') this.#state = 'denied';
    else this.#state = permission === 'granted' && this.#wish === 'on' ? 'on' : 'off';
  }

  /** The service worker shows under the same name. */
  #tag(): string {
    return `thread:${this.#link.record.thread ?? ''}`;
  }
}
