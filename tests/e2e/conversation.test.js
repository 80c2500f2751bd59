/** The conversation that the product exists for, from the first run to a crash in its middle. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Box } from './box.js';
import { Chat, desktop, Device, isForEverybody, openBrowser, phone, until } from './browser.js';

/** A first visit asks whether it is signed in already, and is told that it is not. */
const signedOut = [/401 \(Unauthorized\).*token\/refresh/];
/** What each of them says while the server is killed and started again. */
const lines = 12;
/** After so many of them it is killed. */
const killed_after = 4;

let box, browser, staff, owner;

before(async () => {
  box = await Box.empty();
  browser = await openBrowser();
  staff = await Device.of(browser, desktop);
  owner = await Device.of(browser, phone);
});

after(async () => {
  await browser?.close();
  await box?.stop();
});

test('first run, first request, and both chat through a crash with nothing lost or doubled', async () => {
  const page = await staff.open(box.url, signedOut);
  assert.equal(await page.evaluate(() => isSecureContext), false, 'as on a real network');
  await setUp(page);
  const link = await openFirstRequest(page);
  assert.ok(link.startsWith(`${box.url}/o/`) && link.includes('#'), link);
  await page.goto(`${box.url}/`);
  await page.getByRole('link', { name: /Asha Nair/ }).waitFor();

  const ownerPage = await owner.open(link);
  const asha = new Chat(ownerPage);
  await ownerPage.getByRole('heading', { name: 'Nair Motors', level: 1 }).waitFor();
  await redDots(page, asha);

  await page.getByRole('link', { name: /Asha Nair/ }).click();
  const meera = new Chat(page);
  await meera.shows('Is it ready?');
  await asha.ticks('Is it ready?', 'Read');
  await meera.say('Tomorrow at ten.');
  await asha.shows('Tomorrow at ten.');
  await meera.ticks('Tomorrow at ten.', 'Read');
  await isForEverybody(page, 'request');
  await isForEverybody(ownerPage, 'owner');

  await crash(meera, asha);

  for (const chat of [meera, asha]) await chat.page.reload();
  const stored = await until('both show the same after a reload', async () => {
    const [here, there] = [await meera.written(), await asha.written()];
    return here.length > 0 && here.join() === there.join() && here;
  });
  assert.equal(new Set(stored).size, stored.length, 'nothing is there twice');
  assert.equal(stored.length, 2 + 2 * lines);
  await staff.close();
  await owner.close();
});

async function setUp(page) {
  await page.getByLabel('Name of the workshop').fill('Nair Motors');
  await page.getByLabel('Your name').fill('Meera Nair');
  await page.getByLabel('Username').fill('meera');
  await page.getByLabel('Password', { exact: true }).fill('a rusty gearbox sings');
  await isForEverybody(page, 'first-run');
  await page.getByRole('button', { name: 'Set up the workshop' }).click();
  await page.getByRole('heading', { name: 'Your 24 recovery words' }).waitFor();
  assert.equal(await page.getByRole('listitem').count(), 24);
  const goOn = page.getByRole('button', { name: 'Continue' });
  assert.ok(await goOn.isDisabled(), 'the words must be written down first');
  await page.getByLabel('I have written them down').check();
  await goOn.click();
}

/** Takes a vehicle in; gives the owner's link. */
async function openFirstRequest(page) {
  await page.getByRole('heading', { name: 'Your first request' }).waitFor();
  await page.getByLabel('Name', { exact: true }).fill('Asha Nair');
  await page.getByLabel('Number plate').fill('KL 07 AB 1234');
  await page.getByLabel('What is wrong?').fill('The brakes squeal in the morning.');
  await page.getByRole('button', { name: 'Open the request' }).click();
  await page.getByRole('heading', { name: 'The link for Asha Nair is ready' }).waitFor();
  await page.getByRole('img', { name: 'QR code of the owner’s link' }).waitFor();
  await isForEverybody(page, 'share');
  return page.getByLabel('Link', { exact: true }).inputValue();
}

/** The owner writes: a red dot appears on every other page of the workshop, and goes when one reads. */
async function redDots(inbox, asha) {
  const elsewhere = await staff.open(`${box.url}/people`);
  const dot = elsewhere.getByRole('link', { name: /Inbox.*1 unread message/ });
  await elsewhere.getByRole('heading', { name: 'People' }).waitFor();
  assert.equal(await dot.count(), 0);
  await asha.say('Is it ready?');
  await asha.shows('Is it ready?');
  await dot.waitFor();
  await inbox.getByRole('img', { name: '1 unread' }).waitFor();
  assert.equal(await asha.bubble('Is it ready?').getByText('Read', { exact: true }).count(), 0);
  const reading = await staff.open(`${box.url}/requests/1`);
  await new Chat(reading).shows('Is it ready?');
  await dot.waitFor({ state: 'detached' });
  await inbox.getByRole('img', { name: '1 unread' }).waitFor({ state: 'detached' });
  await reading.close();
  await elsewhere.close();
}

/** The server is killed and started again while both go on typing. */
async function crash(meera, asha) {
  const both = { Meera: meera, Asha: asha };
  const expected = [];
  for (let line = 0; line < lines; line++) {
    if (line === killed_after) {
      staff.offline = owner.offline = true;
      await box.kill();
    }
    if (line === 2 * killed_after) await box.start();
    await Promise.all(
      Object.entries(both).map(async ([name, chat]) => {
        const content = `${name} says ${line} of it`;
        expected.push(content);
        await chat.say(content);
        // It is shown at once, whatever the server does.
        await chat.shows(content);
      }),
    );
  }
  for (const chat of [meera, asha]) {
    const inOrder = await until(
      'the page recovers by itself',
      async () => {
        const waiting = await chat.log.getByText('Waiting to be sent').count();
        const written = await chat.written();
        return waiting === 0 && written.length === 2 + expected.length && written;
      },
      60_000,
    );
    assert.deepEqual([...inOrder].slice(2).sort(), [...expected].sort(), 'nothing lost or doubled');
    for (const name of Object.keys(both)) {
      const theirs = inOrder.filter((content) => content.startsWith(`${name} says`));
      const said = expected.filter((content) => content.startsWith(`${name} says`));
      assert.deepEqual(theirs, said, `${name}'s own order is kept`);
    }
  }
  assert.deepEqual(await meera.written(), await asha.written(), 'the same order on both pages');
  staff.offline = owner.offline = false;
}
