/** What the chat shows from top to bottom: days, the unread line, messages and what is not sent yet. */
import type { Message } from '$lib/wire/things';
import type { UnreadStretch } from './conversation.svelte';
import type { Pending } from './outbox.svelte';

export type TimelineItem =
  | { readonly kind: 'day'; readonly key: string; readonly at: Date }
  | { readonly kind: 'unread'; readonly key: 'unread'; readonly count: number }
  | {
      readonly kind: 'message';
      readonly key: string;
      readonly message: Message;
      /** First and last of a run by one author: where the name and the bubble's corner go. */
      readonly first: boolean;
      readonly last: boolean;
    }
  | {
      readonly kind: 'pending';
      readonly key: string;
      readonly pending: Pending;
      readonly first: boolean;
      readonly last: boolean;
    };

const run_ms_max = 5 * 60_000;

/** `unread` is where the line goes; it counts the other side's messages in that stretch. */
export function timeline(
  messages: readonly Message[],
  pending: readonly Pending[],
  unread: UnreadStretch | null,
): readonly TimelineItem[] {
  const items: TimelineItem[] = [];
  // What was typed yesterday without a network may come after today's: a day can come twice.
  const days = new Map<string, number>();
  const beginDay = (at: Date) => {
    const day = at.toDateString();
    const times = (days.get(day) ?? 0) + 1;
    days.set(day, times);
    items.push({ kind: 'day', key: `day ${day} ${times}`, at });
  };
  const firstUnread =
    unread === null ? undefined : messages.find((each) => isUnread(each, unread, messages));
  messages.forEach((message, index) => {
    const before = messages[index - 1];
    const after = messages[index + 1];
    const newDay = before === undefined || !sameDay(before, message);
    if (newDay) beginDay(new Date(message.created_at));
    if (message === firstUnread && unread !== null) {
      const count = messages.filter((each) => isUnread(each, unread, messages)).length;
      items.push({ kind: 'unread', key: 'unread', count });
    }
    items.push({
      kind: 'message',
      key: message.client_id,
      message,
      first: newDay || message === firstUnread || !sameRun(before, message),
      last: after === undefined || after === firstUnread || !sameRun(message, after),
    });
  });
  const shown = new Set(messages.map((message) => message.client_id));
  const waiting = pending.filter((each) => !shown.has(each.client_id));
  waiting.forEach((each, index) => {
    const before = waiting[index - 1] ?? messages.at(-1);
    if (before === undefined || !sameDay(before, each)) beginDay(new Date(each.created_at));
    items.push({
      kind: 'pending',
      key: each.client_id,
      pending: each,
      first: index === 0,
      last: index === waiting.length - 1,
    });
  });
  return items;
}

function isUnread(message: Message, unread: UnreadStretch, all: readonly Message[]): boolean {
  const side = all.find((each) => each.id === unread.upTo)?.sender_type;
  return message.sender_type === side && message.id > unread.after && message.id <= unread.upTo;
}

interface Dated {
  readonly created_at: string;
}

const sameDay = (a: Dated, b: Dated) =>
  new Date(a.created_at).toDateString() === new Date(b.created_at).toDateString();

function sameRun(a: Message | undefined, b: Message): boolean {
  return (
    a !== undefined &&
    a.sender_type === b.sender_type &&
    a.author_name === b.author_name &&
    sameDay(a, b) &&
    Date.parse(b.created_at) - Date.parse(a.created_at) < run_ms_max
  );
}
