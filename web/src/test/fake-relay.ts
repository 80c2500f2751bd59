/** A relay and the box behind it, turned by hand: it seals as the box does and reads what is posted. */
import type { OpenSocket, SocketEvents } from '$lib/net/socket';
import { openBody, sealBody, type Body } from '$lib/seal/body';
import { derivable, hkdf, sealKey, type SealKey } from '$lib/seal/key';
import { concat, fromBase64Url, toBase64Url, utf8, uuidBytes, type Bytes } from '$lib/wire/bytes';
import type { Json } from '$lib/wire/guard';
import { decodeRelay, type OwnerEntry, type RelayHello } from '$lib/wire/owner';

export const workshop = '01935109-0000-7000-8000-0000000000aa';
export const thread = '01935109-0000-7000-8000-0000000000bb';
export const logs = [
  '01935109-0000-7000-8000-000000000001',
  '01935109-0000-7000-8000-000000000002',
];
export const inviteUuid = '01935109-0000-7000-8000-0000000000cc';
export const invite = toBase64Url(uuidBytes(inviteUuid));
const secret = new Uint8Array(32).fill(7);
export const fragment = toBase64Url(secret);
const start_ms = Date.parse('2026-11-22T09:00:00Z');

interface Entry {
  readonly seq: number;
  readonly id: string;
  readonly kind: string;
  readonly from_owner: boolean;
  readonly epoch: number;
  readonly body: string | null;
}

export const uuid = (n: number) => `01935109-0000-7000-9000-${String(n).padStart(12, '0')}`;

/** One page's socket as the relay sees it. */
class RelaySocket {
  readonly sent: Json[] = [];
  isClosed = false;
  readonly path: string;
  readonly #events: SocketEvents;

  constructor(path: string, events: SocketEvents) {
    this.path = path;
    this.#events = events;
  }

  open(): void {
    this.#events.opened?.();
  }

  say(frame: object): void {
    this.#events.text(JSON.stringify(frame));
  }

  drop(code = 1006): void {
    this.#events.closed(code);
  }

  of(type: string): readonly Json[] {
    return this.sent.filter((frame) => frame['type'] === type);
  }
}

export class FakeRelay {
  readonly sockets: RelaySocket[] = [];
  entries: Entry[] = [];
  log = logs[0] as string;
  online = true;
  offlineSince: string | null = null;
  doors: readonly string[] = ['http://motoreach.local'];
  #at = 0;

  readonly open: OpenSocket = (path, events) => {
    const socket = new RelaySocket(path, events);
    this.sockets.push(socket);
    return {
      send: (text) => {
        socket.sent.push(JSON.parse(text) as Json);
      },
      close: () => {
        socket.isClosed = true;
      },
    };
  };

  get last(): RelaySocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error('no socket was opened');
    return socket;
  }

  /** The box writes an entry of the thread. */
  async write(kind: string, json: object, id = uuid(this.entries.length + 1)): Promise<Entry> {
    const { journal } = await keys();
    this.#at += 60_000;
    const body: Body = { at_ms: start_ms + this.#at, json: json as Json };
    const sealed = await sealBody(journal, contextOf(id, kind), new Uint8Array(16), body);
    const from_owner = (json as Json)['side'] === 'user';
    const seq = 10 * (this.entries.length + 1);
    const entry = { seq, id, kind, from_owner, epoch: 0, body: toBase64Url(sealed) };
    this.entries.push(entry);
    return entry;
  }

  async request(): Promise<void> {
    await this.write('request_opened', {
      number: 7,
      owner: uuid(900),
      plate: 'KL 07 CD 4521',
      make: 'Honda',
      model: 'Activa 6G',
      description: 'Brakes squeal.',
      workshop: 'Sharma Motors',
      owner_name: 'Asha Nair',
    });
  }

  staffSays(content: string): Promise<Entry> {
    const json = { side: 'workshop', content, by: 'Ravi Sharma', from: 'Sharma Motors' };
    return this.write('message_posted', json);
  }

  /** The box takes a post: its entry carries the post's id. */
  async takes(post: Json): Promise<Entry> {
    const { json } = await this.opens(post);
    const { content, reply_to, up_to } = json;
    const id = post['id'] as string;
    if (post['kind'] === 'message') {
      const said = { side: 'user', content, by: 'Asha Nair', from: 'Asha Nair' };
      return this.write('message_posted', { ...said, ...(reply_to ? { reply_to } : {}) }, id);
    }
    if (post['kind'] === 'read')
      return this.write('messages_read', { side: 'user', up_to, by: 'Asha Nair' }, id);
    return this.write('device_linked', { ...json }, id);
  }

  async opens(post: Json): Promise<Body> {
    const sealed = fromBase64Url(post['sealed'] as string);
    if (sealed === null) throw new Error('sealed is base64url');
    const { post: key } = await keys();
    return openBody(key, contextOf(post['id'] as string, post['kind'] as string), sealed);
  }

  /** Lets the page in and sends what it has not got. */
  async admit(): Promise<void> {
    const socket = this.last;
    socket.open();
    const auth = socket.of('auth')[0];
    const head = this.entries.at(-1)?.seq ?? 0;
    const after = auth?.['after'] as number;
    const from = auth?.['log'] === this.log && after <= head ? after : 0;
    socket.say(await this.greeting(from));
    this.send(this.entries.filter((entry) => entry.seq > from));
  }

  async greeting(from: number) {
    return {
      type: 'hello',
      workshop,
      thread,
      invite: inviteUuid,
      log: this.log,
      head: this.entries.at(-1)?.seq ?? 0,
      from,
      workshop_online: this.online,
      offline_since: this.offlineSince,
      expires_at: '2027-02-20T09:00:00Z',
      wraps: await wraps(),
      vapid: toBase64Url(new Uint8Array(65).fill(4)),
      doors: this.doors,
      now: '2026-11-22T10:00:00Z',
    };
  }

  /** Its entries, as a page reads them. */
  received(): readonly OwnerEntry[] {
    return this.entries.map((entry) => ({
      ...entry,
      body: entry.body === null ? null : fromBase64Url(entry.body),
    }));
  }

  send(entries: readonly Entry[]): void {
    const head = this.entries.at(-1)?.seq ?? 0;
    this.last.say({ type: 'entries', log: this.log, head, entries, more: false });
  }
}

/** What the relay says first, as a page reads it. */
export async function hello(relay: FakeRelay): Promise<RelayHello> {
  const frame = decodeRelay(JSON.stringify(await relay.greeting(0)));
  if (frame?.type !== 'hello') throw new Error('a hello');
  return frame;
}

const wraps = async () => [{ epoch: 0, wrapped: await wrapped() }];

const threadKey = () => new Uint8Array(32).fill(9);
const uuidContext = { workshop: uuidBytes(workshop), thread: uuidBytes(thread) };
const contextOf = (id: string, kind: string) => ({ ...uuidContext, event: uuidBytes(id), kind });

async function keys(): Promise<{ journal: SealKey; post: SealKey }> {
  const base = await derivable(threadKey());
  const info = concat(utf8('post'), uuidBytes(inviteUuid));
  const salt = await hkdf(base, utf8('post'));
  return {
    journal: await sealKey(await hkdf(base, utf8('journal'))),
    post: await sealKey(await hkdf(await derivable(secret), info, salt)),
  };
}

/** As `InviteSecret::wrap` of the box. */
async function wrapped(): Promise<string> {
  const key = await hkdf(await derivable(secret), utf8('wrap'));
  const epoch = new Uint8Array(2);
  const id = uuidBytes(inviteUuid);
  const nonce = (await hkdf(await derivable(key), concat(utf8('nonce'), id, epoch))).slice(0, 12);
  const cipher = await crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt']);
  const additionalData: Bytes = concat(utf8('motoreach-wrap-1'), id, epoch);
  const how = { name: 'AES-GCM', iv: nonce, additionalData };
  const sealed = new Uint8Array(await crypto.subtle.encrypt(how, cipher, threadKey()));
  return toBase64Url(concat(Uint8Array.of(1), sealed));
}
