/**
 * What this phone has written and the journal does not contain yet: sealed, in order, on disk before
 * it is offered to anybody.
 *
 * The journal is the only acknowledgement: a post leaves when an entry with its id has come, whatever
 * the relay said before. Sealing is done once; the same bytes are offered on every connect.
 */
import { openBody, sealBody } from '$lib/seal/body';
import { SealBroken } from '$lib/seal/key';
import type { ThreadKeys } from '$lib/seal/link';
import type { OwnerStore, PostRecord, PostRefusal } from '$lib/store/owner-store';
import { uuidBytes } from '$lib/wire/bytes';
import type { Json } from '$lib/wire/guard';

/** A post, with its words as this page shows them. */
export interface Post extends Omit<PostRecord, 'invite'> {
  readonly at_ms: number;
  readonly json: Json;
}

/** Who seals, and for where. */
export interface Sealer {
  readonly invite: string;
  readonly workshop: string;
  readonly thread: string;
  readonly device: string;
  /** The newest keys that this phone knows, and those of an epoch. */
  newest(): ThreadKeys | null;
  ofEpoch(epoch: number): ThreadKeys | null;
}

export interface NewPost {
  readonly id: string;
  readonly kind: PostRecord['kind'];
  readonly at_ms: number;
  /** Without `seq`, which is given here. */
  readonly json: Json;
}

/** `here`: this page wrote; `elsewhere`: another tab did, and this page has read it. */
export type Watcher = (where: 'here' | 'elsewhere') => void;

export class SealedPosts {
  readonly #store: OwnerStore;
  readonly #sealer: () => Sealer | null;
  readonly #nextSeq: () => Promise<number>;
  readonly #isInJournal: (id: string) => boolean;
  #list: readonly Post[] = [];
  #turn: Promise<unknown> = Promise.resolve();
  #watchers = new Set<Watcher>();

  constructor(
    store: OwnerStore,
    sealer: () => Sealer | null,
    nextSeq: () => Promise<number>,
    isInJournal: (id: string) => boolean,
  ) {
    this.#store = store;
    this.#sealer = sealer;
    this.#nextSeq = nextSeq;
    this.#isInJournal = isInJournal;
  }

  /** Oldest first. */
  get list(): readonly Post[] {
    return this.#list;
  }

  /** Calls back whenever the list has changed; the answer stops it. */
  watch(changed: Watcher): () => void {
    this.#watchers.add(changed);
    return () => this.#watchers.delete(changed);
  }

  /** Reads what is on disk again: another tab wrote, or the page has just begun. */
  load(): Promise<void> {
    return this.#inTurn(() => this.#load());
  }

  async #load(): Promise<void> {
    const sealer = this.#sealer();
    if (sealer === null) return;
    const records = await this.#store.posts(sealer.invite);
    const posts = await Promise.all(records.map((record) => opened(sealer, record)));
    this.#become(
      posts
        .filter((post) => post !== null)
        .filter((post) => post.refusal !== null || !this.#isInJournal(post.id)),
      'elsewhere',
    );
  }

  /**
   * Seals and keeps a post; resolves once it is on disk. One after the other, so that their numbers
   * are in the order of writing.
   */
  add(post: NewPost): Promise<void> {
    return this.#inTurn(() => this.#add(post));
  }

  /** The relay has it on disk. */
  async stored(id: string, storedAt: number): Promise<void> {
    const post = this.#list.find((each) => each.id === id);
    if (post?.storedAt === null) await this.#change(id, { storedAt });
  }

  async refused(id: string, refusal: PostRefusal): Promise<void> {
    await this.#change(id, { refusal });
  }

  /** The same post is offered again. */
  async retry(id: string): Promise<void> {
    await this.#change(id, { refusal: null, storedAt: null });
  }

  remove(id: string): Promise<void> {
    return this.#inTurn(async () => {
      const sealer = this.#sealer();
      if (sealer !== null) await this.#store.removePost(sealer.invite, id);
      this.#become(this.#list.filter((post) => post.id !== id));
    });
  }

  /** The journal contains these, and the store knows already. */
  settled(ids: ReadonlySet<string>): void {
    if (this.#list.some((post) => ids.has(post.id))) {
      this.#become(this.#list.filter((post) => !ids.has(post.id)));
    }
  }

  async #add({ id, kind, at_ms, json }: NewPost): Promise<void> {
    for (;;) {
      const sealer = this.#sealer();
      const keys = sealer?.newest() ?? null;
      if (sealer === null || keys === null) throw new SealBroken();
      const seq = await this.#nextSeq();
      const body = { at_ms, json: { seq, ...json } };
      const author = uuidBytes(sealer.device);
      const sealed = await sealBody(keys.post, contextOf(sealer, id, kind), author, body);
      const { epoch } = keys;
      const record = { seq, id, kind, epoch, sealed, storedAt: null, refusal: null };
      const outcome = await this.#store.addPost({ invite: sealer.invite, ...record });
      // Another tab took the number between the two: it is sealed again under the next. The bytes
      // that are thrown away were shown to nobody, so the nonce is not used twice.
      if (outcome === 'taken') continue;
      if (outcome === 'added') this.#become([...this.#list, { ...record, ...body }]);
      return;
    }
  }

  #change(id: string, change: Partial<Pick<Post, 'storedAt' | 'refusal'>>): Promise<void> {
    return this.#inTurn(async () => {
      const sealer = this.#sealer();
      if (sealer === null) return;
      await this.#store.changePost(sealer.invite, id, change);
      if (!this.#list.some((post) => post.id === id)) await this.#load();
      else this.#become(this.#list.map((it) => (it.id === id ? { ...it, ...change } : it)));
    });
  }

  /** One after the other: what was read from the disk must not overtake what was written to it. */
  #inTurn(what: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(what);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  #become(list: readonly Post[], where: 'here' | 'elsewhere' = 'here'): void {
    this.#list = [...list].sort((a, b) => a.seq - b.seq);
    for (const changed of this.#watchers) changed(where);
  }
}

async function opened(sealer: Sealer, record: PostRecord): Promise<Post | null> {
  const keys = sealer.ofEpoch(record.epoch);
  if (keys === null) return null;
  const context = contextOf(sealer, record.id, record.kind);
  const body = await openBody(keys.post, context, record.sealed);
  const { seq, id, kind, epoch, sealed, storedAt, refusal } = record;
  return { seq, id, kind, epoch, sealed, storedAt, refusal, ...body };
}

const contextOf = (sealer: Sealer, id: string, kind: string) => ({
  workshop: uuidBytes(sealer.workshop),
  thread: uuidBytes(sealer.thread),
  event: uuidBytes(id),
  kind,
});
