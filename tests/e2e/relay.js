/** A relay of the real program, on its own data and port. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Process, program } from './process.js';

export class Relay {
  #folder = mkdtempSync(join(tmpdir(), 'motoreach-relay-'));
  #process = new Process();
  #port = 0;

  /** A relay that no box has been paired with yet. */
  static async empty() {
    const relay = new Relay();
    // What links begin with has the port in it, which is known only once it was given out.
    await relay.start();
    await relay.#process.end('SIGTERM');
    await relay.start();
    return relay;
  }

  /** Starts it, again on the port that it had. */
  async start() {
    const at = `127.0.0.1:${this.#port}`;
    this.#port = await this.#process.start([
      'relay',
      ...this.#data,
      ...['--listen', at, '--public-url', `http://${at}`],
    ]);
  }

  /** A code by which one box may use it. */
  pairingCode() {
    const told = execFileSync(program, ['relay', 'pair', '--json', ...this.#data]);
    return JSON.parse(told.toString()).code;
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
