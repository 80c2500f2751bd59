/** The real program as a process: started, killed, started again. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export const program = join(import.meta.dirname, '../../target/debug/motoreach');
export const start_ms = 30_000;

export class Process {
  #process = null;

  /** Starts it, with further variables in its environment, and waits until it says where it listens;
   * gives the port. */
  async start(args, env = {}) {
    this.#process = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    let log = '';
    this.#process.stderr.on('data', (text) => (log += text));
    const lines = createInterface({ input: this.#process.stdout });
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), start_ms);
    for await (const line of lines) {
      const found = /127\.0\.0\.1:(\d+)/.exec(line);
      if (found === null) continue;
      clearTimeout(timer);
      // It goes on talking; nobody listens.
      lines.on('line', () => {});
      this.#process.stdout.resume();
      return Number(found[1]);
    }
    throw new Error(`it did not start:\n${log}`);
  }

  async end(signal) {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill(signal);
    await ended;
  }
}
