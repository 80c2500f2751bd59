/** A backup is made and taken away in the page; the box is wiped, gets it back, and the chat goes on. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Box } from './box.js';
import { Chat, desktop, Device, isForEverybody, openBrowser, phone } from './browser.js';

const password = 'spanner and socket';
const folder = mkdtempSync(join(tmpdir(), 'motoreach-e2e-backup-'));
let box, browser, words, link;

before(async () => {
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
  await box.call('POST', '/api/setup/recovery-words/kept/', access, {});
  const opened = await box.call('POST', '/api/service-requests/', access, {
    customer: { full_name: 'Asha Nair' },
    vehicle: { plate: 'KL 07 CD 4521' },
    description: 'Brakes squeal.',
  });
  const messages = `/api/service-requests/${opened.id}/messages/`;
  await box.call('POST', messages, access, { content: 'The new pads are here.' });
  const invite = new URL(opened.invite.url);
  link = `${box.url}${invite.pathname}${invite.hash}`;
});

after(async () => {
  await browser?.close();
  await box?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const expected = [
  /401 \(Unauthorized\).*token\/refresh/,
  // Words that open another backup are what the page is shown first.
  /422 \(Unprocessable Entity\).*\/api\/setup\/restore\//,
];

async function signIn(page) {
  await page.getByLabel('Username, email or phone').fill('priya');
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

test('a backup made in the page brings everything back on a box that was wiped', async () => {
  const desk = await Device.of(browser, desktop);
  const page = await desk.open(`${box.url}/box/`, expected);
  await signIn(page);
  await page.getByText('No backup has been proven yet.').waitFor();
  await isForEverybody(page, 'box-health');
  await page.getByRole('link', { name: 'Backup', exact: true }).click();
  await page.getByRole('heading', { name: 'No backup has been proven yet' }).waitFor();
  await page.getByRole('button', { name: 'Back up now' }).click();
  await page.getByText(/1 of 1 messages came back in \d+ s/).waitFor();
  await isForEverybody(page, 'box-backup');
  const saving = page.waitForEvent('download');
  await page.getByRole('button', { name: /^Download the backup of/ }).click();
  const file = join(folder, 'sharma.backup');
  await (await saving).saveAs(file);
  assert.ok(statSync(file).size > 1_000, 'the whole file came');
  await page.getByRole('link', { name: 'Health', exact: true }).click();
  await page.getByText(/^Last proven .*: restored 1 of 1 message in \d+ s\./).waitFor();

  const pocket = await Device.of(browser, phone);
  const small = await pocket.open(`${box.url}/box/`, expected);
  await signIn(small);
  await small.getByRole('heading', { name: 'Box' }).waitFor();
  await isForEverybody(small, 'box-health');
  await small.getByRole('link', { name: 'Backup', exact: true }).click();
  await small.getByRole('heading', { name: /^Last proven/ }).waitFor();
  await isForEverybody(small, 'box-backup');
  await pocket.close();
  await desk.close();

  await box.dies();
  await box.start();
  const again = await Device.of(browser, phone);
  const first = await again.open(box.url, expected);
  await first.getByRole('radio', { name: 'Restore a backup' }).check();
  await first.getByText('No backup was found on a disk that is plugged in.').waitFor();
  await isForEverybody(first, 'restore-backup');
  await first.getByLabel('Choose the file').setInputFiles(file);
  await first.getByLabel('Recovery words').fill(words.replace(/^\w+ (\w+) /, '$1 $1 '));
  await first.getByRole('button', { name: 'Bring it back' }).click();
  await first.getByText(/do not belong together/).waitFor();
  await isForEverybody(first, 'restore-backup-wrong-words');
  // The server goes away for a moment when everything is back.
  again.offline = true;
  await first.getByLabel('Recovery words').fill(words);
  await first.getByRole('button', { name: 'Bring it back' }).click();
  await first.getByLabel('Username, email or phone').waitFor();
  again.offline = false;
  await first.getByText(/^Sharma Motors is back: 1 message in 1 request, 1 person\./).waitFor();
  await isForEverybody(first, 'restore-backup-sign-in');
  await signIn(first);
  await first.getByRole('heading', { name: 'Inbox' }).waitFor();
  await first.locator('a[href^="/requests/"]:has(strong)').first().click();
  const staff = new Chat(first);
  await staff.shows('The new pads are here.');
  const outside = await Device.of(browser, phone);
  const owner = new Chat(await outside.open(link, expected));
  await owner.shows('The new pads are here.');
  await owner.say('Shall I come today?');
  await staff.shows('Shall I come today?');
  await staff.say('Yes, come by at five.');
  await owner.shows('Yes, come by at five.');
  await outside.close();
  await again.close();
});
