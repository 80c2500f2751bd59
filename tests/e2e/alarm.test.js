/** The silence alarm: an admin's phone is told when the box was not heard of for an hour. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { desktop, Device, isForEverybody, phone, until } from './browser.js';
import { delivered, shown } from './delivery.js';
import { PushService } from './push-service.js';
import { World } from './world.js';

/** The relay looks often, and its clock is more than an hour ahead. */
const later = {
  MOTOREACH_ALARM_EVERY_MS: '100',
  MOTOREACH_CLOCK_SHIFT_S: '4000',
};

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

test('a phone that opened the link is told whose box is silent, and since when', async () => {
  const desk = await world.desk(desktop, world.request(1));
  await desk.page.goto(`${world.box.url}/settings/relay/`);
  await desk.page.getByRole('switch', { name: /Tell phones/ }).click();
  const field = desk.page.getByLabel('Link for your phone', { exact: true });
  await field.waitFor();
  const url = await field.inputValue();
  await isForEverybody(desk.page, 'relay-alarm-settings');

  const device = await Device.of(world.browser, phone);
  await device.context.grantPermissions(['notifications'], {
    origin: world.relay.publicUrl,
  });
  await service.serve(device);
  const page = await device.open(url);
  await page.getByRole('heading', { name: 'The box is there' }).waitFor();
  await page.getByRole('switch', { name: /Tell this phone/ }).click();
  await page.getByText('One phone is told.').waitFor();
  await isForEverybody(page, 'alarm');
  await page.getByRole('button', { name: 'Send a test' }).click();
  await delivered(page, await service.next('the test comes', ({ test }) => test === true));
  await until('it shows', async () =>
    (await shown(page)).some(({ body }) => body === 'The alarm reaches this phone.'),
  );

  await world.box.kill();
  await world.relay.kill();
  await world.relay.start(later);
  const push = await service.next('silence is told', (payload) => 'silent_since' in payload);
  for (const word of ['Nair', 'Motors']) {
    assert.ok(!JSON.stringify(push.payload).includes(word), 'the relay knows no name');
  }
  await delivered(page, push);
  await until('it shows', async () =>
    (await shown(page)).some(
      ({ title, body }) =>
        title === 'Nair Motors' && body.startsWith('The box is silent since'),
    ),
  );
  await page.getByRole('button', { name: 'Look again' }).click();
  await page.getByRole('heading', { name: /^Silent since/ }).waitFor();
  await isForEverybody(page, 'alarm-silent');
});
