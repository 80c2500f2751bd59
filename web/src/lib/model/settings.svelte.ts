import type { Storage } from './storage';

const sound_key = 'motoreach.sound';

/** What this device likes: kept in its storage, the same for everyone who uses it. */
export class Settings {
  readonly #storage: Storage;
  #sound = $state(true);

  constructor(storage: Storage) {
    this.#storage = storage;
    this.#sound = storage.read(sound_key) !== 'off';
  }

  get sound(): boolean {
    return this.#sound;
  }

  setSound(on: boolean): void {
    this.#sound = on;
    this.#storage.write(sound_key, on ? 'on' : 'off');
  }
}
