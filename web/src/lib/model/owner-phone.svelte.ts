import { AlarmApi } from '$lib/net/alarm-api';
import { OwnerStore, type AlarmRecord, type LinkRecord } from '$lib/store/owner-store';
import { inviteId, type InviteId } from '$lib/wire/ids';
import { AlarmVisit } from './alarm.svelte';
import type { Device } from './device';
import { Installer } from './installer.svelte';
import { pushBrowser } from './push.svelte';
import { RelayVisit, type RelayParts } from './relay-visit.svelte';

/** A link as a list shows it. */
export interface KnownLink {
  readonly invite: InviteId;
  readonly href: string;
  readonly workshopName: string;
  readonly plate: string;
  readonly request: number;
  readonly isGone: boolean;
}

const worker_path = '/sw.js';
/** Owners' pages only: the staff's never come through the worker. */
const worker_scope = '/o/';

/**
 * An owner's phone at the relay's door: its links, and what the browser offers a page there that the
 * workshop's plain http does not (a worker, notifications, a place on the home screen).
 */
export class OwnerPhone {
  readonly installer: Installer;
  readonly #parts: RelayParts;
  readonly #store: OwnerStore;

  constructor(from: Window & typeof globalThis, device: Device) {
    this.installer = new Installer(from);
    this.#store = new OwnerStore(from.indexedDB);
    addManifest(from.document, this.installer.isByHand);
    const worker = register(from);
    this.#parts = {
      device,
      store: this.#store,
      push: pushBrowser(worker),
      origin: from.location.origin,
      userAgent: from.navigator.userAgent,
      channel: 'BroadcastChannel' in from ? new BroadcastChannel('motoreach-owner') : null,
    };
    // Or the browser may clear what waits here when its disk runs full.
    void from.navigator.storage.persist().catch(() => false);
  }

  visit(invite: InviteId, fragment: string): RelayVisit {
    return new RelayVisit(this.#parts, invite, fragment);
  }

  /** The silence alarm's page, for a phone of the workshop's; the worker will know whose box it is. */
  async alarm(fetchFrom: typeof fetch, link: AlarmRecord, secret: string): Promise<AlarmVisit> {
    await this.#store.addAlarm(link);
    const api = new AlarmApi(fetchFrom, link.workshop, secret);
    return new AlarmVisit(api, this.#parts.push);
  }

  /** Every link that was opened here, the newest first. */
  async links(): Promise<readonly KnownLink[]> {
    return (await this.#store.links()).map(known);
  }

  async forget(invite: InviteId): Promise<void> {
    await this.#store.forget(invite);
  }
}

function known({ invite, fragment, label, gone }: LinkRecord): KnownLink {
  return {
    invite: inviteId(invite),
    href: `/o/${invite}#${fragment}`,
    ...label,
    isGone: gone !== null,
  };
}

/** The path and fragment in what a person pasted, or null when it is no link of ours. */
export function pastedLink(pasted: string): string | null {
  const found = /\/o\/([\w-]{22})\/?#([\w-]{43})(?![\w-])/.exec(pasted);
  return found === null ? null : `/o/${found[1]}#${found[2]}`;
}

async function register(from: Window & typeof globalThis): Promise<ServiceWorkerRegistration> {
  const { serviceWorker } = from.navigator;
  const registration = await serviceWorker.register(worker_path, { scope: worker_scope });
  return registration.active === null ? serviceWorker.ready : registration;
}

/**
 * The app's description is linked here and not in the page, which the box serves too. On an iPhone
 * the home screen must keep this very address, with its fragment: its storage is not the browser's.
 */
function addManifest(page: Document, keepsAddress: boolean): void {
  const link = page.querySelector<HTMLLinkElement>('link[rel="manifest"]');
  const manifest = link ?? page.createElement('link');
  manifest.rel = 'manifest';
  manifest.href = keepsAddress ? '/owner-here.webmanifest' : '/owner.webmanifest';
  if (link === null) page.head.append(manifest);
}
