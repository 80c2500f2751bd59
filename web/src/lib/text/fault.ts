import { text } from './index';

/** Up to here "a moment" is true. */
const short_wait_s = 45;

interface Told {
  readonly code: string;
  readonly detail: string;
  readonly fields?: Readonly<Record<string, readonly string[]>>;
  readonly retryAfterS?: number | null;
}

/** One calm sentence for a fault: ours where we have one in the reader's language, else the box's. */
export function sentence(fault: Told): string {
  if (fault.code === 'network') return text.fault.network;
  if (fault.code === 'rate_limited' && (fault.retryAfterS ?? 0) > short_wait_s) {
    return text.fault.waitMinutes(Math.ceil((fault.retryAfterS ?? 0) / 60));
  }
  // The field itself says what is wrong with it.
  if (Object.keys(fault.fields ?? {}).length > 0) return text.fault.fields;
  const ours = text.fault.byCode[fault.code];
  if (ours !== undefined) return ours;
  return fault.detail === '' ? text.fault.unknown : fault.detail;
}
