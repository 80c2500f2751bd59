import { ApiError } from '$lib/net/api';

/** What went wrong with a form, for showing at the form and at its fields. */
export interface Fault {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly fields: Readonly<Record<string, readonly string[]>>;
  readonly retryAfterS: number | null;
}

/** The fault in a caught error; anything that is not the box's answer is thrown on. */
export function faultFrom(error: unknown): Fault {
  if (error instanceof ApiError) return error;
  throw error;
}

/** The box begins with the field's own name (`full_name is empty.`): people read "Full name is empty." */
function inWords(said: string, name: string): string {
  const field = name.split('.').at(-1) ?? name;
  if (!said.startsWith(`${field} `)) return said;
  const words = field.replaceAll('_', ' ') + said.slice(field.length);
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The first sentence about a field, or about one inside it (`customer.full_name`). */
export function fieldFault(fault: Fault | null, ...names: readonly string[]): string | null {
  for (const name of names) {
    const said = fault?.fields[name]?.[0];
    if (said !== undefined) return inWords(said, name);
  }
  return null;
}
