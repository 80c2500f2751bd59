/** Stand-ins for the device, turned by hand: a clock, sockets and a box that answers over HTTP. */
import type { Clock } from '$lib/net/clock';
import type { OpenSocket, SocketEvents } from '$lib/net/socket';
import { messageId, personId, requestId, clientId } from '$lib/wire/ids';
import type { Message, ServiceRequest, Side } from '$lib/wire/things';

/** A clock that stands still until it is turned. */
export class FakeClock implements Clock {
  #now = Date.parse('2026-11-22T09:00:00Z');
  #timers: { readonly at: number; readonly then: () => void }[] = [];

  now = () => this.#now;

  after(ms: number, then: () => void): () => void {
    const timer = { at: this.#now + ms, then };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    };
  }

  turn(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const next = this.#timers.filter((each) => each.at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((each) => each !== next);
      this.#now = next.at;
      next.then();
    }
    this.#now = end;
  }
}

/** One socket as the box sees it. */
export class FakeSocket {
  readonly sent: Record<string, unknown>[] = [];
  isClosed = false;
  readonly path: string;
  readonly #events: SocketEvents;

  constructor(path: string, events: SocketEvents) {
    this.path = path;
    this.#events = events;
  }

  say(frame: object): void {
    this.#events.text(JSON.stringify(frame));
  }

  sayText(text: string): void {
    this.#events.text(text);
  }

  drop(code: number): void {
    this.#events.closed(code);
  }
}

/** Collects the sockets that a page opens. */
export class FakeNet {
  readonly sockets: FakeSocket[] = [];

  readonly open: OpenSocket = (path, events) => {
    const socket = new FakeSocket(path, events);
    this.sockets.push(socket);
    return {
      send: (text) => {
        socket.sent.push(JSON.parse(text) as Record<string, unknown>);
      },
      close: () => {
        socket.isClosed = true;
      },
    };
  };

  get last(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error('no socket was opened');
    return socket;
  }
}

/** Lets promises that are already settled run their course. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

export function message(id: number, more: Partial<Message> = {}): Message {
  const side: Side = more.sender_type ?? 'USER';
  return {
    id: messageId(id),
    service_request_id: requestId(7),
    sender_type: side,
    sender_name: side === 'USER' ? 'Asha Nair' : 'Sharma Motors',
    content: `message ${id}`,
    created_at: new Date(Date.parse('2026-11-22T09:00:00Z') + id * 1000).toISOString(),
    client_id: clientId(`client-${id}`),
    rev: 1000 + id,
    author_name: side === 'USER' ? 'Asha Nair' : 'Ravi Sharma',
    author_id: personId(side === 'USER' ? 12 : 3),
    reply_to: null,
    expires_at: null,
    delivery: 'sent',
    redacted: false,
    removed: null,
    damaged: false,
    ...more,
  };
}

export const request: ServiceRequest = {
  id: requestId(7),
  status: 'IN_PROGRESS',
  allowed_statuses: ['COMPLETED', 'CANCELLED'],
  description: 'Brakes squeal.',
  vehicle: { plate: 'KL 07 CD 4521', make: 'Honda', model: 'Activa 6G', year: null },
  customer: { id: personId(12), full_name: 'Asha Nair', phone: '+919845011223' },
  workshop: { id: 1, name: 'Sharma Motors' },
  assigned_to: null,
  unread_count: 0,
  last_message: null,
  created_at: '2026-11-20T08:00:00.000Z',
  updated_at: '2026-11-22T09:00:00.000Z',
};

/** The hello of a box at `rev`, to Ravi of the workshop, with what was read so far. */
export function hello(rev: number, read: { USER?: number; WORKSHOP?: number } = {}, log = 'log-1') {
  const receipts = (['USER', 'WORKSHOP'] as const)
    .filter((side) => read[side] !== undefined)
    .map((side) => ({
      side,
      name: side === 'USER' ? 'Asha Nair' : 'Meena Pillai',
      up_to: messageId(read[side] ?? 0),
      at: '2026-11-22T08:59:00.000Z',
    }));
  return {
    type: 'chat.hello' as const,
    log,
    rev,
    you: {
      id: personId(3),
      full_name: 'Ravi Sharma',
      role: 'workshop_admin' as const,
      side: 'WORKSHOP' as const,
    },
    peers: [],
    workshop_online: true,
    receipts,
    request,
  };
}

/** A history frame that replaces what is shown. */
export function history(messages: readonly Message[], has_more = false) {
  return { type: 'chat.history' as const, messages, has_more, before: null };
}
