/** What an owner's phone offers at the relay's door, and what stays on it when the link is gone. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isForEverybody } from './browser.js';
import { World } from './world.js';

let world;

before(async () => {
  world = await World.made();
});

after(async () => {
  await world?.gone();
});

/** How much of each kind the page has kept on the phone. */
function kept(page) {
  return page.evaluate(async () => {
    const answer = (request) =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const db = await answer(indexedDB.open('motoreach-owner'));
    const count = (name) => answer(db.transaction(name).objectStore(name).count());
    const [entries, keys, posts] = await Promise.all(['entries', 'keys', 'posts'].map(count));
    db.close();
    return { entries, keys, posts };
  });
}

test('a phone gets a name, passes its link on, and comes back to it by its list', async () => {
  const { url } = await world.link(world.request(0));
  const { device, page, chat } = await world.owner(url);
  await page.getByRole('button', { name: 'Menu', exact: true }).click();
  await page.getByRole('img', { name: 'QR code of your link' }).waitFor();
  await page.getByRole('textbox', { name: 'Name of this device' }).fill('Asha’s old phone');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('button', { name: 'Saved' }).waitFor();
  await isForEverybody(page, 'owner-menu');

  await page.getByRole('link', { name: 'Your requests' }).click();
  await page.getByRole('heading', { name: 'Your requests' }).waitFor();
  await isForEverybody(page, 'owner-links');
  await page.getByRole('link', { name: /Nair Motors/ }).click();
  await chat.composer.waitFor();
  // As from the home screen.
  await page.goto(`${new URL(url).origin}/o/?last`);
  await chat.composer.waitFor();
  assert.equal(page.url(), url);
  await device.close();
});

test('the page opens, shows and takes messages with no network at all', async () => {
  const { url } = await world.link(world.request(1));
  const { device, page, chat } = await world.owner(url);
  await page.evaluate(() => navigator.serviceWorker.ready);
  const before = await chat.written();
  device.offline = true;
  world.phones.cut();
  await page.reload();
  await chat.composer.waitFor();
  assert.deepEqual((await chat.written()).slice(-before.length), before);
  await chat.say('Written in a tunnel');
  await page.reload();
  await chat.ticks('Written in a tunnel', 'Waiting on this phone');
  world.phones.mend();
  await chat.bubble('Written in a tunnel').getByText('At the workshop').waitFor({
    state: 'attached',
    timeout: 60_000,
  });
  device.offline = false;
  await device.close();
});

test('a revoked link closes its page, and nothing of the conversation stays', async () => {
  const request = world.request(2);
  const link = await world.link(request);
  const { device, page } = await world.owner(link.url);
  assert.ok((await kept(page)).entries > 0);
  await world.revoke(request, link);
  await page.getByRole('heading', { name: 'This link no longer works' }).waitFor();
  await page.getByText(/Please send me a new one/).waitFor();
  await isForEverybody(page, 'owner-link-gone');
  assert.deepEqual(await kept(page), { entries: 0, keys: 0, posts: 0 });
  await device.close();
});
