/**
 * The things that both HTTP answers and frames carry, as the box writes them (snake_case stays, so
 * that one word can be searched for in SQL, Rust, JSON and here).
 */
import { bool, int, list, nullable, object, string, word, type Json } from './guard';
import {
  clientId,
  inviteId,
  messageId,
  personId,
  requestId,
  type ClientId,
  type InviteId,
  type MessageId,
  type PersonId,
  type RequestId,
} from './ids';

export const statuses = [
  'CREATED',
  'CONNECTED',
  'ESTIMATE_SHARED',
  'IN_PROGRESS',
  'COMPLETED',
  'VERIFIED',
  'CANCELLED',
  'EXPIRED',
] as const;
export type Status = (typeof statuses)[number];

export const sides = ['USER', 'WORKSHOP'] as const;
/** `USER` is the vehicle's owner, `WORKSHOP` is anyone of the staff. */
export type Side = (typeof sides)[number];

export const roles = ['user', 'workshop_admin', 'mechanic'] as const;
export type Role = (typeof roles)[number];

const deliveries = ['sent', 'delivered', 'read'] as const;
export type Delivery = (typeof deliveries)[number];

const removedWhys = ['redacted', 'expired', 'forgotten', 'trimmed', 'unopened'] as const;
/**
 * Why a message shows no words: a person removed it, its time ran out, its owner asked to be
 * forgotten, the relay keeps it no longer, or it does not open with this link's keys.
 */
export type RemovedWhy = (typeof removedWhys)[number];

export interface User {
  readonly id: PersonId;
  readonly full_name: string;
  readonly role: Role;
}

export interface Workshop {
  readonly id: number;
  readonly name: string;
}

export interface Vehicle {
  readonly plate: string;
  readonly make: string | null;
  readonly model: string | null;
  readonly year: number | null;
}

export interface LastMessage {
  readonly id: MessageId;
  readonly content: string;
  readonly created_at: string;
  readonly sender_type: Side;
  readonly sender_name: string;
}

export interface ServiceRequest {
  readonly id: RequestId;
  readonly status: Status;
  readonly allowed_statuses: readonly Status[];
  readonly description: string;
  readonly vehicle: Vehicle;
  readonly customer: {
    readonly id: PersonId;
    readonly full_name: string;
    readonly phone: string | null;
  };
  readonly workshop: Workshop;
  readonly assigned_to: { readonly id: PersonId; readonly full_name: string } | null;
  readonly unread_count: number;
  readonly last_message: LastMessage | null;
  readonly created_at: string;
  readonly updated_at: string;
}

export interface Quote {
  readonly id: MessageId;
  readonly author_name: string;
  readonly excerpt: string;
}

export interface Message {
  readonly id: MessageId;
  readonly service_request_id: RequestId;
  readonly sender_type: Side;
  readonly sender_name: string;
  readonly content: string;
  readonly created_at: string;
  readonly client_id: ClientId;
  readonly rev: number;
  readonly author_name: string;
  readonly author_id: PersonId | null;
  readonly reply_to: Quote | null;
  readonly expires_at: string | null;
  readonly delivery: Delivery;
  readonly redacted: boolean;
  /** Why the words are gone, where a message says so by itself. */
  readonly removed: RemovedWhy | null;
  readonly damaged: boolean;
}

export interface Person {
  readonly id: PersonId;
  readonly full_name: string;
  readonly role: Role;
  readonly username: string | null;
  readonly phone: string | null;
  readonly email: string | null;
  readonly active: boolean;
  readonly created_at: string;
}

/** How a device reaches the thread: on the workshop's own network, or over the relay. */
export const doors = ['lan', 'relay'] as const;
export type Door = (typeof doors)[number];

export interface Device {
  readonly id: string;
  readonly name: string;
  readonly via: Door;
  readonly first_seen_at: string;
  readonly last_seen_at: string;
}

export interface Invite {
  readonly id: InviteId;
  /** What the owner gets; it begins with the relay's address where there is one. */
  readonly url: string | null;
  /** The same link on the workshop's own network. */
  readonly lan_url: string | null;
  readonly qr_svg: string | null;
  readonly created_at: string;
  readonly expires_at: string | null;
  readonly revoked_at: string | null;
  readonly devices: readonly Device[];
}

export interface UnreadItem {
  readonly service_request_id: RequestId;
  readonly other_party_name: string;
  readonly unread_count: number;
  readonly last_message_excerpt: string;
  readonly last_message_time: string | null;
}

export interface UnreadSummary {
  readonly total_unread_count: number;
  readonly items: readonly UnreadItem[];
}

const asPersonId = (from: Json, key: string) => personId(int(from, key));
const asMessageId = (from: Json, key: string) => messageId(int(from, key));

export function readUser(value: unknown): User {
  const from = object(value, 'user');
  return {
    id: asPersonId(from, 'id'),
    full_name: string(from, 'full_name'),
    role: word(from, 'role', roles),
  };
}

export function readWorkshop(value: unknown): Workshop {
  const from = object(value, 'workshop');
  return { id: int(from, 'id'), name: string(from, 'name') };
}

function readVehicle(value: unknown): Vehicle {
  const from = object(value, 'vehicle');
  return {
    plate: string(from, 'plate'),
    make: nullable(from, 'make', string),
    model: nullable(from, 'model', string),
    year: nullable(from, 'year', int),
  };
}

function readLastMessage(from: Json, key: string): LastMessage {
  const last = object(from[key], key);
  return {
    id: asMessageId(last, 'id'),
    content: string(last, 'content'),
    created_at: string(last, 'created_at'),
    sender_type: word(last, 'sender_type', sides),
    sender_name: string(last, 'sender_name'),
  };
}

export function readRequest(value: unknown): ServiceRequest {
  const from = object(value, 'service request');
  const customer = object(from['customer'], 'customer');
  return {
    id: requestId(int(from, 'id')),
    status: word(from, 'status', statuses),
    allowed_statuses: list(from, 'allowed_statuses', (status) =>
      word({ status }, 'status', statuses),
    ),
    description: string(from, 'description'),
    vehicle: readVehicle(from['vehicle']),
    customer: {
      id: asPersonId(customer, 'id'),
      full_name: string(customer, 'full_name'),
      phone: nullable(customer, 'phone', string),
    },
    workshop: readWorkshop(from['workshop']),
    assigned_to: nullable(from, 'assigned_to', (_, key) => {
      const person = object(from[key], key);
      return { id: asPersonId(person, 'id'), full_name: string(person, 'full_name') };
    }),
    unread_count: nullable(from, 'unread_count', int) ?? 0,
    last_message: nullable(from, 'last_message', readLastMessage),
    created_at: string(from, 'created_at'),
    updated_at: string(from, 'updated_at'),
  };
}

function readQuote(from: Json, key: string): Quote {
  const quote = object(from[key], key);
  return {
    id: asMessageId(quote, 'id'),
    author_name: string(quote, 'author_name'),
    excerpt: string(quote, 'excerpt'),
  };
}

export function readMessage(value: unknown): Message {
  const from = object(value, 'message');
  return {
    id: asMessageId(from, 'id'),
    service_request_id: requestId(int(from, 'service_request_id')),
    sender_type: word(from, 'sender_type', sides),
    sender_name: string(from, 'sender_name'),
    content: string(from, 'content'),
    created_at: string(from, 'created_at'),
    client_id: clientId(string(from, 'client_id')),
    rev: int(from, 'rev'),
    author_name: string(from, 'author_name'),
    author_id: nullable(from, 'author_id', asPersonId),
    reply_to: nullable(from, 'reply_to', readQuote),
    expires_at: nullable(from, 'expires_at', string),
    delivery: word(from, 'delivery', deliveries),
    redacted: nullable(from, 'redacted', bool) ?? false,
    removed: nullable(from, 'removed', (_, key) => word(from, key, removedWhys)),
    damaged: nullable(from, 'damaged', bool) ?? false,
  };
}

export function readPerson(value: unknown): Person {
  const from = object(value, 'person');
  return {
    ...readUser(value),
    username: nullable(from, 'username', string),
    phone: nullable(from, 'phone', string),
    email: nullable(from, 'email', string),
    active: bool(from, 'active'),
    created_at: string(from, 'created_at'),
  };
}

function readDevice(value: unknown): Device {
  const from = object(value, 'device');
  return {
    id: string(from, 'id'),
    name: string(from, 'name'),
    via: nullable(from, 'via', (_, key) => word(from, key, doors)) ?? 'lan',
    first_seen_at: string(from, 'first_seen_at'),
    last_seen_at: string(from, 'last_seen_at'),
  };
}

export function readInvite(value: unknown): Invite {
  const from = object(value, 'invite');
  return {
    id: inviteId(string(from, 'id')),
    url: nullable(from, 'url', string),
    lan_url: nullable(from, 'lan_url', string),
    qr_svg: nullable(from, 'qr_svg', string),
    created_at: string(from, 'created_at'),
    expires_at: nullable(from, 'expires_at', string),
    revoked_at: nullable(from, 'revoked_at', string),
    devices: list(from, 'devices', readDevice),
  };
}

export function readUnreadSummary(value: unknown): UnreadSummary {
  const from = object(value, 'unread summary');
  return {
    total_unread_count: int(from, 'total_unread_count'),
    items: list(from, 'items', (each) => {
      const item = object(each, 'item');
      return {
        service_request_id: requestId(int(item, 'service_request_id')),
        other_party_name: string(item, 'other_party_name'),
        unread_count: int(item, 'unread_count'),
        last_message_excerpt: string(item, 'last_message_excerpt'),
        last_message_time: nullable(item, 'last_message_time', string),
      };
    }),
  };
}
