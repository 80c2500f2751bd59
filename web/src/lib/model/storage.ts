/** What of `localStorage` is used; a private window that refuses to store must not stop the chat. */
export class Storage {
  readonly #backing: globalThis.Storage | null;
  readonly #memory = new Map<string, string>();

  constructor(backing: globalThis.Storage | null) {
    this.#backing = backing;
  }

  read(key: string): string | null {
    try {
      return this.#backing?.getItem(key) ?? this.#memory.get(key) ?? null;
    } catch {
      return this.#memory.get(key) ?? null;
    }
  }

  /** Says whether the value will survive a reload. */
  write(key: string, value: string): boolean {
    try {
      if (this.#backing === null) throw new Error('none');
      this.#backing.setItem(key, value);
      return true;
    } catch {
      this.#memory.set(key, value);
      return false;
    }
  }

  remove(key: string): void {
    this.#memory.delete(key);
    try {
      this.#backing?.removeItem(key);
    } catch {
      // Nothing was stored there.
    }
  }

  keys(prefix: string): readonly string[] {
    const stored = this.#backing === null ? [] : Object.keys(this.#backing);
    return [...new Set([...stored, ...this.#memory.keys()])].filter((key) =>
      key.startsWith(prefix),
    );
  }
}

/** The browser's own storage, or memory where that is forbidden. */
export function deviceStorage(): Storage {
  try {
    return new Storage(window.localStorage);
  } catch {
    return new Storage(null);
  }
}
