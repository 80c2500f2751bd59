const first_cap_ms = 500;
const cap_ms_max = 15_000;

/**
 * How long to wait before attempt number `attempt` (from 0): anything up to a cap that doubles from
 * 0.5 s to 15 s. Full jitter, so that a workshop's phones do not all come back in the same instant.
 */
export function backoff(attempt: number, random: () => number): number {
  const cap = Math.min(cap_ms_max, first_cap_ms * 2 ** Math.min(attempt, 10));
  return Math.round(random() * cap);
}
