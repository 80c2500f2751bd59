/** The frames of `motoreach.v1` in both directions, and how text off a socket becomes one of them. */
import { bool, int, list, nullable, object, string, word, WireError, type Json } from './guard';
import {
  clientId,
  messageId,
  requestId,
  type ClientId,
  type MessageId,
  type RequestId,
} from './ids';
import {
  readMessage,
  readRequest,
  readUnreadSummary,
  readUser,
  sides,
  type Message,
  type RemovedWhy,
  type ServiceRequest,
  type Side,
  type UnreadSummary,
  type User,
} from './things';

/** The subprotocol both of our sockets ask for. */
export const subprotocol = 'motoreach.v1';
/** How long a message may be, in Unicode scalar values after trimming. */
export const content_scalars_max = 8000;

export interface Peer {
  readonly name: string;
  readonly side: Side;
}

export interface Receipt {
  readonly side: Side;
  readonly name: string;
  readonly up_to: MessageId;
  readonly at: string;
}

export interface You extends User {
  readonly side: Side;
}

export interface HelloFrame {
  readonly type: 'chat.hello';
  readonly log: string;
  readonly rev: number;
  readonly you: You;
  readonly peers: readonly Peer[];
  readonly workshop_online: boolean;
  readonly receipts: readonly Receipt[];
  readonly request: ServiceRequest;
}

export interface HistoryFrame {
  readonly type: 'chat.history';
  readonly messages: readonly Message[];
  readonly has_more: boolean;
  /** Set when these are older messages that were asked for; otherwise they replace what is shown. */
  readonly before: MessageId | null;
}

export interface MessageFrame {
  readonly type: 'chat.message';
  readonly message: Message;
}

export interface AckFrame {
  readonly type: 'chat.ack';
  readonly client_id: ClientId;
  readonly id: MessageId;
  readonly rev: number;
}

export interface ReadFrame {
  readonly type: 'chat.read';
  readonly receipt: Receipt;
  readonly rev: number;
}

export interface TypingFrame {
  readonly type: 'chat.typing';
  readonly name: string;
  readonly side: Side;
}

export interface PresenceFrame {
  readonly type: 'chat.presence';
  readonly side: Side;
  readonly online: boolean;
  readonly name: string | null;
}

export interface RedactedFrame {
  readonly type: 'chat.redacted';
  readonly id: MessageId;
  readonly rev: number;
  readonly by: string | null;
  readonly why: RemovedWhy;
}

export interface ChangedFrame {
  readonly type: 'chat.changed';
  readonly what: string;
  readonly rev: number;
  readonly request: ServiceRequest;
}

export interface ErrorFrame {
  readonly type: 'chat.error';
  readonly code: string;
  readonly detail: string;
  readonly client_id: ClientId | null;
}

export interface NotificationFrame {
  readonly type: 'notification.message';
  readonly data: UnreadSummary;
}

export interface RequestsChangedFrame {
  readonly type: 'requests.changed';
  readonly service_request_id: RequestId;
}

/** The workshop's messages up to here are at the relay. */
export interface DeliveredFrame {
  readonly type: 'chat.delivered';
  readonly up_to: MessageId;
}

export const linkStates = ['unpaired', 'connecting', 'online', 'waiting', 'stopped'] as const;
export type LinkStateWord = (typeof linkStates)[number];

/** How the link to the relay stands; for staff. */
export interface LinkStateFrame {
  readonly type: 'link.state';
  readonly state: LinkStateWord;
  /** What stands in the way: a word that a later box may add to. */
  readonly why: string | null;
  readonly since: string;
  readonly waiting_messages: number;
  readonly waiting_since: string | null;
}

export type ServerFrame =
  | HelloFrame
  | HistoryFrame
  | MessageFrame
  | AckFrame
  | ReadFrame
  | TypingFrame
  | PresenceFrame
  | RedactedFrame
  | ChangedFrame
  | ErrorFrame
  | NotificationFrame
  | RequestsChangedFrame
  | DeliveredFrame
  | LinkStateFrame;

export type ClientFrame =
  | {
      readonly type: 'chat.message';
      readonly client_id: ClientId;
      readonly content: string;
      readonly reply_to?: MessageId;
    }
  | { readonly type: 'chat.read'; readonly up_to: MessageId }
  | { readonly type: 'chat.typing' }
  | { readonly type: 'chat.history'; readonly before: MessageId; readonly limit: number }
  | { readonly type: 'chat.redact'; readonly id: MessageId };

const side = (from: Json) => word(from, 'side', sides);
const asMessageId = (from: Json, key: string) => messageId(int(from, key));
const asClientId = (from: Json, key: string) => clientId(string(from, key));

function readReceipt(value: unknown): Receipt {
  const from = object(value, 'receipt');
  return {
    side: side(from),
    name: string(from, 'name'),
    up_to: asMessageId(from, 'up_to'),
    at: string(from, 'at'),
  };
}

function readPeer(value: unknown): Peer {
  const from = object(value, 'peer');
  return { name: string(from, 'name'), side: side(from) };
}

function readHello(from: Json): HelloFrame {
  return {
    type: 'chat.hello',
    log: string(from, 'log'),
    rev: int(from, 'rev'),
    you: { ...readUser(from['you']), side: side(object(from['you'], 'you')) },
    peers: list(from, 'peers', readPeer),
    workshop_online: bool(from, 'workshop_online'),
    receipts: list(from, 'receipts', readReceipt),
    request: readRequest(from['request']),
  };
}

const readers: Record<string, (from: Json) => ServerFrame> = {
  'chat.hello': readHello,
  'chat.history': (from) => ({
    type: 'chat.history',
    messages: list(from, 'messages', readMessage),
    has_more: bool(from, 'has_more'),
    before: nullable(from, 'before', asMessageId),
  }),
  'chat.message': (from) => ({ type: 'chat.message', message: readMessage(from) }),
  'chat.ack': (from) => ({
    type: 'chat.ack',
    client_id: asClientId(from, 'client_id'),
    id: asMessageId(from, 'id'),
    rev: int(from, 'rev'),
  }),
  'chat.read': (from) => ({ type: 'chat.read', receipt: readReceipt(from), rev: int(from, 'rev') }),
  'chat.typing': (from) => ({ type: 'chat.typing', name: string(from, 'name'), side: side(from) }),
  'chat.presence': (from) => ({
    type: 'chat.presence',
    side: side(from),
    online: bool(from, 'online'),
    name: nullable(from, 'name', string),
  }),
  'chat.redacted': (from) => readRedacted(from, 'redacted'),
  'chat.expired': (from) => readRedacted(from, 'expired'),
  'chat.changed': (from) => ({
    type: 'chat.changed',
    what: string(from, 'what'),
    rev: int(from, 'rev'),
    request: readRequest(from['request']),
  }),
  'chat.error': (from) => ({
    type: 'chat.error',
    code: string(from, 'code'),
    detail: string(from, 'detail'),
    client_id: nullable(from, 'client_id', asClientId),
  }),
  'notification.message': (from) => ({
    type: 'notification.message',
    data: readUnreadSummary(from['data']),
  }),
  'chat.delivered': (from) => ({ type: 'chat.delivered', up_to: asMessageId(from, 'up_to') }),
  'link.state': (from) => ({
    type: 'link.state',
    state: word(from, 'state', linkStates),
    why: nullable(from, 'why', string),
    since: string(from, 'since'),
    waiting_messages: int(from, 'waiting_messages'),
    waiting_since: nullable(from, 'waiting_since', string),
  }),
  'requests.changed': (from) => ({
    type: 'requests.changed',
    service_request_id: requestId(int(from, 'service_request_id')),
  }),
};

function readRedacted(from: Json, otherwise: RemovedWhy): RedactedFrame {
  return {
    type: 'chat.redacted',
    id: asMessageId(from, 'id'),
    rev: int(from, 'rev'),
    by: nullable(from, 'by', string),
    why: from['why'] === 'expired' || from['why'] === 'forgotten' ? from['why'] : otherwise,
  };
}

/**
 * The frame in `text`, or null when its type is not known here (an old page, a new box).
 *
 * Throws {@link WireError} for what is not JSON or not what its type promises.
 */
export function decode(text: string): ServerFrame | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new WireError('not JSON');
  }
  const from = object(value, 'frame');
  const read = Object.hasOwn(readers, string(from, 'type'))
    ? readers[string(from, 'type')]
    : undefined;
  return read === undefined ? null : read(from);
}

/** The text that carries `frame` to the box. */
export function encode(frame: ClientFrame): string {
  return JSON.stringify(frame);
}
