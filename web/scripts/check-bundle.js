// Fails the build when the page outgrows what a Raspberry Pi should serve to a phone on bad signal,
// or when something in it would be refused by the box's content security policy.
import { readFileSync, readdirSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const dist = new URL('../dist/', import.meta.url);
const js_gzip_bytes_max = 80 * 1024;
const css_gzip_bytes_max = 16 * 1024;

function gzipBytes(ending) {
  return readdirSync(dist, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith(ending))
    .reduce((sum, name) => sum + gzipSync(readFileSync(new URL(name, dist))).length, 0);
}

const js = gzipBytes('.js');
const css = gzipBytes('.css');
const page = readFileSync(new URL('index.html', dist), 'utf8');
const faults = [];
if (js > js_gzip_bytes_max) faults.push(`scripts are ${js} bytes, at most ${js_gzip_bytes_max}`);
if (css > css_gzip_bytes_max) faults.push(`styles are ${css} bytes, at most ${css_gzip_bytes_max}`);
if (/<script(?![^>]*\ssrc=)/.test(page)) faults.push('index.html holds an inline script');
if (/<style|\sstyle=/.test(page)) faults.push('index.html holds an inline style');
if (/(src|href)="(https?:)?\/\//.test(page)) faults.push('index.html loads from elsewhere');

process.stdout.write(
  `gzip: ${(js / 1024).toFixed(1)} kB scripts, ${(css / 1024).toFixed(1)} kB styles\n`,
);
for (const fault of faults) process.stderr.write(`error: ${fault}\n`);
process.exit(faults.length === 0 ? 0 : 1);
