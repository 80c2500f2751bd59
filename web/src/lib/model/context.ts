import { createContext } from 'svelte';
import type { Device } from './device';
import type { Drafts } from './drafts';
import type { OwnerPhone } from './owner-phone.svelte';
import type { Room } from './room.svelte';
import type { Restore } from './restore.svelte';
import type { Router } from './router.svelte';
import type { Session } from './session.svelte';
import type { Settings } from './settings.svelte';
import type { Staff } from './staff.svelte';

/** What every page can reach; made once in `main.ts`. */
export interface App {
  readonly router: Router;
  readonly session: Session;
  readonly restore: Restore;
  readonly settings: Settings;
  readonly device: Device;
  readonly fetch: typeof fetch;
  readonly makeStaff: () => Staff;
  /** What an owner's phone keeps at the relay's door; loaded there only. */
  readonly openPhone: () => Promise<OwnerPhone>;
}

/** A chat and what belongs to it: the same for staff and for owners. */
export interface ChatContext {
  readonly room: Room;
  readonly drafts: Drafts;
}

export const [getApp, setApp] = createContext<App>();
export const [getStaff, setStaff] = createContext<Staff>();
export const [getChat, setChat] = createContext<ChatContext>();
