/** Where random bytes come from; `crypto.getRandomValues` works without a secure context. */
export type RandomBytes = (into: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;

/**
 * A maker of version 7 UUIDs. Those it makes sort in the order they were made, also within one
 * millisecond and when the clock goes back: pending messages keep their order by name alone.
 */
export function uuidMaker(now: () => number, random: RandomBytes): () => string {
  let lastMs = 0;
  let counter = 0;
  return () => {
    const ms = Math.max(now(), lastMs);
    counter = ms === lastMs ? counter + 1 : 0;
    // 12 bits beside the time: when they run over, borrow the next millisecond.
    lastMs = counter > 0xfff ? ms + 1 : ms;
    counter &= 0xfff;
    const bytes = random(new Uint8Array(16));
    const view = new DataView(bytes.buffer);
    view.setUint16(0, Math.floor(lastMs / 2 ** 32));
    view.setUint32(2, lastMs % 2 ** 32);
    view.setUint16(6, 0x7000 | counter);
    view.setUint8(8, 0x80 | (view.getUint8(8) & 0x3f));
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  };
}
