import type { RequestId } from '$lib/wire/ids';
import type { Storage } from './storage';

/** What was typed and not sent, by request; survives a reload. */
export class Drafts {
  readonly #storage: Storage;
  readonly #owner: string;

  constructor(storage: Storage, owner: string) {
    this.#storage = storage;
    this.#owner = owner;
  }

  read(request: RequestId): string {
    return this.#storage.read(this.#key(request)) ?? '';
  }

  write(request: RequestId, text: string): void {
    if (text.trim() === '') this.#storage.remove(this.#key(request));
    else this.#storage.write(this.#key(request), text);
  }

  #key(request: RequestId): string {
    return `motoreach.draft.${this.#owner}.${request}`;
  }
}
