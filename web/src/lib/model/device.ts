import type { Clock } from '$lib/net/clock';
import type { OpenSocket } from '$lib/net/socket';
import type { Storage } from './storage';

/** What models take from the device they run on; a test brings its own. */
export interface Device {
  readonly clock: Clock;
  readonly random: () => number;
  readonly open: OpenSocket;
  readonly storage: Storage;
  /** A new UUID, rising. */
  readonly newId: () => string;
  /** A short sound, if the person wants one. */
  readonly ring: () => void;
}
