import { text } from './index';

/** One calm sentence for a fault: ours where we have one in the reader's language, else the box's. */
export function sentence(fault: { readonly code: string; readonly detail: string }): string {
  if (fault.code === 'network') return text.fault.network;
  const ours = text.fault.byCode[fault.code];
  if (ours !== undefined) return ours;
  return fault.detail === '' ? text.fault.unknown : fault.detail;
}
