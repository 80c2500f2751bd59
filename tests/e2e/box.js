/** A box of the real program: started, killed, started again on the same port and data. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Process, start_ms } from './process.js';

/** A name that is not localhost: a page there is no secure context, as on a real workshop's network. */
export const host = 'motoreach.local';

export class Box {
  #folder = mkdtempSync(join(tmpdir(), 'motoreach-e2e-'));
  #command;
  #process = new Process();
  #port = 0;

  /** A box that nobody has set up yet. */
  static async empty() {
    const box = new Box(['serve']);
    await box.start();
    return box;
  }

  /** A sample workshop; `sample` is what `demo --json` says about it. */
  static async sample() {
    const box = new Box(['demo', '--no-relay', '--json']);
    box.#command.push(join(box.#folder, 'sample.json'));
    await box.start();
    box.sample = JSON.parse(readFileSync(join(box.#folder, 'sample.json'), 'utf8'));
    return box;
  }

  constructor(command) {
    this.#command = command;
  }

  /** Starts it, again on the port that it had. */
  async start() {
    const where = ['--data', join(this.#folder, 'data'), '--listen', `127.0.0.1:${this.#port}`];
    this.#port = await this.#process.start([...this.#command, ...where]);
    await this.#answers();
  }

  /** The last lines may still be on their way when the port is known already. */
  async #answers() {
    const deadline = Date.now() + start_ms;
    for (;;) {
      try {
        if ((await fetch(`http://127.0.0.1:${this.#port}/readyz`)).ok) return;
      } catch {
        // Not yet.
      }
      if (Date.now() > deadline) throw new Error('the box does not answer');
    }
  }

  get url() {
    return `http://${host}:${this.#port}`;
  }

  /** The same place for this test's own requests, which know no made-up names. */
  get #direct() {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** `kill -9`. */
  async kill() {
    await this.#process.end('SIGKILL');
  }

  /** It dies, and its card with it: what starts next is another box at the same address. */
  async dies() {
    await this.kill();
    rmSync(join(this.#folder, 'data'), { recursive: true });
  }

  /** Ends it and removes its data. */
  async stop() {
    await this.#process.end('SIGTERM');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** A request with somebody's token. */
  async call(method, path, token, body) {
    const answer = await fetch(this.#direct + path, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.status === 204 ? null : answer.json();
  }

  person(role) {
    return this.sample.people.find((person) => person.role === role);
  }

  /** A link of the sample as this browser reaches it. */
  link(request) {
    const link = new URL(request.invite_url);
    return `${this.url}${link.pathname}${link.hash}`;
  }
}
