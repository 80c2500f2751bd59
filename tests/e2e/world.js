/**
 * A sample workshop with a relay: box and relay as two processes, a line between them, and one between
 * owners' phones and the relay. Both lines can be cut.
 */
import { Box } from './box.js';
import { Chat, Device, openBrowser, phone } from './browser.js';
import { Line } from './line.js';
import { Relay } from './relay.js';

const signedOut = [/401 \(Unauthorized\).*token\/refresh/];

export class World {
  static async made(relayOptions = []) {
    const world = new World();
    // Owners' links begin with the phone line, so it is laid before the relay is.
    world.phones = await Line.laid();
    [world.box, world.relay, world.browser] = await Promise.all([
      Box.sample(),
      Relay.empty({ publicUrl: world.phones.url, options: relayOptions }),
      openBrowser(),
    ]);
    world.phones.to = world.relay.port;
    world.line = await Line.laid();
    world.line.to = world.relay.port;
    await world.#pair();
    return world;
  }

  async #pair() {
    const { token } = this.box.person('workshop_admin');
    const pairing = { url: this.line.url, code: this.relay.pairingCode() };
    const { state } = await this.box.call('PUT', '/api/relay/', token, pairing);
    if (state !== 'online') throw new Error(`the relay is ${state}`);
  }

  /** Whatever a test has cut is whole again. */
  healed() {
    this.line.mend();
    this.phones.mend();
  }

  async gone() {
    await this.browser?.close();
    await this.box?.stop();
    await this.relay?.stop();
    await this.line?.remove();
    await this.phones?.remove();
  }

  /** The request `number` of the sample. */
  request(number) {
    return this.box.sample.requests[number];
  }

  /** The link of a request at the relay's door that works. */
  async link(request) {
    const { token } = this.box.person('workshop_admin');
    const links = await this.box.call('GET', invitesOf(request), token);
    return links.find((link) => link.url !== null);
  }

  /** The newest messages of a request as the box has them. */
  async stored(request) {
    const { token } = this.box.person('workshop_admin');
    return this.box.call('GET', `/api/service-requests/${request.id}/messages/`, token);
  }

  /** An owner's phone with the conversation open at the relay's door. */
  async owner(url, options = {}) {
    const device = await Device.of(this.browser, phone, options);
    const page = await device.open(url);
    const chat = new Chat(page);
    await chat.composer.waitFor();
    return { device, page, chat };
  }

  /** An admin at a desk, signed in, with a request open. */
  async desk(viewport, request, expected = []) {
    const device = await Device.of(this.browser, viewport);
    const page = await device.open(this.box.url, [...signedOut, ...expected]);
    page.on('dialog', (dialog) => void dialog.accept());
    const { username, password } = this.box.person('workshop_admin');
    await page.getByLabel('Username, email or phone').fill(username);
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Inbox' }).waitFor();
    await page.goto(`${this.box.url}/requests/${request.id}`);
    const chat = new Chat(page);
    await chat.composer.waitFor();
    return { device, page, chat };
  }
}

const invitesOf = (request) => `/api/service-requests/${request.id}/invites/`;
