import type { OwnerLink } from '$lib/net/owner-link';
import type { Post } from '$lib/net/sealed-posts';
import { clientId, messageId, type ClientId } from '$lib/wire/ids';
import type { Quote } from '$lib/wire/things';
import type { Failure, Pending, RoomOutbox } from './outbox.svelte';
import type { Storage } from './storage';

interface Words {
  readonly content: string;
  readonly reply_to: string | null;
  readonly at_ms: number;
}

/**
 * A room's outbox at the relay's door: a view of the sealed posts that wait on this phone. They are
 * offered by the link itself; a room has nothing to send, and only the journal confirms.
 */
export class SealedOutbox implements RoomOutbox {
  readonly #link: OwnerLink;
  readonly #storage: Storage;
  readonly #newId: () => string;
  readonly #now: () => number;
  /** Words on their way to the disk. */
  #writing = new Map<string, Words & { readonly failure: Failure | null }>();
  #items = $state.raw<readonly Pending[]>([]);
  /** The link offers what waits; a room need not. */
  readonly next = null;
  readonly #unwatch: () => void;

  constructor(link: OwnerLink, storage: Storage, newId: () => string, now: () => number) {
    this.#link = link;
    this.#storage = storage;
    this.#newId = newId;
    this.#now = now;
    this.#unwatch = link.posts.watch(() => {
      this.#look();
    });
    this.#look();
    this.#resume();
  }

  get items(): readonly Pending[] {
    return this.#items;
  }

  /** Nothing is shown from here any more. */
  close(): void {
    this.#unwatch();
  }

  add(content: string, reply_to: Quote | null): Pending {
    const id = this.#newId();
    const quoted = reply_to === null ? null : this.#link.thread.idOf(reply_to.id);
    const words = { content, reply_to: quoted, at_ms: this.#now() };
    void this.#write(id, words);
    return this.#pending(id, words);
  }

  /** The journal confirms, and the link hears it first. */
  acknowledge(): void {
    this.#look();
  }

  confirm(id: ClientId): void {
    if (this.#writing.delete(id)) this.#look();
  }

  /** A new history says nothing about what the journal does not contain. */
  dropAcknowledged(): void {
    this.#look();
  }

  fail(id: ClientId, failure: Failure): void {
    void this.#link.posts.refused(id, { code: failure.code, final: false });
  }

  /** A post that the journal has refused is taken under no circumstances: its words go in a new one. */
  retry(id: ClientId): void {
    const words = this.#writing.get(id);
    const post = this.#link.posts.list.find((each) => each.id === id);
    if (words !== undefined) void this.#write(id, words);
    else if (post?.refusal?.final === true) void this.#again(post);
    else if (post !== undefined) void this.#link.posts.retry(id);
  }

  discard(id: ClientId): void {
    this.#writing.delete(id);
    this.#storage.remove(this.#key(id));
    void this.#link.posts.remove(id);
    this.#look();
  }

  async #again(post: Post): Promise<void> {
    await this.#write(this.#newId(), { ...wordsOf(post), at_ms: this.#now() });
    await this.#link.posts.remove(post.id);
  }

  /**
   * To disk. The words lie in the page's own storage until the database has them, which takes a
   * moment: a phone that dies in it still has them.
   */
  async #write(id: string, { content, reply_to, at_ms }: Words): Promise<void> {
    const words = { content, reply_to, at_ms };
    this.#storage.write(this.#key(id), JSON.stringify(words));
    this.#writing.set(id, { ...words, failure: null });
    this.#look();
    const json = { content, ...(reply_to === null ? {} : { reply_to }) };
    try {
      await this.#link.posts.add({ id, kind: 'message', at_ms, json });
      this.#storage.remove(this.#key(id));
      this.#writing.delete(id);
    } catch (error) {
      console.error('a message could not be kept on this device:', error);
      this.#writing.set(id, { ...words, failure: { code: 'device_full', detail: '' } });
    }
    this.#look();
  }

  /** What an earlier visit was about to write. */
  #resume(): void {
    const prefix = this.#key('');
    for (const key of this.#storage.keys(prefix)) {
      const id = key.slice(prefix.length);
      const words = parse(this.#storage.read(key));
      const isKept = this.#link.thread.has(id) || this.#link.posts.list.some((it) => it.id === id);
      if (words === null || isKept) this.#storage.remove(key);
      else void this.#write(id, words);
    }
  }

  #look(): void {
    const { list } = this.#link.posts;
    const kept = list.filter((post) => post.kind === 'message');
    const ids = new Set(list.map((post) => post.id));
    const writing = [...this.#writing].filter(([id]) => !ids.has(id));
    this.#items = [
      ...kept.map((post) => this.#pending(post.id, wordsOf(post), post)),
      ...writing.map(([id, words]) => ({
        ...this.#pending(id, words),
        failure: words.failure,
      })),
    ];
  }

  #pending(id: string, words: Words, post?: Post): Pending {
    const quote = this.#link.thread.quote(words.reply_to);
    const storedAt = post?.storedAt ?? null;
    const refusal = post?.refusal ?? null;
    return {
      client_id: clientId(id),
      content: words.content,
      reply_to: quote === null ? null : { ...quote, id: messageId(quote.id) },
      created_at: new Date(words.at_ms).toISOString(),
      failure: refusal === null ? null : { code: refusal.code, detail: '' },
      acknowledged: storedAt !== null,
      stored_at: storedAt === null ? null : new Date(storedAt).toISOString(),
    };
  }

  #key(id: string): string {
    return `motoreach.writing.${this.#link.record.invite}.${id}`;
  }
}

function wordsOf(post: Post): Words {
  const { content, reply_to } = post.json;
  return {
    content: typeof content === 'string' ? content : '',
    reply_to: typeof reply_to === 'string' ? reply_to : null,
    at_ms: post.at_ms,
  };
}

function parse(text: string | null): Words | null {
  try {
    const from = JSON.parse(text ?? 'null') as Partial<Words> | null;
    if (typeof from?.content !== 'string' || typeof from.at_ms !== 'number') return null;
    return { content: from.content, reply_to: from.reply_to ?? null, at_ms: from.at_ms };
  } catch {
    return null;
  }
}
