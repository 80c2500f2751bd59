/**
 * An owner somewhere and the workshop at its desk, through bad days: whatever breaks between them, both
 * end with one conversation in one order, and no tick ever says more than is true.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { desktop, isForEverybody, until } from './browser.js';
import { World } from './world.js';

/** What one message may say of itself, each step further than the one before. */
const ownersLadder = [
  /^Waiting on this phone$/,
  /^At the relay since/,
  /^At the workshop$/,
  /^Read$/,
];
const staffsLadder = [/^Waiting to be sent$/, /^Sent$/, /^At the relay$/, /^Read$/];
/** What each of them says while something is broken. */
const lines = 3;
/** The box tries again within a minute, whatever it is; here it is mostly seconds. */
const heals_ms = 90_000;

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

/** Both have the conversation of a request open. */
async function bothAt(number) {
  const request = world.request(number);
  const { url } = await world.link(request);
  const [owner, staff] = await Promise.all([world.owner(url), world.desk(desktop, request)]);
  await Promise.all([owner.chat.noteTicks(), staff.chat.noteTicks()]);
  return { request, url, owner, staff };
}

const rung = (ladder, tick) => ladder.findIndex((step) => step.test(tick));

/** No tick was ever taken back, and none went beyond `most`. */
async function ticksWereTrue(chat, ladder, contents, most) {
  for (const content of contents) {
    const shown = await chat.ticksShown(content);
    const rungs = shown.map((tick) => rung(ladder, tick));
    assert.ok(shown.length > 0, `${content} has ticks`);
    assert.ok(!rungs.includes(-1), `${content}: ${shown}`);
    assert.deepEqual(rungs, rungs.toSorted(), `${content}: ${shown}`);
    assert.ok(Math.max(...rungs) <= most, `${content}: ${shown}`);
  }
}

/** Both write while something is broken; gives what they said. */
async function bothWrite({ owner, staff }, what) {
  const said = { owner: [], staff: [] };
  for (let line = 1; line <= lines; line++) {
    for (const [who, { chat }] of Object.entries({ owner, staff })) {
      const content = `${what}, ${who} ${line}`;
      said[who].push(content);
      await chat.say(content);
      // It is shown at once, whatever is broken.
      await chat.shows(content);
    }
  }
  return said;
}

/** Everything is healed: one and the same order on both pages, each message once, everything read. */
async function bothAgree({ owner, staff }, said) {
  const all = [...said.owner, ...said.staff];
  for (const content of all) {
    const mine = said.owner.includes(content) ? owner : staff;
    const read = mine.chat.bubble(content).getByText('Read', { exact: true });
    await read.waitFor({ state: 'attached', timeout: heals_ms });
  }
  const [here, there] = await until('both show the same', async () => {
    const pages = await Promise.all([owner.chat.written(), staff.chat.written()]);
    return pages[0].join('\n') === pages[1].join('\n') && pages;
  });
  assert.deepEqual(here, there);
  assert.deepEqual(await owner.chat.order(), await staff.chat.order(), 'the same places');
  for (const [who, mine] of Object.entries(said)) {
    assert.deepEqual(
      here.filter((content) => mine.includes(content)),
      mine,
      `each message of the ${who} once, in their own order`,
    );
  }
  await ticksWereTrue(owner.chat, ownersLadder, said.owner, 3);
  await ticksWereTrue(staff.chat, staffsLadder, said.staff, 3);
}

async function bothLeave({ owner, staff }) {
  await owner.device.close();
  await staff.device.close();
}

test('every step of a message on its way is told, and no step too early', async () => {
  const both = await bothAt(0);
  const { owner, staff, request, url } = both;
  await owner.page.getByText('Somebody is here').waitFor();
  await staff.page.goto(`${world.box.url}/people`);
  await owner.chat.say('Can I fetch it today?');
  await owner.chat.ticks('Can I fetch it today?', 'At the workshop');
  await owner.page.getByText('The workshop is online').waitFor();
  await ticksWereTrue(owner.chat, ownersLadder, ['Can I fetch it today?'], 2);

  await staff.page.goto(`${world.box.url}/requests/${request.id}`);
  await staff.chat.shows('Can I fetch it today?');
  await owner.chat.ticks('Can I fetch it today?', 'Read');
  await isForEverybody(owner.page, 'owner-at-relay');

  await owner.page.goto('about:blank');
  await staff.chat.noteTicks();
  await staff.chat.say('Yes, after five.');
  await staff.chat.ticks('Yes, after five.', 'At the relay');
  await ticksWereTrue(staff.chat, staffsLadder, ['Yes, after five.'], 2);
  await owner.page.goto(url);
  await owner.chat.shows('Yes, after five.');
  await staff.chat.ticks('Yes, after five.', 'Read');
  await ticksWereTrue(staff.chat, staffsLadder, ['Yes, after five.'], 3);
  await bothLeave(both);
});

test('the line between box and relay is cut, and both write', async (t) => {
  const both = await bothAt(1);
  const { owner, staff } = both;
  await owner.page.getByText('Somebody is here').waitFor();
  // Short breaks are not told; twenty seconds need not be waited for, though.
  await owner.page.clock.install();
  world.line.cut();
  await owner.page.getByText('Reaching the workshop …').waitFor();
  const said = await bothWrite(both, 'Line cut');
  await owner.page.clock.fastForward(20_000);
  await owner.page
    .getByText(/^Workshop offline since \d\d:\d\d\. Your message is kept\.$/)
    .waitFor();
  for (const content of said.owner) {
    await owner.chat.bubble(content).locator('.sent').waitFor();
  }
  await owner.page
    .getByText(/^At the relay since \d\d:\d\d\. The workshop has not/)
    .last()
    .waitFor();
  await staff.page.getByText(`Internet: ${lines} messages wait since`, { exact: false }).waitFor();
  await ticksWereTrue(owner.chat, ownersLadder, said.owner, 1);
  await ticksWereTrue(staff.chat, staffsLadder, said.staff, 1);

  world.line.mend();
  const mended = Date.now();
  await bothAgree(both, said);
  t.diagnostic(`everything is there ${Date.now() - mended} ms after the line`);
  await owner.page.getByText('Somebody is here').waitFor();
  await staff.page.getByText(/^Internet:/).waitFor({ state: 'detached' });
  await bothLeave(both);
});

test('the box is killed and started again, and both write', async () => {
  const both = await bothAt(2);
  const { owner, staff, request } = both;
  const { lan_url } = await world.link(request);
  await owner.page.clock.install();
  staff.device.offline = true;
  await world.box.kill();
  await owner.page.getByText('Reaching the workshop …').waitFor();
  const said = await bothWrite(both, 'Box dead');
  for (const content of said.owner) {
    await owner.chat.bubble(content).locator('.sent').waitFor();
  }
  await ticksWereTrue(owner.chat, ownersLadder, said.owner, 1);
  await ticksWereTrue(staff.chat, staffsLadder, said.staff, 0);
  await staff.page.getByText('No connection to the box. Messages wait here.').waitFor();
  await owner.page.clock.fastForward(20_000);
  await owner.page.getByText(/^Workshop offline since/).waitFor();
  await isForEverybody(owner.page, 'owner-workshop-offline');

  // Whoever stands at the counter is shown the workshop's own door.
  await owner.page.getByRole('button', { name: 'Use their Wi-Fi' }).click();
  const door = owner.page.getByRole('dialog', { name: 'At the workshop?' });
  await door.getByRole('img', { name: 'QR code of this conversation' }).waitFor();
  const here = await door.getByRole('link', { name: 'Open on their Wi-Fi' }).getAttribute('href');
  assert.equal(new URL(here).host, new URL(lan_url).host);
  assert.equal(new URL(here).hash, new URL(lan_url).hash);
  await isForEverybody(owner.page, 'owner-door');
  await door.getByRole('button', { name: 'Close' }).click();

  await world.box.start();
  await bothAgree(both, said);
  staff.device.offline = false;
  await bothLeave(both);
});

test('the relay is killed, the owner loads the page again, and the relay is started again', async () => {
  const both = await bothAt(3);
  const { owner, staff } = both;
  await owner.page.evaluate(() => navigator.serviceWorker.ready);
  owner.device.offline = true;
  await world.relay.kill();
  const said = await bothWrite(both, 'Relay dead');
  await ticksWereTrue(owner.chat, ownersLadder, said.owner, 0);
  await ticksWereTrue(staff.chat, staffsLadder, said.staff, 1);

  await owner.page.reload();
  await owner.chat.noteTicks();
  for (const content of said.owner) await owner.chat.ticks(content, 'Waiting on this phone');
  await owner.page.getByText('No connection. Messages wait here until it is back.').waitFor();
  await isForEverybody(owner.page, 'owner-no-connection');

  await world.relay.start();
  await bothAgree(both, said);
  owner.device.offline = false;
  await bothLeave(both);
});
