/** Whatever people write or call themselves is shown as they wrote it, at either door, and never runs. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { desktop, isForEverybody } from './browser.js';
import { World } from './world.js';

const payloads = [
  '<img src=x onerror="window.ran=1">',
  '<script>window.ran=2</script>',
  '"><svg onload=window.ran=3><!--',
  'javascript:window.ran=4//',
  '{{constructor.constructor("window.ran=5")()}}',
  '</textarea><iframe srcdoc="<script>parent.ran=6</script>">',
];

let world;

before(async () => {
  world = await World.made();
});

after(async () => {
  await world?.gone();
});

test('script in messages, names and descriptions crosses the relay as words', async () => {
  const { token } = world.box.person('workshop_admin');
  const opened = await world.box.call('POST', '/api/service-requests/', token, {
    customer: { full_name: payloads[0] },
    vehicle: { plate: '<b>KL</b>', make: payloads[1], model: payloads[2] },
    description: payloads.join('\n'),
  });
  const { url } = await world.link(opened);
  const owner = await world.owner(url);
  const staff = await world.desk(desktop, opened);

  await owner.page.getByRole('button', { name: 'Menu', exact: true }).click();
  const name = owner.page.getByRole('textbox', { name: 'Name of this device' });
  await name.fill(payloads[1]);
  await owner.page.getByRole('button', { name: 'Save' }).click();
  await owner.page.getByRole('button', { name: 'Saved' }).waitFor();
  await owner.page.getByRole('button', { name: 'Close' }).click();

  for (const payload of payloads) {
    await owner.chat.say(payload);
    await staff.chat.shows(payload);
    await staff.chat.say(`${payload} too`);
    await owner.chat.shows(`${payload} too`);
  }
  const said = payloads.flatMap((payload) => [payload, `${payload} too`]);
  for (const { chat } of [owner, staff]) assert.deepEqual(await chat.written(), said);
  await isForEverybody(owner.page, 'hostile-words');

  await staff.page.getByRole('heading', { name: payloads[0] }).waitFor();
  await staff.page.getByRole('button', { name: 'Details', exact: true }).click();
  const described = staff.page.getByRole('textbox', { name: 'What is wrong?' });
  assert.equal(await described.inputValue(), payloads.join('\n'));
  await staff.page.getByRole('button', { name: 'Close' }).click();
  await staff.page.getByRole('button', { name: 'Share link' }).click();
  await staff.page.getByText(`${payloads[1]}, over the internet`, { exact: false }).waitFor();

  // Once more from what the phone keeps, and from the list of its links.
  await owner.page.reload();
  await owner.chat.shows(said.at(-1));
  await owner.page.goto(`${world.relay.publicUrl}/o/`);
  await owner.page.getByText('<b>KL</b>', { exact: false }).waitFor();
  for (const { page } of [owner, staff])
    assert.equal(await page.evaluate(() => window.ran), undefined);
  // A policy that had to step in would have complained.
  await owner.device.close();
  await staff.device.close();
});
