/** Debian's Chromium, and what every page of ours must keep to: no errors, no barriers. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { chromium } from 'playwright-core';
import { host } from './box.js';

export const phone = { width: 360, height: 740 };
export const desktop = { width: 1280, height: 800 };

const pictures = join(import.meta.dirname, '../../target/screenshots');
const answer_ms = 15_000;

/** What a browser logs although nothing is wrong. */
const excused = [
  // The header is for a box behind a proxy with TLS; on plain http the browser says that it waits.
  /Cross-Origin-Opener-Policy header has been ignored/,
  // An admin's page asks whether there are recovery words left to show; "no longer" is an answer.
  /410 \(Gone\).*\/api\/setup\/recovery-words\//,
];

export async function openBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      `--host-resolver-rules=MAP ${host} 127.0.0.1`,
    ],
  });
}

/** Somebody with a device of their own: cookies and storage are theirs alone. */
export class Device {
  #context;
  /** What went wrong on their pages and is not excused. */
  complaints = [];
  /** While the server is down a browser logs that it is; nothing else is excused then. */
  offline = false;

  static async of(browser, viewport, options = {}) {
    const device = new Device();
    const touch = viewport === phone ? { isMobile: true, hasTouch: true } : {};
    device.#context = await browser.newContext({
      viewport,
      locale: 'en-GB',
      reducedMotion: 'reduce',
      ...touch,
      ...options,
    });
    device.#context.setDefaultTimeout(answer_ms);
    await device.#context.addInitScript(() => {
      addEventListener('securitypolicyviolation', (event) => {
        console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`);
      });
    });
    return device;
  }

  /** What this device has, for what a person cannot do: permissions, storage, no network at all. */
  get context() {
    return this.#context;
  }

  /** Opens a page. `expected` are refusals that the page is there to show. */
  async open(url, expected = []) {
    const page = await this.#context.newPage();
    page.on('pageerror', (error) => this.complaints.push(`${url}: ${error.stack}`));
    page.on('console', (message) => {
      if (message.type() !== 'error' && message.type() !== 'warning') return;
      const said = `${message.text()} (${message.location().url})`;
      if (
        this.offline &&
        /ERR_(CONNECTION|EMPTY|INCOMPLETE|INTERNET|SOCKET_NOT_CONNECTED)|WebSocket connection/.test(said)
      )
        return;
      if ([...expected, ...excused].some((pattern) => pattern.test(said))) return;
      this.complaints.push(`${url}: ${said}`);
    });
    await page.goto(url);
    return page;
  }

  async close() {
    await this.#context.close();
    assert.deepEqual(this.complaints, [], 'nothing went wrong in the browser');
  }
}

/** Nothing on this page keeps anybody out, in light and dark, and nothing is wider than the screen. */
export async function isForEverybody(page, name) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    const { violations } = await new AxeBuilder({ page }).analyze();
    const told = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html)}`);
    assert.deepEqual(told, [], `${name} in ${colorScheme}`);
    const { width, height } = page.viewportSize();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= width, `${name} is ${wide} px wide on a screen of ${width}`);
    mkdirSync(pictures, { recursive: true });
    await page.screenshot({
      path: join(pictures, `${name}-${width}x${height}-${colorScheme}.png`),
    });
  }
  await page.emulateMedia({ colorScheme: 'light' });
}

/** Puts a page where nobody looks, as a phone in a pocket does, or takes it out again. */
export async function inPocket(page, isIn) {
  await page.evaluate((hidden) => {
    const state = hidden ? 'hidden' : 'visible';
    Object.defineProperty(document, 'hidden', { configurable: true, value: hidden });
    Object.defineProperty(document, 'visibilityState', { configurable: true, value: state });
    document.hasFocus = () => !hidden;
    document.dispatchEvent(new Event('visibilitychange'));
  }, isIn);
}

/** Waits until `look` gives something true. */
export async function until(what, look, within_ms = answer_ms) {
  const deadline = Date.now() + within_ms;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > deadline) assert.fail(`${what}: not within ${within_ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** One page with a chat on it, as a person sees it. */
export class Chat {
  constructor(page) {
    this.page = page;
    this.log = page.getByRole('log', { name: 'Messages' });
    this.composer = page.getByRole('textbox', { name: 'Message', exact: true });
  }

  async say(content) {
    await this.composer.fill(content);
    await this.page.getByRole('button', { name: 'Send', exact: true }).click();
  }

  bubble(content) {
    return this.log.getByRole('article').filter({ hasText: content });
  }

  async shows(content) {
    await this.bubble(content).first().waitFor();
  }

  /** Until the ticks of a message of mine say this. */
  async ticks(content, step) {
    // The newest of mine says it in words too.
    const ticks = this.bubble(content).getByText(step, { exact: true });
    await ticks.first().waitFor({ state: 'attached' });
  }

  /** Everything that is written here, in order, with the place that each has in the journal. */
  async order() {
    return this.log
      .locator('article[data-message]')
      .evaluateAll((all) => all.map(({ dataset }) => Number(dataset.message)));
  }

  /** From now on every tick that is ever shown here is noted, however short. */
  async noteTicks() {
    await this.log.evaluate((log) => {
      const seen = (window.ticksSeen ??= {});
      const look = () => {
        for (const article of log.querySelectorAll('article')) {
          const tick = article.querySelector('.meta span[title]')?.title;
          const copy = article.querySelector('.content')?.cloneNode(true);
          copy?.querySelector('.meta')?.remove();
          const words = copy?.textContent.trim() ?? '';
          if (tick === undefined || seen[words]?.at(-1) === tick) continue;
          (seen[words] ??= []).push(tick);
        }
      };
      new MutationObserver(look).observe(log, {
        subtree: true,
        childList: true,
        characterData: true,
        attributes: true,
      });
      look();
    });
  }

  /** The ticks that were shown of a message since `noteTicks`, in their order. */
  async ticksShown(content) {
    return this.page.evaluate((words) => window.ticksSeen?.[words] ?? [], content);
  }

  /** Everything that is written here, in order, without times and ticks. */
  async written() {
    return this.log.locator('article .content').evaluateAll((all) =>
      all.map((each) => {
        const copy = each.cloneNode(true);
        copy.querySelector('.meta')?.remove();
        return copy.textContent.trim();
      }),
    );
  }
}
