/** What a phone's push service does: a push goes to the worker of our pages, and shows. */

/** Hands a push to the phone's worker, as its browser would. */
export async function delivered(page, { payload }) {
  const session = await page.context().newCDPSession(page);
  const registered = new Promise((resolve) => {
    session.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      const found = registrations.find(({ scopeURL }) => scopeURL.endsWith('/o/'));
      if (found !== undefined) resolve(found);
    });
  });
  await session.send('ServiceWorker.enable');
  const { registrationId } = await registered;
  const origin = new URL(page.url()).origin;
  const data = JSON.stringify(payload);
  await session.send('ServiceWorker.deliverPushMessage', {
    origin,
    registrationId,
    data,
  });
  await session.detach();
}

/** What the phone shows of this app outside of its pages. */
export async function shown(page) {
  return page.evaluate(async () => {
    const registration = await navigator.serviceWorker.getRegistration('/o/');
    const all = await registration.getNotifications();
    return all.map(({ title, body }) => ({ title, body }));
  });
}
