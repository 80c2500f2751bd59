import { backoff } from '$lib/net/backoff';
import type { Device } from './device';

export type DoorState = 'looking' | 'box' | 'relay' | 'unreachable';

const remembered_key = 'motoreach.door';
const answer_ms_max = 8_000;

/**
 * Which door this page was opened at: the box itself on the workshop's network, or the relay. An
 * address is always the same door, so a page that was at the relay before opens without asking.
 */
export class Door {
  readonly #fetch: typeof fetch;
  readonly #device: Device;
  readonly #isSecure: boolean;
  #state = $state<DoorState>('looking');
  #attempt = 0;
  #cancel: () => void = () => undefined;

  /** Only a secure page can open what is sealed: without, it can only be the box's own. */
  constructor(fetchFrom: typeof fetch, device: Device, isSecure: boolean) {
    this.#fetch = fetchFrom;
    this.#device = device;
    this.#isSecure = isSecure;
    if (!isSecure) this.#state = 'box';
    else if (device.storage.read(remembered_key) === 'relay') this.#state = 'relay';
  }

  get state(): DoorState {
    return this.#state;
  }

  async start(): Promise<void> {
    if (!this.#isSecure) return;
    const door = await this.#ask();
    if (door !== null) {
      if (door === 'relay') this.#device.storage.write(remembered_key, door);
      else this.#device.storage.remove(remembered_key);
      this.#state = door;
    } else if (this.#state !== 'relay') {
      this.#state = 'unreachable';
      const ms = 500 + backoff(this.#attempt++, this.#device.random);
      this.#cancel = this.#device.clock.after(ms, () => void this.start());
    }
  }

  stop(): void {
    this.#cancel();
  }

  /** A box from before there were relays does not know the question. */
  async #ask(): Promise<'box' | 'relay' | null> {
    try {
      const signal = AbortSignal.timeout(answer_ms_max);
      const response = await this.#fetch('/api/door/', { cache: 'no-store', signal });
      if (response.status === 404) return 'box';
      if (!response.ok) return null;
      const answer = (await response.json()) as { door?: unknown };
      return answer.door === 'relay' ? 'relay' : 'box';
    } catch {
      return null;
    }
  }
}
