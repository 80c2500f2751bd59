/** What a pushed entry looks like as a notification: its words where they open, else a plain line. */
import { openBody } from '$lib/seal/body';
import type { OwnerStore } from '$lib/store/owner-store';
import { text } from '$lib/text';
import { moment } from '$lib/text/format';
import { fromBase64Url, toBase64Url, uuidBytes } from '$lib/wire/bytes';

/** As the relay sends it (`src/relay/push`). */
export interface PushPayload {
  readonly thread?: string;
  /** The link that subscribed, as a UUID. */
  readonly invite?: string;
  readonly id?: string;
  readonly kind?: string;
  readonly epoch?: number;
  readonly body?: string | undefined;
  readonly clear?: boolean;
  readonly test?: boolean;
  /** A box is silent, or back: whose, as a UUID. Then nothing is said of a thread. */
  readonly alarm?: string;
  readonly silent_since?: string;
}

export interface Shown {
  readonly title: string;
  readonly options: NotificationOptions;
}

/** One notification a thread: a newer one takes the place of the one before. */
export const tagOf = ({ thread, alarm }: PushPayload): string =>
  alarm === undefined ? `thread:${thread ?? ''}` : `alarm:${alarm}`;

/** A link's id as its path has it. */
export const inviteOf = ({ invite }: PushPayload): string | undefined =>
  invite === undefined ? undefined : toBase64Url(uuidBytes(invite));

export async function notificationOf(store: OwnerStore, payload: PushPayload): Promise<Shown> {
  if (payload.alarm !== undefined) return alarmOf(store, payload, payload.alarm);
  const invite = inviteOf(payload);
  const options = {
    tag: tagOf(payload),
    icon: '/icons/icon-192.png',
    badge: '/icons/badge-96.png',
    data: { invite },
  };
  const link = invite === undefined ? null : await store.link(invite);
  const name = link?.label.workshopName;
  const title = name === undefined || name === '' ? text.product : name;
  if (payload.test === true) {
    return { title, options: { ...options, body: text.owner.push.testBody } };
  }
  const words = await wordsOf(store, payload).catch(() => null);
  if (words === null) return { title, options: { ...options, body: text.owner.push.generic } };
  return { title: words.from || title, options: { ...options, body: words.content } };
}

/** What a phone of the workshop's is told of its box. */
async function alarmOf(store: OwnerStore, payload: PushPayload, alarm: string): Promise<Shown> {
  const workshop = toBase64Url(uuidBytes(alarm));
  const known = await store.alarm(workshop).catch(() => null);
  const since = payload.silent_since;
  const words = text.alarm.push;
  return {
    title: known?.workshopName ?? text.product,
    options: {
      tag: tagOf(payload),
      icon: '/icons/icon-192.png',
      badge: '/icons/badge-96.png',
      body:
        payload.test === true
          ? words.test
          : since === undefined
            ? words.back
            : words.silent(moment(since)),
      data: { alarm: workshop },
    },
  };
}

/** Null where the body is not along, or does not open with the keys of this phone. */
async function wordsOf(
  store: OwnerStore,
  payload: PushPayload,
): Promise<{ from: string; content: string } | null> {
  const invite = inviteOf(payload);
  const { id, kind, thread, epoch, body } = payload;
  if (invite === undefined || id === undefined || kind === undefined) return null;
  if (thread === undefined || body === undefined) return null;
  const link = await store.link(invite);
  const keys = (await store.keys(invite)).find((each) => each.epoch === epoch);
  const sealed = fromBase64Url(body);
  const workshop = link?.workshop ?? null;
  if (workshop === null || keys === undefined || sealed === null) return null;
  const context = {
    workshop: uuidBytes(workshop),
    thread: uuidBytes(thread),
    event: uuidBytes(id),
    kind,
  };
  const { json } = await openBody(keys.journal, context, sealed);
  const { from, content } = json;
  if (typeof content !== 'string') return null;
  return { from: typeof from === 'string' ? from : '', content };
}
