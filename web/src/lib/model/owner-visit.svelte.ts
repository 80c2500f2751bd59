import { Api, ApiError, type Access } from '$lib/net/api';
import { backoff } from '$lib/net/backoff';
import { codeFromFragment } from '$lib/net/link-auth';
import { wakeOnPageEvents } from '$lib/net/page-events';
import type { InviteId } from '$lib/wire/ids';
import type { Device } from './device';
import { Drafts } from './drafts';
import { Outbox } from './outbox.svelte';
import { Room } from './room.svelte';

export type LinkFault = 'invite_erased' | 'invite_revoked' | 'invite_expired' | 'invite_invalid';

export type VisitState =
  | { readonly at: 'opening' }
  | { readonly at: 'unreachable' }
  | { readonly at: 'refused'; readonly why: LinkFault }
  | { readonly at: 'open'; readonly room: Room; readonly workshopName: string };

/**
 * A vehicle owner's visit by link: the link's code is exchanged for a session (again whenever it
 * runs out), then the chat of the one request it belongs to is opened.
 */
export class OwnerVisit {
  readonly drafts: Drafts;
  readonly #api: Api;
  readonly #device: Device;
  readonly #invite: InviteId;
  #state = $state.raw<VisitState>({ at: 'opening' });
  #attempt = 0;
  #stop: (() => void)[] = [];

  /** `fragment` is what follows `#` in the link; it is used here and sent nowhere. */
  constructor(fetchFrom: typeof fetch, device: Device, invite: InviteId, fragment: string) {
    this.#device = device;
    this.#invite = invite;
    this.drafts = new Drafts(device.storage, `owner-${invite}`);
    const code = codeFromFragment(fragment);
    this.#api = new Api(fetchFrom, device.clock.now, (api) => {
      if (code === null) throw new ApiError(401, 'invite_invalid', '');
      return api.exchangeInvite(code, this.#deviceId());
    });
  }

  get state(): VisitState {
    return this.#state;
  }

  async start(): Promise<void> {
    try {
      this.#open(await this.#api.renew());
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const fault = faultIn(error);
      if (fault !== null) {
        this.#state = { at: 'refused', why: fault };
        return;
      }
      this.#state = { at: 'unreachable' };
      const ms = 500 + backoff(this.#attempt++, this.#device.random);
      this.#stop.push(this.#device.clock.after(ms, () => void this.start()));
    }
  }

  stop(): void {
    for (const stop of this.#stop) stop();
    this.#stop = [];
  }

  #open(access: Access): void {
    const id = access.service_request;
    if (id === null) {
      this.#state = { at: 'refused', why: 'invite_invalid' };
      return;
    }
    const { storage, newId, clock, random, open, ring } = this.#device;
    const room = new Room(id, {
      api: this.#api,
      http: this.#api,
      open,
      clock,
      random,
      outbox: new Outbox(storage, `owner-${this.#invite}`, id, newId, clock.now),
      onMessage: (message) => {
        if (message.sender_type === 'WORKSHOP' && !document.hasFocus()) ring();
      },
      onRefused: (state) => {
        if (state.at !== 'refused') return;
        const why =
          state.why === 'sign_in' || state.why === 'not_yours' ? 'invite_revoked' : state.why;
        this.#state = { at: 'refused', why };
      },
    });
    room.open();
    this.#stop.push(wakeOnPageEvents(room.connection, clock, document));
    this.#stop.push(() => {
      room.close();
    });
    this.#state = { at: 'open', room, workshopName: access.workshop?.name ?? '' };
  }

  /** The same phone stays one device in the workshop's list. */
  #deviceId(): string {
    const key = `motoreach.device.${this.#invite}`;
    const known = this.#device.storage.read(key);
    if (known !== null) return known;
    const id = this.#device.newId();
    this.#device.storage.write(key, id);
    return id;
  }
}

function faultIn(error: ApiError): LinkFault | null {
  switch (error.code) {
    case 'invite_erased':
    case 'invite_revoked':
    case 'invite_expired':
    case 'invite_invalid':
      return error.code;
    default:
      if (error.status === 410) return 'invite_expired';
      return error.status === 401 || error.status === 404 ? 'invite_invalid' : null;
  }
}
