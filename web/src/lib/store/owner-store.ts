/**
 * What an owner's phone keeps of its links: keys, the conversation as sealed as it came, and what was
 * written and is not in the journal yet. The service worker reads it too, so nothing here may need a
 * page.
 *
 * Several tabs use it at once: whatever must not be doubled or torn is one transaction.
 */
import type { ThreadKeys } from '$lib/seal/link';
import type { Bytes } from '$lib/wire/bytes';
import type { GoneWhy, OwnerEntry } from '$lib/wire/owner';
import { answered, committed, ofLink, openDatabase, type StoreName } from './db';

/** One link that was opened on this device. */
export interface LinkRecord {
  /** The id in the link's path. */
  readonly invite: string;
  /** What follows `#`: without it the link could not be opened again from here, nor shown as a QR. */
  readonly fragment: string;
  /** This phone, to the workshop: another one for each link. */
  readonly device: string;
  /** What the workshop was told that this phone is called; null until it was. */
  readonly deviceName: string | null;
  readonly workshop: string | null;
  readonly thread: string | null;
  /** The journal's incarnation, and the last entry that is kept here. */
  readonly log: string | null;
  readonly after: number;
  readonly expires_at: string | null;
  readonly usedAt: number;
  /** For lists and notifications; all else is read from the entries. */
  readonly label: LinkLabel;
  /** The `seq` of the next post: dense for as long as this device exists. */
  readonly nextPost: number;
  readonly push: 'unasked' | 'later' | 'on' | 'off';
  readonly gone: GoneWhy | null;
}

export interface LinkLabel {
  readonly workshopName: string;
  readonly plate: string;
  readonly request: number;
}

/** Something written here, sealed, until the journal contains its id. */
export interface PostRecord {
  readonly invite: string;
  readonly seq: number;
  readonly id: string;
  readonly kind: 'message' | 'read' | 'device';
  readonly epoch: number;
  readonly sealed: Bytes;
  /** When the relay had it on disk, by this phone's clock. */
  readonly storedAt: number | null;
  readonly refusal: PostRefusal | null;
}

export interface PostRefusal {
  readonly code: string;
  /** The journal says so: this id will never be taken. */
  readonly final: boolean;
}

/** A box whose silence this phone is told of; a phone of the workshop's, not of an owner. */
export interface AlarmRecord {
  /** Whose box, as the link's path has it. */
  readonly workshop: string;
  /** What follows `#` in the link. */
  readonly fragment: string;
  readonly workshopName: string;
}

type Kept<T> = T & { readonly invite: string };

export class OwnerStore {
  readonly #db: Promise<IDBDatabase>;

  constructor(factory: IDBFactory) {
    this.#db = openDatabase(factory);
    // Whoever asks for something hears of it; nobody may be asking yet.
    this.#db.catch(() => undefined);
  }

  async close(): Promise<void> {
    (await this.#db).close();
  }

  // --- links and their keys -----------------------------------------------------------------

  async links(): Promise<readonly LinkRecord[]> {
    const tx = await this.#read('links');
    const all = await answered<LinkRecord[]>(tx.objectStore('links').getAll());
    return all.sort((a, b) => b.usedAt - a.usedAt);
  }

  async link(invite: string): Promise<LinkRecord | null> {
    const tx = await this.#read('links');
    const found = answered<LinkRecord | undefined>(tx.objectStore('links').get(invite));
    return (await found) ?? null;
  }

  async addLink(link: LinkRecord): Promise<void> {
    const tx = await this.#write('links');
    tx.objectStore('links').put(link);
    await committed(tx);
  }

  async changeLink(invite: string, change: Partial<LinkRecord>): Promise<void> {
    const tx = await this.#write('links');
    await changeIn(tx, invite, () => change);
    await committed(tx);
  }

  async keys(invite: string): Promise<readonly ThreadKeys[]> {
    const tx = await this.#read('keys');
    return answered<Kept<ThreadKeys>[]>(tx.objectStore('keys').getAll(ofLink(invite)));
  }

  async addKeys(invite: string, keys: readonly ThreadKeys[]): Promise<void> {
    const tx = await this.#write('keys');
    for (const each of keys) tx.objectStore('keys').put({ invite, ...each });
    await committed(tx);
  }

  /** The link opens nothing any more: its keys and its conversation go, a note of why stays. */
  async wipe(invite: string, gone: GoneWhy): Promise<void> {
    const tx = await this.#write('links', 'keys', 'entries', 'posts');
    for (const name of ['keys', 'entries', 'posts']) tx.objectStore(name).delete(ofLink(invite));
    await changeIn(tx, invite, () => ({ gone, log: null, after: 0, push: 'off' }));
    await committed(tx);
  }

  async forget(invite: string): Promise<void> {
    const tx = await this.#write('links', 'keys', 'entries', 'posts');
    for (const name of ['keys', 'entries', 'posts']) tx.objectStore(name).delete(ofLink(invite));
    tx.objectStore('links').delete(invite);
    await committed(tx);
  }

  // --- boxes that this phone watches ----------------------------------------------------------

  async alarm(workshop: string): Promise<AlarmRecord | null> {
    const tx = await this.#read('alarms');
    const found = answered<AlarmRecord | undefined>(tx.objectStore('alarms').get(workshop));
    return (await found) ?? null;
  }

  async addAlarm(alarm: AlarmRecord): Promise<void> {
    const tx = await this.#write('alarms');
    tx.objectStore('alarms').put(alarm);
    await committed(tx);
  }

  // --- the conversation, sealed -------------------------------------------------------------

  async entries(invite: string): Promise<readonly OwnerEntry[]> {
    const tx = await this.#read('entries');
    return answered<Kept<OwnerEntry>[]>(tx.objectStore('entries').getAll(ofLink(invite)));
  }

  /** Another journal follows from its beginning: what was kept of the one before goes. */
  async startOver(invite: string, log: string | null): Promise<void> {
    const tx = await this.#write('links', 'entries');
    tx.objectStore('entries').delete(ofLink(invite));
    await changeIn(tx, invite, () => ({ log, after: 0 }));
    await committed(tx);
  }

  /**
   * Keeps entries of the journal `log`, and with them: bodies that they erase go, and posts that
   * they contain are no longer waiting. A tab that still reads another journal changes nothing.
   */
  async append(
    invite: string,
    log: string | null,
    entries: readonly OwnerEntry[],
    erased: ReadonlySet<string>,
  ): Promise<void> {
    const tx = await this.#write('links', 'entries', 'posts');
    await changeIn(tx, invite, (link) => {
      if (link.log !== log) return null;
      const kept = tx.objectStore('entries');
      for (const entry of entries) kept.put({ invite, ...entry });
      return { after: Math.max(link.after, entries.at(-1)?.seq ?? 0) };
    });
    if (erased.size > 0) await eraseIn(tx, invite, erased);
    const inJournal = new Set(entries.map((entry) => entry.id));
    await eachPost(tx, invite, (post, cursor) => {
      // What was refused for good stays until the person has seen it.
      if (inJournal.has(post.id) && !isRefusal(entries, post.id)) cursor.delete();
    });
    await committed(tx);
  }

  // --- what is on its way -------------------------------------------------------------------

  async posts(invite: string): Promise<readonly PostRecord[]> {
    const tx = await this.#read('posts');
    return answered<PostRecord[]>(tx.objectStore('posts').getAll(ofLink(invite)));
  }

  /**
   * Keeps a new post, if its `seq` is still the next one and its id is new: `taken` means that
   * another tab was faster and it must be made again; `known`, that there is nothing to do.
   */
  async addPost(post: PostRecord): Promise<'added' | 'taken' | 'known'> {
    const tx = await this.#write('links', 'posts');
    let outcome: 'added' | 'taken' | 'known' = 'taken';
    const all = await answered<PostRecord[]>(tx.objectStore('posts').getAll(ofLink(post.invite)));
    if (all.some((each) => each.id === post.id)) return 'known';
    await changeIn(tx, post.invite, (link) => {
      if (link.nextPost !== post.seq) return null;
      tx.objectStore('posts').put(post);
      outcome = 'added';
      return { nextPost: post.seq + 1 };
    });
    await committed(tx);
    return outcome;
  }

  async changePost(invite: string, id: string, change: Partial<PostRecord>): Promise<void> {
    const tx = await this.#write('posts');
    await eachPost(tx, invite, (post, cursor) => {
      if (post.id === id) cursor.update({ ...post, ...change });
    });
    await committed(tx);
  }

  async removePost(invite: string, id: string): Promise<void> {
    const tx = await this.#write('posts');
    await eachPost(tx, invite, (post, cursor) => {
      if (post.id === id) cursor.delete();
    });
    await committed(tx);
  }

  // --- how it is asked ----------------------------------------------------------------------

  async #read(...names: readonly StoreName[]): Promise<IDBTransaction> {
    return (await this.#db).transaction(names, 'readonly');
  }

  /** On disk before it is said to be: a phone may lose its power at any moment. */
  async #write(...names: readonly StoreName[]): Promise<IDBTransaction> {
    return (await this.#db).transaction(names, 'readwrite', { durability: 'strict' });
  }
}

const isRefusal = (entries: readonly OwnerEntry[], id: string) =>
  entries.some((entry) => entry.id === id && entry.kind === 'post_refused');

async function changeIn(
  tx: IDBTransaction,
  invite: string,
  change: (link: LinkRecord) => Partial<LinkRecord> | null,
): Promise<void> {
  const links = tx.objectStore('links');
  const link = await answered<LinkRecord | undefined>(links.get(invite));
  if (link === undefined) return;
  const to = change(link);
  if (to !== null) links.put({ ...link, ...to });
}

function eachPost(
  tx: IDBTransaction,
  invite: string,
  each: (post: PostRecord, cursor: IDBCursorWithValue) => void,
): Promise<void> {
  return eachIn<PostRecord>(tx.objectStore('posts'), invite, each);
}

function eraseIn(tx: IDBTransaction, invite: string, erased: ReadonlySet<string>): Promise<void> {
  return eachIn<OwnerEntry>(tx.objectStore('entries'), invite, (entry, cursor) => {
    if (erased.has(entry.id) && entry.body !== null) cursor.update({ ...entry, body: null });
  });
}

function eachIn<T>(
  store: IDBObjectStore,
  invite: string,
  each: (value: T, cursor: IDBCursorWithValue) => void,
): Promise<void> {
  const request = store.openCursor(ofLink(invite));
  return new Promise((resolve, reject) => {
    request.onsuccess = () => {
      const cursor = request.result;
      if (cursor === null) {
        resolve();
        return;
      }
      each(cursor.value as T, cursor);
      cursor.continue();
    };
    request.onerror = () => {
      reject(request.error ?? new Error('IndexedDB'));
    };
  });
}
