import { ApiError, type Api } from '$lib/net/api';
import { BoxApi } from '$lib/net/box-api';
import { OwnerRightsApi } from '$lib/net/owner-rights-api';
import { wakeOnPageEvents } from '$lib/net/page-events';
import type { RequestId } from '$lib/wire/ids';

import { BoxAddresses } from './box-addresses.svelte';
import { Backups } from './backups.svelte';
import { BoxHealth } from './box-health.svelte';
import type { Device } from './device';
import { Drafts } from './drafts';
import { Inbox } from './inbox.svelte';
import { Notifications } from './notifications.svelte';
import { OwnerRights } from './owner-rights';
import { Outbox, requestsWithUnsent } from './outbox.svelte';
import { People } from './people.svelte';
import { Relay } from './relay.svelte';
import { Room, postUnsent } from './room.svelte';
import type { Session } from './session.svelte';

/** Everything a signed-in member of the staff works with; made at sign-in, stopped at sign-out. */
export class Staff {
  readonly inbox: Inbox;
  readonly people: People;
  readonly relay: Relay;
  /** The calls of the box's own pages, for those that keep nothing between two visits. */
  readonly boxApi: BoxApi;
  readonly boxAddresses: BoxAddresses;
  readonly boxHealth: BoxHealth;
  readonly rights: OwnerRights;
  readonly backups: Backups;
  readonly notifications: Notifications;
  readonly drafts: Drafts;
  readonly #api: Api;
  readonly #device: Device;
  readonly #session: Session;
  readonly #owner: string;
  #room: Room | null = null;
  #stopWaking: () => void = () => undefined;
  #delivering = false;
  #wasLive = false;

  constructor(api: Api, device: Device, session: Session) {
    this.#api = api;
    this.#device = device;
    this.#session = session;
    this.#owner = `staff-${session.user?.id ?? 0}`;
    this.inbox = new Inbox(api, device.clock, session.user);
    this.people = new People(api);
    this.relay = new Relay(api);
    this.rights = new OwnerRights(new OwnerRightsApi(api));
    this.boxApi = new BoxApi(api);
    this.boxAddresses = new BoxAddresses(this.boxApi, device.clock);
    this.boxHealth = new BoxHealth(this.boxApi, device.clock);
    this.backups = new Backups(this.boxApi, device.clock);
    this.drafts = new Drafts(device.storage, this.#owner);
    this.notifications = new Notifications({
      api,
      open: device.open,
      clock: device.clock,
      random: device.random,
      onSummary: (summary) => {
        this.inbox.setUnread(summary);
      },
      onRequestChanged: (id) => {
        this.inbox.refetch(id);
      },
      onNews: (requests) => {
        if (requests.some((id) => id !== this.#room?.id) || !document.hasFocus()) device.ring();
      },
      onLink: (link) => {
        this.relay.stands(link);
      },
      onLive: () => {
        // The list of the first time is on its way already.
        if (this.#wasLive) void this.inbox.load();
        this.#wasLive = true;
        void this.#deliverUnsent();
      },
      onDown: () => {
        this.inbox.setUnread(null);
        this.relay.stands(null);
      },
      onRefused: () => void session.expired(),
    });
  }

  start(): void {
    this.notifications.start();
    void this.inbox.load();
    if (this.#session.isAdmin) void this.boxHealth.look();
    this.#stopWaking = wakeOnPageEvents(
      this.notifications.connection,
      this.#device.clock,
      document,
    );
  }

  stop(): void {
    this.#stopWaking();
    this.notifications.stop();
    this.boxHealth.stop();
  }

  /** Opens a request's chat; whoever asks closes it. */
  openRoom(id: RequestId): { room: Room; close: () => void } {
    const room = new Room(id, {
      api: this.#api,
      http: this.#api,
      open: this.#device.open,
      clock: this.#device.clock,
      random: this.#device.random,
      outbox: this.#outbox(id),
      onRequest: (request) => {
        this.inbox.requestIn(request);
      },
      onMessage: (message) => {
        this.inbox.messageIn(message);
      },
      onRefused: (state) => {
        if (state.at === 'refused' && state.why === 'sign_in') void this.#session.expired();
      },
    });
    this.#room = room;
    room.open();
    const stopWaking = wakeOnPageEvents(room.connection, this.#device.clock, document);
    const close = () => {
      stopWaking();
      room.close();
      if (this.#room === room) this.#room = null;
      void this.#deliverUnsent();
    };
    return { room, close };
  }

  /** A name for something that is about to be made, so that trying again makes it once. */
  newId(): string {
    return this.#device.newId();
  }

  #outbox(id: RequestId): Outbox {
    return new Outbox(
      this.#device.storage,
      this.#owner,
      id,
      this.#device.newId,
      this.#device.clock.now,
    );
  }

  /** Sends what was written offline in chats that are not open any more. */
  async #deliverUnsent(): Promise<void> {
    if (this.#delivering) return;
    this.#delivering = true;
    try {
      for (const id of requestsWithUnsent(this.#device.storage, this.#owner)) {
        if (id === this.#room?.id) continue;
        await postUnsent(this.#api, id, this.#outbox(id), () => {
          this.inbox.refetch(id);
        });
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    } finally {
      this.#delivering = false;
    }
  }
}
