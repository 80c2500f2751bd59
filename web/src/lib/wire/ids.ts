/** Ids of different things are different types, so that two of them cannot be swapped by mistake. */
declare const brand: unique symbol;
type Branded<T, Name> = T & { readonly [brand]: Name };

export type RequestId = Branded<number, 'request'>;
export type MessageId = Branded<number, 'message'>;
export type PersonId = Branded<number, 'person'>;
/** A message's name on its sender's side: a UUID that makes a resend harmless. */
export type ClientId = Branded<string, 'client'>;
export type InviteId = Branded<string, 'invite'>;

export const requestId = (id: number) => id as RequestId;
export const messageId = (id: number) => id as MessageId;
export const personId = (id: number) => id as PersonId;
export const clientId = (id: string) => id as ClientId;
export const inviteId = (id: string) => id as InviteId;
