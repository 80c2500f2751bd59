/** This browser's one address for pushes, which owners' links and the alarm's page share. */
import { fromBase64Url, toBase64Url } from '$lib/wire/bytes';

/** The address, made for this relay's key; one that was made for another key is renewed. */
export async function subscribed(
  worker: ServiceWorkerRegistration | null,
  vapid: string,
): Promise<PushSubscription | null> {
  const key = fromBase64Url(vapid);
  if (worker === null || key === null || key.length === 0) return null;
  const known = await worker.pushManager.getSubscription();
  if (known !== null && isFor(known, vapid)) return known;
  await known?.unsubscribe();
  return worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
}

function isFor(subscription: PushSubscription, vapid: string): boolean {
  const key = subscription.options.applicationServerKey;
  return key === null || toBase64Url(new Uint8Array(key)) === vapid.replace(/=+$/, '');
}
