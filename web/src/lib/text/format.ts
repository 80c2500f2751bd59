/** Times the way the reader's own language writes them. */
import { text } from './index';

const locale = typeof navigator === 'undefined' ? 'en' : navigator.language;
const clock = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' });
const weekday = new Intl.DateTimeFormat(locale, { weekday: 'long' });
const shortWeekday = new Intl.DateTimeFormat(locale, { weekday: 'short' });
const dayMonth = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' });
const longDay = new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long' });
const dayMonthYear = new Intl.DateTimeFormat(locale, {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
});
const minutesAgo = new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'narrow' });

const day_ms = 24 * 60 * 60_000;

/** 10:14 */
export const timeOfDay = (at: Date | string) => clock.format(new Date(at));

/** Today, Yesterday, Monday, Monday 3 November, 3 Nov 2025 */
export function dayName(at: Date, now: Date): string {
  const days = daysBetween(at, now);
  if (days === 0) return text.chat.today;
  if (days === 1) return text.chat.yesterday;
  if (days > 1 && days < 7) return weekday.format(at);
  return at.getFullYear() === now.getFullYear() ? longDay.format(at) : dayMonthYear.format(at);
}

/** For lists: 5 min. ago, 10:14, Mon, 3 Nov */
export function ago(at: Date, now: Date): string {
  const minutes = Math.floor((now.getTime() - at.getTime()) / 60_000);
  if (minutes < 1) return minutesAgo.format(0, 'second');
  if (minutes < 60) return minutesAgo.format(-minutes, 'minute');
  const days = daysBetween(at, now);
  if (days === 0) return timeOfDay(at);
  if (days === 1) return text.chat.yesterday;
  if (days < 7) return shortWeekday.format(at);
  return at.getFullYear() === now.getFullYear() ? dayMonth.format(at) : dayMonthYear.format(at);
}

/** 3 Nov, 10:14 — with the year when it is another one. */
export function moment(at: Date | string, now = new Date()): string {
  const date = new Date(at);
  if (daysBetween(date, now) === 0) return timeOfDay(date);
  const day = date.getFullYear() === now.getFullYear() ? dayMonth : dayMonthYear;
  return `${day.format(date)}, ${timeOfDay(date)}`;
}

/** 3 Nov 2026 */
export const date = (at: Date | string) => dayMonthYear.format(new Date(at));

/** "AN" for Asha Nair: at most two letters, whole characters also outside Latin scripts. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const picked = words.length > 1 ? [words[0], words.at(-1)] : words;
  return picked.map((word) => Array.from(word ?? '')[0]?.toLocaleUpperCase(locale) ?? '').join('');
}

/** How many characters a message has, counted as the box counts: Unicode scalar values. */
export const scalars = (content: string) => Array.from(content.trim()).length;

const units = ['kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;

/** 512 kB, 3.4 MB, 29 GB: in powers of ten, as cards and disks are sold. */
export function size(bytes: number): string {
  let amount = bytes / 1_000;
  let at = 0;
  while (amount >= 1_000 && at < units.length - 1) {
    amount /= 1_000;
    at += 1;
  }
  return new Intl.NumberFormat(locale, {
    style: 'unit',
    unit: units[at] ?? 'kilobyte',
    maximumFractionDigits: amount < 10 ? 1 : 0,
  }).format(amount);
}

function daysBetween(at: Date, now: Date): number {
  const midnight = (of: Date) => new Date(of.getFullYear(), of.getMonth(), of.getDate()).getTime();
  return Math.round((midnight(now) - midnight(at)) / day_ms);
}
