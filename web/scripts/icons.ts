// Draws the app's icons as PNG from favicon.svg. No native code: it runs wherever Node does.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { initWasm, Resvg } from '@resvg/resvg-wasm';

const wasm = createRequire(import.meta.url).resolve('@resvg/resvg-wasm/index_bg.wasm');
const ground = '#f6f5f1';
// A mask may cut off all but a circle of four fifths: the sign stays well inside.
const maskable_inset = 0.2;
const touch_inset = 0.12;

export interface Icon {
  readonly name: string;
  readonly bytes: Uint8Array;
}

let ready: Promise<void> | undefined;

export async function drawIcons(path: string): Promise<readonly Icon[]> {
  ready ??= readFile(wasm).then((bytes) => initWasm(bytes));
  await ready;
  const sign = await readFile(path, 'utf8');
  const inside = sign.replace(/^[\s\S]*?<svg[^>]*>/, '').replace(/<\/svg>\s*$/, '');
  return [
    { name: 'icon-192.png', bytes: draw(sign, 192) },
    { name: 'icon-512.png', bytes: draw(sign, 512) },
    { name: 'icon-180.png', bytes: draw(framed(inside, touch_inset), 180) },
    { name: 'icon-maskable-512.png', bytes: draw(framed(inside, maskable_inset), 512) },
    { name: 'badge-96.png', bytes: draw(silhouette(inside), 96) },
  ];
}

function draw(svg: string, size: number): Uint8Array {
  return new Resvg(svg, { fitTo: { mode: 'width', value: size } }).render().asPng();
}

/** The sign on its ground, away from the edges. */
function framed(inside: string, inset: number): string {
  const scale = 1 - 2 * inset;
  return svg(`<path fill="${ground}" d="M0 0h32v32H0z"/>
    <g transform="translate(${32 * inset} ${32 * inset}) scale(${scale})">${inside}</g>`);
}

/** One colour and see-through: what Android shows in its status bar. */
function silhouette(inside: string): string {
  return svg(inside.replaceAll('#0b6e69', '#fff').replace(/<path fill="none"[^>]*>/, ''));
}

function svg(inside: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">${inside}</svg>`;
}
