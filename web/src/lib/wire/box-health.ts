/** How the box fares: `GET /api/box/health/`. */
import { list, nullable, object, string, word } from './guard';

export const levels = ['well', 'look', 'act'] as const;
export type Level = (typeof levels)[number];

export interface Finding {
  /** What it is about: a word that a later box may add to. */
  readonly area: string;
  readonly level: Level;
  /** How it stands, in sentences of the box's. */
  readonly what: string;
  /** What to do; null where nothing is to be done. */
  readonly do: string | null;
}

export interface Checkup {
  readonly at: string;
  readonly level: Level;
  readonly findings: readonly Finding[];
}

function readFinding(value: unknown): Finding {
  const from = object(value, 'finding');
  return {
    area: string(from, 'area'),
    level: word(from, 'level', levels),
    what: string(from, 'what'),
    do: nullable(from, 'do', string),
  };
}

export function readCheckup(value: unknown): Checkup {
  const from = object(value, 'checkup');
  return {
    at: string(from, 'at'),
    level: word(from, 'level', levels),
    findings: list(from, 'findings', readFinding),
  };
}
