/** The relay as an admin's page sees it: `GET /api/relay/`. */
import { linkStates, type LinkStateWord } from './frames';
import { int, list, nullable, object, string, word } from './guard';
import { requestId, type RequestId } from './ids';

/** Two copies of this box that were brought together. */
export interface Merge {
  readonly at: string;
  /** Entries that came back, and messages among them. */
  readonly entries: number;
  readonly messages: number;
  /** Requests whose status was changed on both: somebody should look. */
  readonly flagged: readonly RequestId[];
}

export interface Relay {
  readonly state: LinkStateWord;
  /** What stands in the way: a word that a later box may add to. */
  readonly why: string | null;
  /** The same as a sentence of the box's. */
  readonly detail: string | null;
  readonly since: string;
  readonly retry_at: string | null;
  /** Null: no relay is set up. */
  readonly url: string | null;
  /** What owners' links begin with; null until the relay has said so. */
  readonly public_url: string | null;
  readonly waiting_entries: number;
  readonly waiting_messages: number;
  readonly waiting_since: string | null;
  readonly post_gaps: number;
  /** The newest first. */
  readonly merges: readonly Merge[];
}

function readMerge(value: unknown): Merge {
  const from = object(value, 'merge');
  return {
    at: string(from, 'at'),
    entries: int(from, 'entries'),
    messages: int(from, 'messages'),
    flagged: list(from, 'flagged', (flagged) => requestId(int({ flagged }, 'flagged'))),
  };
}

export function readRelay(value: unknown): Relay {
  const from = object(value, 'relay');
  return {
    state: word(from, 'state', linkStates),
    why: nullable(from, 'why', string),
    detail: nullable(from, 'detail', string),
    since: string(from, 'since'),
    retry_at: nullable(from, 'retry_at', string),
    url: nullable(from, 'url', string),
    public_url: nullable(from, 'public_url', string),
    waiting_entries: int(from, 'waiting_entries'),
    waiting_messages: int(from, 'waiting_messages'),
    waiting_since: nullable(from, 'waiting_since', string),
    post_gaps: int(from, 'post_gaps'),
    merges: list(from, 'merges', readMerge),
  };
}
