/** Bringing a workshop back from its relay or a backup, as the first page sees it: `/api/setup/restore/`. */
import { int, nullable, object, string, word } from './guard';

const states = ['idle', 'running', 'failed', 'done'] as const;

/** What came back. */
export interface Restored {
  readonly workshop_name: string;
  readonly messages: number;
  readonly requests: number;
  readonly people: number;
  /** When the backup was made that it came from; null: it came from the relay. */
  readonly as_of: string | null;
}

export interface RestoreState {
  readonly state: (typeof states)[number];
  /** Entries of the journal that came back so far. */
  readonly entries: number;
  /** What is done: `gathering` from the relay, or a word for a step with a backup. */
  readonly step: string | null;
  /** How far that is; `of` is 0 while nobody can tell. */
  readonly done: number;
  readonly of: number;
  /** Why nothing was restored: a word that a later box may add to. */
  readonly why: string | null;
  /** The same as a sentence of the box's. */
  readonly detail: string | null;
  readonly restored: Restored | null;
}

function readRestored(value: unknown): Restored {
  const from = object(value, 'restored');
  return {
    workshop_name: string(from, 'workshop_name'),
    messages: int(from, 'messages'),
    requests: int(from, 'requests'),
    people: int(from, 'people'),
    as_of: nullable(from, 'as_of', string),
  };
}

export function readRestore(value: unknown): RestoreState {
  const from = object(value, 'restore');
  return {
    state: word(from, 'state', states),
    entries: int(from, 'entries'),
    step: nullable(from, 'step', string),
    done: nullable(from, 'done', int) ?? 0,
    of: nullable(from, 'of', int) ?? 0,
    why: nullable(from, 'why', string),
    detail: nullable(from, 'detail', string),
    restored: nullable(from, 'restored', (_, key) => readRestored(from[key])),
  };
}
