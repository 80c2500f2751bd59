/** A line between two machines: passes bytes on, and can be taken down and put up again. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

export class Line {
  #server = createServer((near) => this.#pass(near));
  #ends = new Set();
  #isDown = false;
  /** The port at the far end; known once something listens there. */
  to = 0;

  static async laid() {
    const line = new Line();
    line.#server.listen(0, '127.0.0.1');
    await once(line.#server, 'listening');
    return line;
  }

  get port() {
    return this.#server.address().port;
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Whatever is under way is lost; whoever tries is turned away. */
  cut() {
    this.#isDown = true;
    for (const end of this.#ends) end.resetAndDestroy();
  }

  mend() {
    this.#isDown = false;
  }

  async remove() {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #pass(near) {
    if (this.#isDown) {
      near.resetAndDestroy();
      return;
    }
    const far = connect(this.to, '127.0.0.1');
    for (const [end, other] of [
      [near, far],
      [far, near],
    ]) {
      this.#ends.add(end);
      // The end of one side is the end of the other, whatever it was.
      end.on('error', () => {});
      end.on('close', () => {
        this.#ends.delete(end);
        other.destroy();
      });
      end.pipe(other);
    }
  }
}
