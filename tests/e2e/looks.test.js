/** The main pages on a phone and on a desktop, in light and dark: for everybody, and without errors. */
import { after, before, test } from 'node:test';
import { Box } from './box.js';
import { Chat, desktop, Device, isForEverybody, openBrowser, phone } from './browser.js';

let box, browser;

before(async () => {
  box = await Box.sample();
  browser = await openBrowser();
});

after(async () => {
  await browser?.close();
  await box?.stop();
});

const signedOut = [/401 \(Unauthorized\).*token\/refresh/];

for (const [kind, viewport] of Object.entries({ phone, desktop })) {
  test(`the workshop's pages on a ${kind}`, async () => {
    const device = await Device.of(browser, viewport);
    const page = await device.open(box.url, signedOut);
    const { username, password } = box.person('workshop_admin');
    await page.getByLabel('Username, email or phone').fill(username);
    await page.getByLabel('Password', { exact: true }).fill(password);
    await isForEverybody(page, 'sign-in');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Inbox' }).waitFor();
    await page.locator('a[href^="/requests/"]:has(strong)').first().waitFor();
    await isForEverybody(page, 'inbox');

    await page.goto(`${box.url}/requests/${box.sample.requests[0].id}`);
    await new Chat(page).log.getByRole('article').first().waitFor();
    await isForEverybody(page, 'request-sample');
    await page.goto(`${box.url}/requests/new`);
    await page.getByLabel('Number plate').waitFor();
    await isForEverybody(page, 'new-request');
    await page.goto(`${box.url}/people`);
    await page.getByText('Lakshmi', { exact: false }).first().waitFor();
    await isForEverybody(page, 'people');
    await page.getByRole('link', { name: 'Settings' }).click();
    await page.getByRole('heading', { name: 'Connect to a relay' }).waitFor();
    await isForEverybody(page, 'relay');
    await page.goto(`${box.url}/account`);
    await page.getByRole('heading', { name: 'My account' }).waitFor();
    await isForEverybody(page, 'account');
    await page.goto(`${box.url}/nowhere`);
    await page.getByRole('heading', { name: 'There is nothing here' }).waitFor();
    await isForEverybody(page, 'not-found');
    await device.close();
  });

  test(`the owner's page on a ${kind}`, async () => {
    const device = await Device.of(browser, viewport);
    const page = await device.open(box.link(box.sample.requests[0]));
    await new Chat(page).log.getByRole('article').first().waitFor();
    await isForEverybody(page, 'owner-sample');
    await device.close();
  });
}
