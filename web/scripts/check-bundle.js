// Fails the build when the page outgrows what a Raspberry Pi should serve to a phone on bad signal,
// or when something in it would be refused by the box's content security policy.
import { readFileSync, readdirSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const dist = new URL('../dist/', import.meta.url);
/** What the page loads before it shows anything, at either door. */
const js_gzip_bytes_max = 80 * 1024;
/** What owners' pages load on top of it at the relay, the service worker included. */
const owner_js_gzip_bytes_max = 40 * 1024;
/** What an admin loads on top of it for the pages of the box itself, its relay, its people, its first run. */
const box_js_gzip_bytes_max = 40 * 1024;
const css_gzip_bytes_max = 16 * 1024;

const page = readFileSync(new URL('index.html', dist), 'utf8');
const names = readdirSync(dist, { recursive: true }).map(String);
const gzipBytes = (files) =>
  files.reduce((sum, name) => sum + gzipSync(readFileSync(new URL(name, dist))).length, 0);

const scripts = names.filter((name) => name.endsWith('.js'));
const first = scripts.filter((name) => page.includes(name));
const js = gzipBytes(first);
const ofBox = scripts.filter(
  (name) => !first.includes(name) && /\/(Box|Relay|People|Setup)View/.test(name),
);
const boxJs = gzipBytes(ofBox);
const ownerJs = gzipBytes(scripts.filter((name) => !first.includes(name) && !ofBox.includes(name)));
const css = gzipBytes(names.filter((name) => name.endsWith('.css')));
const kB = (bytes) => `${(bytes / 1024).toFixed(1)} kB`;
const faults = [];
if (js > js_gzip_bytes_max) faults.push(`scripts are ${js} bytes, at most ${js_gzip_bytes_max}`);
if (ownerJs > owner_js_gzip_bytes_max)
  faults.push(`owners' scripts are ${ownerJs} bytes, at most ${owner_js_gzip_bytes_max}`);
if (boxJs > box_js_gzip_bytes_max)
  faults.push(`the box's own pages are ${boxJs} bytes, at most ${box_js_gzip_bytes_max}`);
if (css > css_gzip_bytes_max) faults.push(`styles are ${css} bytes, at most ${css_gzip_bytes_max}`);
if (/<script(?![^>]*\ssrc=)/.test(page)) faults.push('index.html holds an inline script');
if (/<style|\sstyle=/.test(page)) faults.push('index.html holds an inline style');
if (/(src|href)="(https?:)?\/\//.test(page)) faults.push('index.html loads from elsewhere');

process.stdout.write(
  `gzip: ${kB(js)} scripts, ${kB(ownerJs)} more for owners at the relay, ${kB(boxJs)} for the box's pages, ${kB(css)} styles\n`,
);
for (const fault of faults) process.stderr.write(`error: ${fault}\n`);
process.exit(faults.length === 0 ? 0 : 1);
