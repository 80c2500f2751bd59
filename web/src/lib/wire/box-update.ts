/** Which program runs, what waits, and how the last update went: `GET /api/box/update/`. */
import { bool, int, nullable, object, string, type Json } from './guard';

export interface Running {
  /** What is being done: a word that a later box may add to. */
  readonly step: string;
  readonly to: string | null;
}

export interface Ended {
  readonly at: string;
  readonly from: string;
  readonly to: string;
  /** How it ended: a word that a later box may add to. */
  readonly verdict: string;
  /** Why, in a sentence of the box's; null when all went well. */
  readonly why: string | null;
}

export interface UpdateState {
  readonly version: string;
  readonly target: string;
  /** The key that signs updates; null: the box knows none. */
  readonly key: string | null;
  /** Whether this page can have an update applied. */
  readonly byPage: boolean;
  readonly waiting: { readonly version: string; readonly bytes: number } | null;
  readonly running: Running | null;
  readonly last: Ended | null;
}

const part =
  <T>(read: (from: Json) => T) =>
  (from: Json, key: string): T =>
    read(object(from[key], key));

export function readUpdate(value: unknown): UpdateState {
  const from = object(value, 'update');
  return {
    version: string(from, 'version'),
    target: string(from, 'target'),
    key: nullable(from, 'key', string),
    byPage: bool(from, 'by_page'),
    waiting: nullable(
      from,
      'waiting',
      part((it) => ({ version: string(it, 'version'), bytes: int(it, 'bytes') })),
    ),
    running: nullable(
      from,
      'running',
      part((it) => ({ step: string(it, 'step'), to: nullable(it, 'to', string) })),
    ),
    last: nullable(
      from,
      'last',
      part((it) => ({
        at: string(it, 'at'),
        from: string(it, 'from'),
        to: string(it, 'to'),
        verdict: string(it, 'verdict'),
        why: nullable(it, 'why', string),
      })),
    ),
  };
}
