/**
 * One owner's link on this device: its keys, the conversation kept here, and what waits to be sent.
 *
 * `sealed-socket` speaks for it; it outlives sockets. Everything that a socket brings passes through
 * here one after the other, is kept, and only then shown.
 */
import { openBody } from '$lib/seal/body';
import { SealBroken } from '$lib/seal/key';
import { authOf, readLink, unwrap, type LinkSecret, type ThreadKeys } from '$lib/seal/link';
import type { LinkRecord, OwnerStore } from '$lib/store/owner-store';
import { uuidBytes } from '$lib/wire/bytes';
import { WireError } from '$lib/wire/guard';
import type { GoneWhy, OwnerEntry, OwnerWrap, RelayHello } from '$lib/wire/owner';
import { SealedPosts, type Sealer } from './sealed-posts';
import { SealedThread, type OpenedEntry } from './sealed-thread';

export interface LinkParts {
  readonly store: OwnerStore;
  readonly now: () => number;
  readonly newId: () => string;
}

export class OwnerLink {
  readonly thread = new SealedThread();
  readonly posts: SealedPosts;
  readonly auth: string;
  readonly #parts: LinkParts;
  readonly #secret: LinkSecret;
  #record: LinkRecord;
  #keys = new Map<number, ThreadKeys>();
  #gone: GoneWhy | null = null;

  private constructor(parts: LinkParts, record: LinkRecord, secret: LinkSecret, auth: string) {
    this.#parts = parts;
    this.#record = record;
    this.#secret = secret;
    this.auth = auth;
    const sealer = () => this.#sealer();
    const nextSeq = async () => {
      const kept = await parts.store.link(record.invite);
      return kept?.nextPost ?? this.#record.nextPost;
    };
    this.posts = new SealedPosts(parts.store, sealer, nextSeq, (id) => this.thread.has(id));
  }

  /** Opens a link with what is kept of it; null when the link is not whole. */
  static async open(parts: LinkParts, invite: string, fragment: string): Promise<OwnerLink | null> {
    const known = await parts.store.link(invite);
    const used = fragment === '' ? (known?.fragment ?? '') : fragment;
    const secret = await readLink(invite, used);
    if (secret === null) return null;
    const record = known ?? newRecord(invite, parts.newId());
    const now = { ...record, fragment: used.replace(/^#/, ''), usedAt: parts.now() };
    await parts.store.addLink(now);
    const link = new OwnerLink(parts, now, secret, await authOf(secret));
    await link.#restore();
    return link;
  }

  get record(): LinkRecord {
    return this.#record;
  }

  /** Why it opens nothing any more; null while it does, as far as is known. */
  get gone(): GoneWhy | null {
    return this.#gone;
  }

  /** Whether this phone can show the conversation and write in it. */
  get isKnown(): boolean {
    return this.#keys.size > 0 && this.thread.rev > 0;
  }

  async remember(change: Partial<LinkRecord>): Promise<void> {
    this.#record = { ...this.#record, ...change };
    await this.#parts.store.changeLink(this.#record.invite, change);
  }

  /** Another tab changed what is kept of this link (its name, its notifications). */
  async reread(): Promise<void> {
    const kept = await this.#parts.store.link(this.#record.invite);
    if (kept !== null) this.#record = { ...kept, log: this.#record.log, after: this.#record.after };
    await this.posts.load();
  }

  /** What the relay said first. True: what was kept is of another journal and is forgotten. */
  async hello(frame: RelayHello): Promise<boolean> {
    const { workshop, thread, expires_at, log } = frame;
    await this.remember({ workshop, thread, expires_at, gone: null });
    this.#gone = null;
    await this.wraps(frame.wraps);
    const fresh = log !== this.#record.log || frame.from !== this.#record.after;
    if (fresh) {
      this.thread.startOver();
      this.#record = { ...this.#record, log, after: 0 };
      await this.#parts.store.startOver(this.#record.invite, log);
    }
    return fresh;
  }

  /** New keys of the thread; one that is not for this link is left out. */
  async wraps(wraps: readonly OwnerWrap[]): Promise<void> {
    const news = wraps.filter((each) => !this.#keys.has(each.epoch));
    const keys = await Promise.all(
      news.map((each) => unwrap(this.#secret, each.epoch, each.wrapped).catch(orNull)),
    );
    const opened = keys.filter((each) => each !== null);
    if (opened.length === 0) return;
    for (const each of opened) this.#keys.set(each.epoch, each);
    await this.#parts.store.addKeys(this.#record.invite, opened);
  }

  /** Opens, keeps and takes in the next entries of the journal `log`. */
  async take(log: string | null, entries: readonly OwnerEntry[]): Promise<void> {
    const opened = await this.#open(entries);
    const { invite } = this.#record;
    try {
      await this.#parts.store.append(invite, log, entries, erasedBy(opened));
    } catch (error) {
      // A full phone: the conversation is shown all the same, and fetched again next time.
      console.warn('the conversation could not be kept on this device:', error);
    }
    this.thread.apply(opened);
    this.#record = { ...this.#record, after: Math.max(this.#record.after, this.thread.rev) };
    const refused = opened.filter((entry) => entry.kind === 'post_refused');
    for (const entry of refused) {
      const why = entry.json?.['why'];
      const code = typeof why === 'string' ? why : 'refused';
      await this.posts.refused(entry.id, { code, final: true });
    }
    const gone = new Set(opened.map((entry) => entry.id));
    for (const entry of refused) gone.delete(entry.id);
    this.posts.settled(gone);
    await this.#label();
  }

  /** The link opens nothing any more. What a revoked one has shown is removed from this phone. */
  async end(why: GoneWhy): Promise<void> {
    this.#gone = why;
    if (why === 'revoked') await this.#parts.store.wipe(this.#record.invite, why);
    else await this.remember({ gone: why });
  }

  async #restore(): Promise<void> {
    const { invite } = this.#record;
    for (const keys of await this.#parts.store.keys(invite)) this.#keys.set(keys.epoch, keys);
    this.thread.apply(await this.#open(await this.#parts.store.entries(invite)));
    await this.posts.load();
    for (const post of this.posts.list) {
      const upTo = post.json['up_to'];
      if (post.kind === 'read' && typeof upTo === 'string') this.thread.noteRead(upTo, post.at_ms);
    }
  }

  #open(entries: readonly OwnerEntry[]): Promise<readonly OpenedEntry[]> {
    return Promise.all(entries.map((entry) => this.#openOne(entry)));
  }

  async #openOne({ body, epoch, ...entry }: OwnerEntry): Promise<OpenedEntry> {
    const { workshop, thread } = this.#record;
    const keys = this.#keys.get(epoch);
    if (body === null) return { ...entry, at_ms: 0, json: null, broken: false };
    if (keys === undefined || workshop === null || thread === null) {
      return { ...entry, at_ms: 0, json: null, broken: true };
    }
    const context = {
      workshop: uuidBytes(workshop),
      thread: uuidBytes(thread),
      event: uuidBytes(entry.id),
      kind: entry.kind,
    };
    const opened = await openBody(keys.journal, context, body).catch(orNull);
    if (opened === null) return { ...entry, at_ms: 0, json: null, broken: true };
    return { ...entry, ...opened, broken: false };
  }

  async #label(): Promise<void> {
    const { workshop, vehicle, id } = this.thread.request;
    const label = { workshopName: workshop.name, plate: vehicle.plate, request: id as number };
    const before = this.#record.label;
    const same =
      label.workshopName === before.workshopName &&
      label.plate === before.plate &&
      label.request === before.request;
    if (!same && label.workshopName !== '') await this.remember({ label });
  }

  #sealer(): Sealer | null {
    const { invite, workshop, thread, device } = this.#record;
    if (workshop === null || thread === null) return null;
    return {
      invite,
      workshop,
      thread,
      device,
      newest: () => this.#keys.get(Math.max(-1, ...this.#keys.keys())) ?? null,
      ofEpoch: (epoch) => this.#keys.get(epoch) ?? null,
    };
  }
}

/** The bodies that these entries erase, by event. */
function erasedBy(opened: readonly OpenedEntry[]): ReadonlySet<string> {
  const erasing = opened.filter(
    (entry) => entry.kind === 'message_redacted' || entry.kind === 'message_expired',
  );
  const ids = erasing.map((entry) => entry.json?.['message']);
  return new Set(ids.filter((id): id is string => typeof id === 'string'));
}

function orNull(error: unknown): null {
  if (error instanceof SealBroken || error instanceof WireError) return null;
  throw error;
}

function newRecord(invite: string, device: string): LinkRecord {
  return {
    invite,
    fragment: '',
    device,
    deviceName: null,
    workshop: null,
    thread: null,
    log: null,
    after: 0,
    expires_at: null,
    usedAt: 0,
    label: { workshopName: '', plate: '', request: 0 },
    nextPost: 1,
    push: 'unasked',
    gone: null,
  };
}
