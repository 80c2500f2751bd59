import { ApiError } from '$lib/net/api';
import { deviceName } from '$lib/net/device-name';
import { OwnerLink } from '$lib/net/owner-link';
import { wakeOnPageEvents } from '$lib/net/page-events';
import { SealedDoor } from '$lib/net/sealed-socket';
import { browserSocket, type OpenSocket } from '$lib/net/socket';
import type { LinkLabel, OwnerStore } from '$lib/store/owner-store';
import { decode, type HistoryFrame } from '$lib/wire/frames';
import { requestId, type InviteId, type MessageId } from '$lib/wire/ids';
import { ownerProtocol, type GoneWhy, type RelayHello } from '$lib/wire/owner';
import type { Device } from './device';
import { Drafts } from './drafts';
import { Push, type PushBrowser } from './push.svelte';
import { Room } from './room.svelte';
import { SealedOutbox } from './sealed-outbox.svelte';

export type { LinkLabel } from '$lib/store/owner-store';
export type { GoneWhy } from '$lib/wire/owner';

export type RelayVisitState =
  | { readonly at: 'opening' }
  | { readonly at: 'unreachable' }
  | { readonly at: 'gone'; readonly why: GoneWhy; readonly label: LinkLabel | null }
  | { readonly at: 'open'; readonly room: Room; readonly push: Push };

/** Whether the workshop's box is connected to the relay. */
export type Workshop =
  | { readonly at: 'online' }
  /** It has just gone: most breaks are over before anybody needs to know. */
  | { readonly at: 'unsure' }
  | { readonly at: 'offline'; readonly since: string | null };

export interface RelayParts {
  readonly device: Device;
  readonly store: OwnerStore;
  readonly push: PushBrowser;
  /** The page's own address, for links to it. */
  readonly origin: string;
  readonly userAgent: string;
  readonly open?: OpenSocket;
  /** Tells other tabs of this device that something was written, and hears them. */
  readonly channel: BroadcastChannel | null;
}

const calm_ms = 20_000;
const leave_ms = 5_000;
const restored_messages = 200;

/**
 * A vehicle owner's visit by link at the relay's door. What this device kept of the conversation is
 * shown at once, with or without a network; the relay is asked for the rest.
 */
export class RelayVisit {
  readonly drafts: Drafts;
  readonly #parts: RelayParts;
  readonly #invite: InviteId;
  readonly #fragment: string;
  #link = $state.raw<OwnerLink | null>(null);
  #room = $state.raw<Room | null>(null);
  #push = $state.raw<Push | null>(null);
  #gone = $state.raw<{ why: GoneWhy; label: LinkLabel | null } | null>(null);
  #workshop = $state.raw<Workshop>({ at: 'unsure' });
  #staffHere = $state(false);
  #doors = $state.raw<readonly string[]>([]);
  #deviceName = $state('');
  #hasWritten = $state(false);
  #vapid = '';
  #cancelCalm: () => void = () => undefined;
  #stop: (() => void)[] = [];
  #isStopped = false;

  readonly state: RelayVisitState = $derived.by(() => {
    const [gone, room, push] = [this.#gone, this.#room, this.#push];
    if (gone !== null) return { at: 'gone', ...gone };
    if (room === null || push === null) return { at: 'opening' };
    if (room.conversation.loaded) return { at: 'open', room, push };
    return { at: room.state.at === 'waiting' ? 'unreachable' : 'opening' };
  });

  constructor(parts: RelayParts, invite: InviteId, fragment: string) {
    this.#parts = parts;
    this.#invite = invite;
    this.#fragment = fragment;
    this.drafts = new Drafts(parts.device.storage, `owner-${invite}`);
  }

  get workshop(): Workshop {
    return this.#workshop;
  }

  /** Whether somebody of the workshop has this conversation open. */
  get staffHere(): boolean {
    return this.#staffHere;
  }

  get deviceName(): string {
    return this.#deviceName;
  }

  /** A message of this person has left the phone in this visit. */
  get hasWritten(): boolean {
    return this.#hasWritten;
  }

  /** This link, for another device of the same person. */
  get url(): string {
    return this.#urlAt(this.#parts.origin);
  }

  /** The same link on the workshop's own network; null when none is known. */
  get doorUrl(): string | null {
    const [door] = this.#doors;
    if (door === undefined) return null;
    return this.#urlAt(/^https?:\/\//.test(door) ? door : `http://${door}`);
  }

  async start(): Promise<void> {
    const { store, device } = this.#parts;
    const { newId, clock } = device;
    const parts = { store, newId, now: clock.now };
    const link = await OwnerLink.open(parts, this.#invite, this.#fragment);
    if (this.#isStopped) return;
    if (link === null) {
      this.#gone = { why: 'invalid', label: null };
      return;
    }
    this.#link = link;
    this.#deviceName = link.record.deviceName ?? '';
    this.#openRoom(link);
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelCalm();
    for (const stop of this.#stop) stop();
    this.#stop = [];
  }

  /** What the workshop sees this phone called in its list. */
  async rename(name: string): Promise<void> {
    const link = this.#link;
    const trimmed = name.trim();
    if (link === null || trimmed === '' || trimmed === link.record.deviceName) return;
    await link.remember({ deviceName: trimmed });
    this.#deviceName = trimmed;
    const { newId, clock } = this.#parts.device;
    const json = { name: trimmed };
    await link.posts.add({ id: newId(), kind: 'device', at_ms: clock.now(), json });
  }

  /** Nothing of this link stays on this phone. */
  async forget(): Promise<void> {
    this.stop();
    await this.#parts.store.forget(this.#invite);
  }

  #openRoom(link: OwnerLink): void {
    const { device, push: browser, open } = this.#parts;
    const { clock, random, storage, newId, ring } = device;
    const door = new SealedDoor({
      link,
      open: open ?? browserSocket(ownerProtocol),
      clock,
      newId,
      events: {
        hello: (frame) => {
          this.#hello(frame);
        },
        ready: () => {
          this.#ready(link, push);
        },
        presence: (online, since) => {
          this.#presence(online, since, null);
        },
        staffHere: (here) => {
          this.#staffHere = here;
        },
        seen: (upTo) => {
          this.#room?.conversation.readElsewhere(upTo);
          void push.clear();
        },
        error: (code, detail) => {
          console.warn(`the relay says ${code}: ${detail}`);
        },
      },
    });
    const push = new Push(browser, link, (frame) => door.tell(frame));
    const outbox = new SealedOutbox(link, storage, newId, clock.now);
    // A link opens one request; its number is not known before its first entry is.
    const room = new Room(requestId(link.record.label.request), {
      api: doorkeeper(link),
      http: null,
      open: door.open,
      clock,
      random,
      outbox,
      door: 'relay',
      older: (before, limit) => historyOf(link, limit, before),
      onMessage: (message) => {
        if (message.sender_type === 'USER') {
          this.#hasWritten = true;
          return;
        }
        if (!document.hasFocus()) ring();
        if (document.hidden) void push.show(message);
      },
      onRefused: () => {
        this.#gone = { why: link.gone ?? 'invalid', label: labelOf(link) };
      },
    });
    if (link.isKnown) restore(room, link);
    this.#push = push;
    this.#room = room;
    room.open();
    this.#watchPosts(link);
    this.#stop.push(wakeOnPageEvents(room.connection, clock, document));
    this.#stop.push(this.#leaveWhenHidden(room, push, link));
    this.#stop.push(() => {
      room.close();
      outbox.close();
    });
  }

  /**
   * A page in the background looks as if somebody were reading. With notifications on it takes its
   * leave, so that the relay sends them; what is still to be sent goes first.
   */
  #leaveWhenHidden(room: Room, push: Push, link: OwnerLink): () => void {
    let cancel: () => void = () => undefined;
    const leave = () => {
      const isWaiting = link.posts.list.some((post) => post.storedAt === null && !post.refusal);
      if (document.hidden && push.state === 'on' && !isWaiting) room.connection.stop();
    };
    const changed = () => {
      cancel();
      if (document.hidden) {
        cancel = this.#parts.device.clock.after(leave_ms, leave);
      } else {
        room.open();
        void push.clear();
      }
    };
    document.addEventListener('visibilitychange', changed);
    return () => {
      cancel();
      document.removeEventListener('visibilitychange', changed);
    };
  }

  #hello(frame: RelayHello): void {
    this.#doors = frame.doors;
    this.#staffHere = false;
    this.#presence(frame.workshop_online, frame.offline_since, Date.parse(frame.now));
    this.#vapid = frame.vapid;
  }

  #ready(link: OwnerLink, push: Push): void {
    void push.connected(this.#vapid);
    if (!document.hidden) void push.clear();
    if (link.record.deviceName === null) void this.rename(deviceName(this.#parts.userAgent));
  }

  #watchPosts(link: OwnerLink): void {
    const { channel } = this.#parts;
    const told = (event: MessageEvent<unknown>) => {
      if (event.data === this.#invite) void link.reread();
    };
    channel?.addEventListener('message', told);
    const unwatch = link.posts.watch((where) => {
      this.#lookWhetherWritten(link);
      if (where === 'here') channel?.postMessage(this.#invite);
    });
    this.#stop.push(() => {
      channel?.removeEventListener('message', told);
      unwatch();
    });
    this.#lookWhetherWritten(link);
  }

  #lookWhetherWritten(link: OwnerLink): void {
    this.#hasWritten ||= link.posts.list.some(
      (post) => post.kind === 'message' && post.storedAt !== null,
    );
  }

  /** `now` is the relay's time, where it told it: how long ago it was needs no clock of ours. */
  #presence(online: boolean, since: string | null, now: number | null): void {
    this.#cancelCalm();
    if (online) {
      this.#workshop = { at: 'online' };
      return;
    }
    this.#staffHere = false;
    const gone_ms = since === null ? calm_ms : now === null ? 0 : now - Date.parse(since);
    if (gone_ms >= calm_ms) {
      this.#workshop = { at: 'offline', since };
      return;
    }
    this.#workshop = { at: 'unsure' };
    this.#cancelCalm = this.#parts.device.clock.after(calm_ms - gone_ms, () => {
      this.#workshop = { at: 'offline', since };
    });
  }

  #urlAt(base: string): string {
    const fragment = this.#link?.record.fragment ?? '';
    return `${base.replace(/\/+$/, '')}/o/${this.#invite}#${fragment}`;
  }
}

/** There is nothing to exchange at the relay; a link that is gone is refused before it is tried. */
function doorkeeper(link: OwnerLink) {
  const admit = (): Promise<string> =>
    link.gone === null
      ? Promise.resolve('')
      : Promise.reject(new ApiError(401, `invite_${link.gone}`, ''));
  return { wsTicket: admit, renew: () => admit() as Promise<never> };
}

function restore(room: Room, link: OwnerLink): void {
  const hello = decode(JSON.stringify(link.thread.hello(link.record.log, false)));
  if (hello?.type === 'chat.hello') room.restore(hello, historyOf(link, restored_messages, null));
}

function historyOf(link: OwnerLink, limit: number, before: MessageId | null): HistoryFrame {
  const frame = decode(JSON.stringify(link.thread.history(limit, before)));
  if (frame?.type !== 'chat.history') throw new Error('a thread gives histories');
  return frame;
}

const labelOf = (link: OwnerLink) =>
  link.record.label.workshopName === '' ? null : link.record.label;
