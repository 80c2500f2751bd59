/** The relay from the desk: paired on the settings page, and what staff see while the line is down. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Box } from './box.js';
import { Chat, Device, desktop, isForEverybody, openBrowser, phone, until } from './browser.js';
import { Relay } from './relay.js';

let box;
let relay;
let browser;

before(async () => {
  box = await Box.sample();
  relay = await Relay.empty();
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await box?.stop();
  await relay?.stop();
});

/** A page of an admin who has just signed in. */
async function signedIn(device, path) {
  const page = await device.open(box.url, [
    /401 \(Unauthorized\).*token\/refresh/,
    // A wrong code is what the first test is about.
    /422 \(Unprocessable Entity\).*\/api\/relay\//,
  ]);
  page.on('dialog', (dialog) => void dialog.accept());
  const { username, password } = box.person('workshop_admin');
  await page.getByLabel('Username, email or phone').fill(username);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Inbox' }).waitFor();
  await page.goto(box.url + path);
  return page;
}

async function connect(page, code) {
  await page.getByLabel('Address of the relay').fill(relay.url);
  await page.getByLabel('Pairing code').fill(code);
  await page.getByRole('button', { name: 'Connect', exact: true }).click();
}

test('a relay is connected, watched while it is away, and let go of', async () => {
  const desk = await Device.of(browser, desktop);
  const settings = await signedIn(desk, '/settings/relay');
  await connect(settings, 'ABCDE-FGHJK');
  await settings.getByText('That code is wrong, used up or too old.').waitFor();
  await connect(settings, relay.pairingCode().toLowerCase());
  await settings.getByRole('heading', { name: /^Connected since/ }).waitFor();
  await settings.getByText(`${relay.url}/o/…`).waitFor();
  await settings.getByText('Nothing: the relay has everything').waitFor();
  await isForEverybody(settings, 'relay-connected');

  const { id } = box.sample.requests[0];
  const chat = new Chat(await desk.open(`${box.url}/requests/${id}`));
  await chat.say('Is it there?');
  await chat.ticks('Is it there?', 'At the relay');

  await relay.kill();
  await chat.say('This waits.');
  await chat.say('This waits too.');
  await chat.ticks('This waits too.', 'Sent');
  const strip = chat.page.getByText(/^Internet: 2 messages wait since/);
  await strip.waitFor();
  await settings.getByRole('heading', { name: /^No connection since/ }).waitFor();
  await isForEverybody(settings, 'relay-away');

  await relay.start();
  await chat.ticks('This waits too.', 'At the relay');
  await strip.waitFor({ state: 'detached' });

  const { token } = box.person('workshop_admin');
  const links = await box.call('GET', `/api/service-requests/${id}/invites/`, token);
  const usable = links.find((link) => link.url !== null);
  assert.equal(new URL(usable.url).origin, relay.url);
  assert.notEqual(new URL(usable.lan_url).origin, relay.url);

  await settings.getByRole('button', { name: 'Disconnect' }).click();
  await settings.getByRole('heading', { name: 'Connect to a relay' }).waitFor();
  await desk.close();
});

test('the strip and the settings on a phone', async () => {
  const hand = await Device.of(browser, phone);
  const page = await signedIn(hand, '/settings/relay');
  await connect(page, relay.pairingCode());
  await page.getByRole('heading', { name: /^Connected since/ }).waitFor();
  await relay.kill();
  const { token } = box.person('workshop_admin');
  const { id } = box.sample.requests[0];
  await box.call('POST', `/api/service-requests/${id}/messages/`, token, { content: 'Waits.' });
  const strip = page.getByText(/^Internet: 1 message waits since/);
  await until('the strip is there', () => strip.isVisible());
  await isForEverybody(page, 'relay-away');
  await relay.start();
  await hand.close();
});

test('of two copies that are alive, and of copies that were brought together, the settings tell', async () => {
  const desk = await Device.of(browser, desktop);
  const page = await signedIn(desk, '/inbox');
  const { token } = box.person('workshop_admin');
  const now = await box.call('GET', '/api/relay/', token);
  const at = '2026-03-12T09:30:00.000Z';
  // A second box with this one's identity is for the tests over processes; this is how it looks.
  const told = {
    ...now,
    ...{ state: 'stopped', why: 'quarantined', detail: '', url: relay.url, public_url: relay.url },
    merges: [{ at, entries: 52, messages: 37, flagged: [2] }],
  };
  await page.route('**/api/relay/', (route) => route.fulfill({ json: told }));
  await page.goto(`${box.url}/settings/relay`);
  await page.getByRole('heading', { name: 'Two copies of this box are alive' }).waitFor();
  await page.getByRole('button', { name: 'This is the real one' }).waitFor();
  await page.getByText('restored, 37 messages recovered').waitFor();
  await page.getByRole('link', { name: 'request 2' }).waitFor();
  await isForEverybody(page, 'relay-copies');
  await page.setViewportSize(phone);
  await isForEverybody(page, 'relay-copies');
  await desk.close();
});
