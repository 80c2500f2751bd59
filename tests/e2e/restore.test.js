/** A box dies; on an empty one its admin types 24 words, and everything is as it was. */
import { after, before, test } from 'node:test';
import { Box } from './box.js';
import { Chat, desktop, Device, isForEverybody, openBrowser, phone, until } from './browser.js';
import { Relay } from './relay.js';

const password = 'spanner and socket';
let box, relay, browser, words, link;

before(async () => {
  relay = await Relay.empty();
  browser = await openBrowser();
  box = await Box.empty();
  const setUp = {
    workshop_name: 'Sharma Motors',
    full_name: 'Priya Sharma',
    username: 'priya',
    password,
  };
  const { access, recovery_words } = await box.call('POST', '/api/setup/', '', setUp);
  words = recovery_words.join(' ');
  const opened = await box.call('POST', '/api/service-requests/', access, {
    customer: { full_name: 'Asha Nair' },
    vehicle: { plate: 'KL 07 CD 4521' },
    description: 'Brakes squeal.',
  });
  const messages = `/api/service-requests/${opened.id}/messages/`;
  await box.call('POST', messages, access, { content: 'The new pads are here.' });
  const pairing = { url: relay.url, code: relay.pairingCode() };
  await box.call('PUT', '/api/relay/', access, pairing);
  link = `${relay.url}${new URL(opened.invite.url).pathname}${new URL(opened.invite.url).hash}`;
  await until('the relay has everything', async () => {
    const state = await box.call('GET', '/api/relay/', access);
    return state.state === 'online' && state.waiting_entries === 0;
  });
});

after(async () => {
  await browser?.close();
  await box?.stop();
  await relay?.stop();
});

const expected = [
  /401 \(Unauthorized\).*token\/refresh/,
  // Words that do not belong together are what the page is shown first.
  /422 \(Unprocessable Entity\).*\/api\/setup\/restore\//,
];

test('a workshop comes back on an empty box, with its conversation and its old passwords', async () => {
  const owner = new Chat(await (await Device.of(browser, phone)).open(link));
  await owner.shows('The new pads are here.');
  await box.dies();
  await owner.say('Shall I come today?');
  await owner.bubble('Shall I come today?').locator('.sent').waitFor();

  await box.start();
  const small = await Device.of(browser, phone);
  const glance = await small.open(box.url, expected);
  await glance.getByRole('radio', { name: 'Restore from the relay' }).check();
  await glance.getByLabel('Recovery words').waitFor();
  await isForEverybody(glance, 'restore');
  await small.close();

  const desk = await Device.of(browser, desktop);
  const page = await desk.open(box.url, expected);
  await page.getByLabel('Name of the workshop').waitFor();
  await isForEverybody(page, 'set-up');
  await page.getByRole('radio', { name: 'Restore from the relay' }).check();
  await page.getByLabel('Address of the relay').fill('http://127.0.0.1:1');
  await page.getByLabel('Recovery words').fill(words.replace(/^\w+ (\w+) /, '$1 $1 '));
  await page.getByRole('button', { name: 'Bring it back' }).click();
  await page.getByText(/do not belong together/).waitFor();
  await isForEverybody(page, 'restore-wrong-words');
  await page.getByLabel('Recovery words').fill(words);
  await page.getByRole('button', { name: 'Bring it back' }).click();
  await page.getByText('Asking the relay …').waitFor();
  await isForEverybody(page, 'restore-under-way');
  await page.getByText(/Nobody answers at this address/).waitFor();
  await isForEverybody(page, 'restore-failed');

  // The server goes away for a moment when everything is back.
  desk.offline = true;
  await page.getByLabel('Address of the relay').fill(relay.url);
  await page.getByRole('button', { name: 'Bring it back' }).click();
  await page.getByLabel('Username, email or phone').waitFor();
  desk.offline = false;
  // Perhaps with what the owner wrote since.
  await page.getByText(/^Sharma Motors is back: \d messages? in 1 request, 1 person\./).waitFor();
  await isForEverybody(page, 'restore-sign-in');
  await page.getByLabel('Username, email or phone').fill('priya');
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Inbox' }).waitFor();
  await page.locator('a[href^="/requests/"]:has(strong)').first().click();
  const staff = new Chat(page);
  await staff.shows('The new pads are here.');
  await staff.shows('Shall I come today?');
  await staff.say('Yes, come by at five.');
  await owner.shows('Yes, come by at five.');
  await owner.ticks('Shall I come today?', 'Read');
  await desk.close();
});
