/** What is inside a seal: when it was typed, by whom, and the JSON of it (`seal::plain`). */
import { concat, fromUtf8, utf8, type Bytes } from '$lib/wire/bytes';
import { object, type Json } from '$lib/wire/guard';
import { open, seal, SealBroken, type SealContext, type SealKey } from './key';

export interface Body {
  readonly at_ms: number;
  readonly json: Json;
}

const time_bytes = 8;
const author_bytes = 16;

/** Opens a sealed body; throws `SealBroken`, or `WireError` for what is no JSON object. */
export async function openBody(key: SealKey, context: SealContext, sealed: Bytes): Promise<Body> {
  return readPlain(await open(key, context, sealed));
}

/** Seals a body. The author is 16 bytes: a person's id in a journal, the device's in a post. */
export function sealBody(
  key: SealKey,
  context: SealContext,
  author: Bytes,
  { at_ms, json }: Body,
): Promise<Bytes> {
  const time = new Uint8Array(time_bytes);
  new DataView(time.buffer).setBigInt64(0, BigInt(at_ms));
  return seal(key, context, concat(time, author, utf8(JSON.stringify(json))));
}

function readPlain(plain: Bytes): Body {
  const head = time_bytes + author_bytes;
  if (plain.length < head) throw new SealBroken();
  const at_ms = Number(new DataView(plain.buffer, plain.byteOffset).getBigInt64(0));
  let json: unknown;
  try {
    json = JSON.parse(fromUtf8(plain.subarray(head)));
  } catch {
    throw new SealBroken();
  }
  return { at_ms, json: object(json, 'body') };
}
