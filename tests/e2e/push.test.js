/** Notifications: pushed sealed by the relay, opened on the phone, gone when read somewhere else. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Chat, desktop, Device, isForEverybody, phone, until } from './browser.js';
import { delivered, shown } from './delivery.js';
import { PushService, sender } from './push-service.js';
import { World } from './world.js';

let service;
let world;

before(async () => {
  service = await PushService.started();
  world = await World.made(['--push-allow-private', '--extra-roots', service.root]);
});

after(async () => {
  await world?.gone();
  await service?.stop();
});

test('a phone whose page is closed shows who wrote what; the push tells nobody on its way', async () => {
  const request = world.request(1);
  const { url } = await world.link(request);
  const device = await Device.of(world.browser, phone);
  await device.context.grantPermissions(['notifications'], {
    origin: world.relay.publicUrl,
  });
  await service.serve(device);
  const page = await device.open(url);
  const chat = new Chat(page);
  await chat.composer.waitFor();
  const ask = page.getByRole('region', { name: /tell you when they answer/ });
  assert.equal(await ask.count(), 0, 'nobody is asked before they wrote');
  await chat.say('When can I come?');
  await ask.waitFor();
  await ask.getByRole('button', { name: 'Yes, tell me' }).click();
  await ask.waitFor({ state: 'detached' });

  await page.getByRole('button', { name: 'Menu', exact: true }).click();
  await page.getByRole('button', { name: 'Send a test' }).click();
  const trial = await service.next('the test comes', (payload) => payload.test === true);
  await isForEverybody(page, 'owner-menu-notifications');
  await delivered(page, trial);
  await until('it shows', async () =>
    (await shown(page)).some(({ body }) => body === 'Notifications work on this device.'),
  );
  await page.getByRole('button', { name: 'Close' }).click();

  // The list of links is a page of ours, and no conversation.
  await page.goto(`${world.relay.publicUrl}/o/`);
  await page.getByRole('heading', { name: 'Your requests' }).waitFor();
  await isForEverybody(page, 'owner-links');
  const staff = await world.desk(desktop, request);
  const words = 'Any time after four <b>today</b>.';
  await staff.chat.say(words);
  const push = await service.next('it is pushed', ({ kind }) => kind === 'message_posted');
  assert.equal(push.headers['content-encoding'], 'aes128gcm');
  const by = sender(push.headers);
  const door = await fetch(`${world.relay.publicUrl}/api/door/`).then((answer) => answer.json());
  assert.equal(by.key, door.vapid);
  assert.equal(by.aud, service.origin);
  for (const carried of [push.bytes.toString('latin1'), JSON.stringify(push.payload)]) {
    for (const word of ['four', 'Nair', 'Thomas']) assert.ok(!carried.includes(word), carried);
  }
  await delivered(page, push);
  const written = await until('it shows', async () =>
    (await shown(page)).find(({ body }) => body === words),
  );
  assert.equal(written.title, 'Nair Motors');

  // Read somewhere else: it goes from here.
  const laptop = await Device.of(world.browser, desktop);
  const elsewhere = new Chat(await laptop.open(url));
  await elsewhere.shows(words);
  await delivered(page, await service.next('it is taken back', ({ clear }) => clear === true));
  await until('nothing shows', async () => (await shown(page)).length === 0);
  await laptop.close();
  await staff.device.close();
  await device.close();
});
