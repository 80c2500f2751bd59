/** The silence alarm: as the box gives out its link, and as the relay answers a phone that opened it. */
import { bool, int, nullable, object, string } from './guard';
import { fromBase64Url, fromUtf8 } from './bytes';

/** `GET /api/relay/alarm/` of a box. */
export interface AlarmLink {
  readonly on: boolean;
  /** Null before the relay has said what its links begin with. */
  readonly url: string | null;
}

export function readAlarmLink(value: unknown): AlarmLink {
  const from = object(value, 'alarm');
  return {
    on: bool(from, 'on'),
    url: nullable(from, 'url', string),
  };
}

/** `POST /api/alarm/<workshop>/` of a relay. */
export interface AlarmStands {
  readonly online: boolean;
  readonly silent_since: string | null;
  readonly after_s: number;
  readonly phones: number;
  readonly subscribed: boolean;
  readonly vapid: string;
  readonly now: string;
}

export function readAlarmStands(value: unknown): AlarmStands {
  const from = object(value, 'alarm');
  return {
    online: bool(from, 'online'),
    silent_since: nullable(from, 'silent_since', string),
    after_s: int(from, 'after_s'),
    phones: int(from, 'phones'),
    subscribed: bool(from, 'subscribed'),
    vapid: string(from, 'vapid'),
    now: string(from, 'now'),
  };
}

/** What follows `#` in an alarm's link: the secret, and the workshop's name for this phone alone. */
export interface AlarmFragment {
  readonly secret: string;
  readonly workshopName: string;
}

/** Null where the fragment is not whole. */
export function readAlarmFragment(fragment: string): AlarmFragment | null {
  const found = /^([\w-]{43})\.([\w-]*)$/.exec(fragment);
  const [, secret, name] = found ?? [];
  const bytes = name === undefined ? null : fromBase64Url(name);
  if (secret === undefined || bytes === null) return null;
  return { secret, workshopName: fromUtf8(bytes) };
}
