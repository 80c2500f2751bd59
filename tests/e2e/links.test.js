/** Links that do not open any more say so kindly, and what to do. */
import { after, before, test } from 'node:test';
import { Box } from './box.js';
import { Chat, Device, isForEverybody, openBrowser, phone } from './browser.js';

let box, browser;

before(async () => {
  box = await Box.sample();
  browser = await openBrowser();
});

after(async () => {
  await browser?.close();
  await box?.stop();
});

const refused = [/(401|410) .*\/api\/auth\/invite\//];

test('a link that is revoked while its page is open', async () => {
  const owner = await Device.of(browser, phone);
  const [request] = box.sample.requests;
  const page = await owner.open(box.link(request), refused);
  await new Chat(page).log.getByRole('article').first().waitFor();
  const { token } = box.person('workshop_admin');
  const invites = `/api/service-requests/${request.id}/invites/`;
  for (const invite of await box.call('GET', invites, token)) {
    await box.call('DELETE', `${invites}${invite.id}/`, token);
  }
  await page.getByRole('heading', { name: 'This link no longer works' }).waitFor();
  const again = await owner.open(box.link(request), refused);
  await again.getByRole('heading', { name: 'This link no longer works' }).waitFor();
  await isForEverybody(again, 'link-revoked');
  await owner.close();
});

test('a link that has run out', async () => {
  const owner = await Device.of(browser, phone);
  const page = await owner.open('about:blank', refused);
  // Ninety days cannot be waited for: the answer is the one that the server's own tests expect.
  await page.route('**/api/auth/invite/', (route) =>
    route.fulfill({
      status: 410,
      contentType: 'application/problem+json',
      body: JSON.stringify({
        type: 'about:blank',
        title: 'Gone',
        status: 410,
        code: 'invite_expired',
        detail: 'This link has expired.',
      }),
    }),
  );
  await page.goto(box.link(box.sample.requests[1]));
  await page.getByRole('heading', { name: 'This link has run out' }).waitFor();
  await isForEverybody(page, 'link-expired');
  await owner.close();
});

test('a link that was cut off on its way', async () => {
  const owner = await Device.of(browser, phone);
  const page = await owner.open(box.link(box.sample.requests[1]).slice(0, -9), refused);
  await page.getByRole('heading', { name: 'This link is not complete' }).waitFor();
  await owner.close();
});
