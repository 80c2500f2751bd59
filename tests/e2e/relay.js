/** A relay of the real program, on its own data and port. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Process, program } from './process.js';

export class Relay {
  #folder = mkdtempSync(join(tmpdir(), 'motoreach-relay-'));
  #process = new Process();
  #options = [];
  #port = 0;

  /**
   * A relay that no box has been paired with yet. `publicUrl` is where owners find it, if that is
   * somewhere else than where it listens; `options` are further words of its command line.
   */
  static async empty({ publicUrl = null, options = [] } = {}) {
    const relay = new Relay();
    relay.#options = options;
    if (publicUrl !== null) {
      relay.publicUrl = publicUrl;
      await relay.start();
      return relay;
    }
    // What links begin with has the port in it, which is known only once it was given out.
    await relay.start();
    await relay.#process.end('SIGTERM');
    relay.publicUrl = relay.url;
    await relay.start();
    return relay;
  }

  publicUrl = 'http://127.0.0.1:1';

  /** Starts it, again on the port that it had. */
  async start(env = {}) {
    this.#port = await this.#process.start(
      [
        'relay',
        ...this.#data,
        ...['--listen', `127.0.0.1:${this.#port}`, '--public-url', this.publicUrl],
        ...this.#options,
      ],
      env,
    );
  }

  /** A code by which one box may use it. */
  pairingCode() {
    const told = execFileSync(program, ['relay', 'pair', '--json', ...this.#data]);
    return JSON.parse(told.toString()).code;
  }

  get port() {
    return this.#port;
  }

  get url() {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** `kill -9`. */
  async kill() {
    await this.#process.end('SIGKILL');
  }

  /** Ends it and removes its data. */
  async stop() {
    await this.#process.end('SIGTERM');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #data() {
    return ['--data', this.#folder];
  }
}
