/** Something came over the wire that is not what the contract says. */
export class WireError extends Error {
  override readonly name = 'WireError';
}

export type Json = Readonly<Record<string, unknown>>;

/** Reads one JSON object field by field; a field of the wrong type is a {@link WireError}. */
export function object(value: unknown, what: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new WireError(`${what} is not an object`);
  }
  return value as Json;
}

function field<T>(from: Json, key: string, kind: string, fits: (value: unknown) => value is T): T {
  const value = from[key];
  if (!fits(value)) throw new WireError(`${key} is not ${kind}`);
  return value;
}

const isString = (value: unknown): value is string => typeof value === 'string';
const isInt = (value: unknown): value is number => Number.isSafeInteger(value);
const isBool = (value: unknown): value is boolean => typeof value === 'boolean';
const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);

export const string = (from: Json, key: string) => field(from, key, 'a string', isString);
export const int = (from: Json, key: string) => field(from, key, 'a whole number', isInt);
export const bool = (from: Json, key: string) => field(from, key, 'true or false', isBool);

/** A list, each entry read by `each`. */
export function list<T>(from: Json, key: string, each: (value: unknown) => T): readonly T[] {
  return field(from, key, 'a list', isList).map(each);
}

/** One of the words given. */
export function word<T extends string>(from: Json, key: string, words: readonly T[]): T {
  const isWord = (value: unknown): value is T => words.includes(value as T);
  return field(from, key, `one of ${words.join(', ')}`, isWord);
}

/** The field read by `read`, or null when it is null or absent. */
export function nullable<T>(
  from: Json,
  key: string,
  read: (from: Json, key: string) => T,
): T | null {
  return from[key] === null || from[key] === undefined ? null : read(from, key);
}
