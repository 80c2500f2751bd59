/**
 * A browser's push service of our own: takes what a relay sends to one browser, and opens it with the
 * keys that only that browser has (RFC 8030, 8188, 8291, 8292).
 */
import {
  createDecipheriv,
  createECDH,
  createPublicKey,
  hkdfSync,
  randomBytes,
  verify,
} from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './browser.js';

/** A certificate that is its own authority, and no other's. */
const certificate_config = `
[req]
distinguished_name = name
x509_extensions = extensions
prompt = no
[name]
CN = push.test
[extensions]
basicConstraints = critical, CA:FALSE
subjectAltName = IP:127.0.0.1
`;

export class PushService {
  #folder = mkdtempSync(join(tmpdir(), 'motoreach-push-'));
  #browser = createECDH('prime256v1');
  #auth = randomBytes(16);
  #server;
  #path = `/${randomBytes(12).toString('hex')}`;
  /** What came, oldest first: how it was addressed, its bytes, and what they say. */
  received = [];

  static async started() {
    const service = new PushService();
    service.#browser.generateKeys();
    service.#server = createServer(service.#certificate(), (request, response) => {
      void service.#take(request, response);
    });
    service.#server.listen(0, '127.0.0.1');
    await once(service.#server, 'listening');
    return service;
  }

  /** The certificate that a relay has to trust. */
  get root() {
    return join(this.#folder, 'certificate.pem');
  }

  get origin() {
    return `https://127.0.0.1:${this.#server.address().port}`;
  }

  /** Makes a device's browser subscribe here; it cannot reach the one that it would have taken. */
  async serve(device) {
    const subscription = {
      endpoint: this.origin + this.#path,
      keys: { p256dh: [...this.#browser.getPublicKey()], auth: [...this.#auth] },
    };
    await device.context.addInitScript(({ endpoint, keys }) => {
      let current = null;
      PushManager.prototype.getSubscription = () => Promise.resolve(current);
      PushManager.prototype.subscribe = ({ applicationServerKey, userVisibleOnly }) => {
        const key = new Uint8Array(applicationServerKey).slice().buffer;
        current = {
          endpoint,
          options: { applicationServerKey: key, userVisibleOnly },
          getKey: (name) => new Uint8Array(keys[name]).buffer,
          unsubscribe: () => Promise.resolve(true),
        };
        return Promise.resolve(current);
      };
    }, subscription);
  }

  /** The next push that says this. */
  async next(what, says) {
    return until(what, () => {
      const found = this.received.findIndex(({ payload }) => says(payload));
      return found !== -1 && this.received.splice(found, 1)[0];
    });
  }

  async stop() {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #certificate() {
    const [config, key] = ['config', 'key.pem'].map((name) => join(this.#folder, name));
    writeFileSync(config, certificate_config);
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
        ...['-days', '2', '-config', config, '-keyout', key, '-out', this.root],
      ],
      { stdio: 'pipe' },
    );
    return { key: readFileSync(key), cert: readFileSync(this.root) };
  }

  async #take(request, response) {
    const bytes = Buffer.concat(await request.toArray());
    if (request.method !== 'POST' || request.url !== this.#path) {
      response.writeHead(404).end();
      return;
    }
    const payload = JSON.parse(this.#opened(bytes).toString());
    this.received.push({ headers: request.headers, bytes, payload });
    response.writeHead(201).end();
  }

  /** `aes128gcm`: one record, under a key that the sender agreed with the browser. */
  #opened(bytes) {
    const salt = bytes.subarray(0, 16);
    const sender = bytes.subarray(21, 21 + bytes[20]);
    const sealed = bytes.subarray(21 + bytes[20], -16);
    const info = (...parts) => Buffer.concat(parts.map((part) => Buffer.from(part)));
    const shared = hkdfSync(
      'sha256',
      this.#browser.computeSecret(sender),
      this.#auth,
      info('WebPush: info\0', this.#browser.getPublicKey(), sender),
      32,
    );
    const of = (what, length) =>
      Buffer.from(hkdfSync('sha256', shared, salt, `Content-Encoding: ${what}\0`, length));
    const cipher = createDecipheriv('aes-128-gcm', of('aes128gcm', 16), of('nonce', 12));
    cipher.setAuthTag(bytes.subarray(-16));
    const padded = Buffer.concat([cipher.update(sealed), cipher.final()]);
    return padded.subarray(0, padded.lastIndexOf(2));
  }
}

/** Who sent a push, as its `Authorization` proves; null when it proves nothing. */
export function sender({ authorization }) {
  const found = /^vapid t=([\w-]+)\.([\w-]+)\.([\w-]+), k=([\w-]+)$/.exec(authorization ?? '');
  if (found === null) return null;
  const [, head, claims, signature, key] = found;
  const point = Buffer.from(key, 'base64url');
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((it) => it.toString('base64url'));
  const publicKey = createPublicKey({
    key: { kty: 'EC', crv: 'P-256', x, y },
    format: 'jwk',
  });
  const isRight = verify(
    'sha256',
    Buffer.from(`${head}.${claims}`),
    { key: publicKey, dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  );
  return isRight ? { key, ...JSON.parse(Buffer.from(claims, 'base64url').toString()) } : null;
}
