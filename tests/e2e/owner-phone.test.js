/** An owner's phone at the relay's door: without a network, with a second device, with a link taken back. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { Chat, desktop, Device, inPocket, isForEverybody, phone, until } from './browser.js';
import { World } from './world.js';

const revoked_ms_max = 2_000;

let world;

before(async () => {
  world = await World.made();
});

after(async () => {
  await world?.gone();
});

afterEach(() => {
  world.healed();
});

test('with no network at all the conversation is readable, and what is written goes out once', async () => {
  const request = world.request(0);
  const { url } = await world.link(request);
  const { device, page, chat } = await world.owner(url);
  await chat.shows('And may my mother sit in the back on Saturday?');
  const before = await chat.written();
  await page.evaluate(() => navigator.serviceWorker.ready);

  device.offline = true;
  world.phones.cut();
  await device.context.setOffline(true);
  await page.reload();
  // At least as much as was shown before.
  const here = async () => (await chat.written()).slice(-before.length).join() === before.join();
  await until('all of it is here', here);
  await page.getByText('No connection. Messages wait here until it is back.').waitFor();
  await chat.say('Written on the train');
  await chat.ticks('Written on the train', 'Waiting on this phone');
  await page.reload();
  await chat.ticks('Written on the train', 'Waiting on this phone');
  await page.reload();
  await chat.shows('Written on the train');

  world.phones.mend();
  await device.context.setOffline(false);
  await chat.ticks('Written on the train', 'At the workshop');
  device.offline = false;
  const stored = await world.stored(request);
  const once = stored.filter(({ content }) => content === 'Written on the train');
  assert.equal(once.length, 1);
  await page.reload();
  await chat.ticks('Written on the train', 'At the workshop');
  assert.equal(await chat.bubble('Written on the train').count(), 1);
  await device.close();
});

test('a phone comes back to its conversation by its list, and from the home screen', async () => {
  const { url } = await world.link(world.request(4));
  const { device, page, chat } = await world.owner(url);
  await page.getByRole('button', { name: 'Menu', exact: true }).click();
  await page.getByRole('link', { name: 'Your requests' }).click();
  await page.getByRole('heading', { name: 'Your requests' }).waitFor();
  await isForEverybody(page, 'owner-links');
  await page.getByRole('link', { name: /Nair Motors/ }).click();
  await chat.composer.waitFor();
  // What the home screen opens.
  await page.goto(`${new URL(url).origin}/o/?last`);
  await chat.composer.waitFor();
  assert.equal(page.url(), url);
  await device.close();
});

test('a second device opens the same conversation, and what is read on one is read on the other', async () => {
  const request = world.request(1);
  const { url } = await world.link(request);
  const permissions = ['clipboard-read', 'clipboard-write'];
  const { device, page, chat } = await world.owner(url, { permissions });
  await page.getByRole('button', { name: 'Menu', exact: true }).click();
  const menu = page.getByRole('dialog', { name: 'Menu' });
  await menu.getByRole('img', { name: 'QR code of your link' }).waitFor();
  await isForEverybody(page, 'owner-menu');
  await menu.getByRole('textbox', { name: 'Name of this device' }).fill('Thomas’s phone');
  await menu.getByRole('button', { name: 'Save' }).click();
  await menu.getByRole('button', { name: 'Copy link' }).click();
  await menu.getByRole('button', { name: 'Copied' }).waitFor();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  await menu.getByRole('button', { name: 'Close' }).click();

  const laptop = await Device.of(world.browser, desktop);
  const laptopPage = await laptop.open(copied);
  const onLaptop = new Chat(laptopPage);
  await until('both show the same', async () => {
    const [here, there] = [await chat.written(), await onLaptop.written()];
    return here.length > 0 && here.join() === there.join();
  });
  await chat.say('From the phone.');
  await onLaptop.shows('From the phone.');
  await onLaptop.say('From the laptop.');
  await chat.shows('From the laptop.');
  await isForEverybody(laptopPage, 'owner-at-relay');

  await inPocket(page, true);
  await inPocket(laptopPage, true);
  const staff = await world.desk(desktop, request);
  await staff.chat.say('Ready at noon.');
  for (const each of [page, laptopPage]) {
    await until('it is unread', async () => (await each.title()).startsWith('(1) '));
  }
  await inPocket(laptopPage, false);
  await until('read here', async () => !(await laptopPage.title()).startsWith('('));
  await until('and there', async () => !(await page.title()).startsWith('('));
  await staff.chat.ticks('Ready at noon.', 'Read');

  await staff.page.getByRole('button', { name: 'Share link' }).click();
  await staff.page.getByText(/^Thomas’s phone, over the internet · last seen/).waitFor();
  await staff.page.getByText(/^Chrom.*, over the internet · last seen/).waitFor();
  await isForEverybody(staff.page, 'share-relay');
  await staff.device.close();
  await laptop.close();
  await device.close();
});

test('a link that is taken back says so at once and leaves nothing on the phone; a new one shows it all', async (t) => {
  const request = world.request(2);
  const { url } = await world.link(request);
  const { device, page, chat } = await world.owner(url);
  await chat.say('Nobody else should read this.');
  await chat.ticks('Nobody else should read this.', 'At the workshop');
  const before = await chat.written();
  const kept = await keptOn(page);
  assert.ok(kept.entries > 0, 'the phone keeps the conversation');

  const staff = await world.desk(desktop, request);
  await staff.page.getByRole('button', { name: 'Share link' }).click();
  const panel = staff.page.getByRole('dialog');
  const revoking = staff.page.waitForResponse((answer) => answer.request().method() === 'DELETE');
  await panel.getByRole('button', { name: 'Revoke' }).click();
  await revoking;
  const revoked = Date.now();
  await page.getByRole('heading', { name: 'This link no longer works' }).waitFor();
  const took = Date.now() - revoked;
  t.diagnostic(`the page says so ${took} ms after the workshop`);
  assert.ok(took <= revoked_ms_max, `it took ${took} ms`);
  await page.getByText(/My link for KL .* \(request \d+\) no longer works/).waitFor();
  await isForEverybody(page, 'owner-link-revoked');
  await until('nothing is kept', async () => {
    const { entries, posts, keys } = await keptOn(page);
    return entries + posts + keys === 0;
  });
  assert.deepEqual(await chat.written(), []);
  await page.reload();
  await page.getByRole('heading', { name: 'This link no longer works' }).waitFor();

  await panel.getByRole('button', { name: 'Make a new link' }).click();
  const again = await until('there is a new link', async () => {
    const field = panel.getByRole('textbox', { name: 'Link' });
    return (await field.count()) > 0 && (await field.inputValue());
  });
  assert.notEqual(again, url);
  await page.goto(again);
  await until('all of it is there', async () => (await chat.written()).join() === before.join());
  await chat.say('I am back.');
  await chat.ticks('I am back.', 'At the workshop');
  await staff.device.close();
  await device.close();
});

/** How many rows the phone's database holds. */
async function keptOn(page) {
  return page.evaluate(async () => {
    const promised = (request) =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const [{ name }] = await indexedDB.databases();
    const db = await promised(indexedDB.open(name));
    const rows = {};
    for (const store of db.objectStoreNames) {
      rows[store] = await promised(db.transaction(store).objectStore(store).count());
    }
    db.close();
    return rows;
  });
}

test('the same link at the box’s own door is the same conversation and the same person', async () => {
  const request = world.request(3);
  const { url, lan_url } = await world.link(request);
  const { device, chat } = await world.owner(url);
  const waiting = await Device.of(world.browser, phone);
  const { pathname, hash } = new URL(lan_url);
  assert.equal(hash, new URL(url).hash);
  const atBox = await waiting.open(`${world.box.url}${pathname}${hash}`);
  assert.equal(await atBox.evaluate(() => isSecureContext), false, 'as on a real network');
  const there = new Chat(atBox);
  await there.say('From the waiting room.');
  await chat.shows('From the waiting room.');
  await chat.say('From the car.');
  await there.shows('From the car.');
  for (const [each, content] of [
    [chat, 'From the waiting room.'],
    [there, 'From the car.'],
  ]) {
    await each.page.locator('article.mine').filter({ hasText: content }).waitFor();
  }
  assert.deepEqual(await chat.written(), await there.written());
  assert.deepEqual(await chat.order(), await there.order());

  const stored = await world.stored(request);
  const [here, outside] = ['From the waiting room.', 'From the car.'].map((content) =>
    stored.find((message) => message.content === content),
  );
  assert.equal(here.sender_user, outside.sender_user);
  const { devices } = await world.link(request);
  assert.deepEqual(devices.map(({ via }) => via).sort(), ['lan', 'relay']);
  await waiting.close();
  await device.close();
});
