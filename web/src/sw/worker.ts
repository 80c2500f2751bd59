/**
 * The service worker of owners' pages at the relay's door: the app opens without a network, and what
 * the relay pushes is opened here, with the keys of this phone.
 *
 * It never answers for /api/ or /ws/, and knows nothing of the staff's pages.
 */
import { OwnerStore } from '$lib/store/owner-store';
import { inviteOf, notificationOf, tagOf, type PushPayload } from './notification';

declare const self: ServiceWorkerGlobalScope;
/** The files of this build, and a name for all of them together; set by the build. */
declare const SHELL: readonly string[];
declare const SHELL_NAME: string;

const page = '/index.html';
const page_ms_max = 5_000;
const store = new OwnerStore(self.indexedDB);

self.addEventListener('install', (event) => {
  event.waitUntil(install());
});

async function install(): Promise<void> {
  const shell = await caches.open(SHELL_NAME);
  await shell.addAll([page, ...SHELL]);
  await self.skipWaiting();
}

self.addEventListener('activate', (event) => {
  event.waitUntil(activate());
});

async function activate(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== SHELL_NAME).map((name) => caches.delete(name)));
  await self.clients.claim();
}

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== self.location.origin) return;
  if (request.mode === 'navigate') event.respondWith(newestPage(request));
  else if (SHELL.includes(url.pathname)) event.respondWith(kept(request));
});

/** The page as the relay has it now; on a bad line, the one that is here. */
async function newestPage(request: Request): Promise<Response> {
  const shell = await caches.open(SHELL_NAME);
  const here = await shell.match(page);
  try {
    const signal = AbortSignal.timeout(page_ms_max);
    const response = await fetch(request, here === undefined ? {} : { signal });
    return response.ok || here === undefined ? response : here;
  } catch (error) {
    if (here === undefined) throw error;
    return here;
  }
}

/** Files are named after their content: what is here is right. */
async function kept(request: Request): Promise<Response> {
  const shell = await caches.open(SHELL_NAME);
  return (await shell.match(request)) ?? fetch(request);
}

self.addEventListener('push', (event) => {
  event.waitUntil(pushed(event.data));
});

async function pushed(data: PushMessageData | null): Promise<void> {
  const payload = data === null ? {} : (data.json() as PushPayload);
  if (payload.clear === true) {
    await clear(payload);
    return;
  }
  if (await isBeingRead(payload)) return;
  const { title, options } = await notificationOf(store, payload);
  // It takes the place of the one before and makes itself heard all the same.
  await self.registration.showNotification(title, {
    ...options,
    renotify: true,
  } as NotificationOptions);
}

/** Read on another device: what is shown of the thread goes. */
async function clear(payload: PushPayload): Promise<void> {
  const shown = await self.registration.getNotifications({ tag: tagOf(payload) });
  for (const each of shown) each.close();
}

/** A person who is looking at the conversation needs no notification of it; a test always shows. */
async function isBeingRead(payload: PushPayload): Promise<boolean> {
  const invite = inviteOf(payload);
  if (payload.test === true || invite === undefined) return false;
  const pages = await openPages(invite);
  return pages.some((each) => each.visibilityState === 'visible');
}

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  const { invite, alarm } = event.notification.data as { invite?: string; alarm?: string };
  event.waitUntil(alarm === undefined ? show(invite) : showAlarm(alarm));
});

async function show(invite: string | undefined): Promise<void> {
  if (invite === undefined) {
    await self.clients.openWindow('/o/?last');
    return;
  }
  const [open] = await openPages(invite);
  if (open !== undefined) {
    await open.focus();
    return;
  }
  const link = await store.link(invite);
  await self.clients.openWindow(`/o/${invite}#${link?.fragment ?? ''}`);
}

async function showAlarm(workshop: string): Promise<void> {
  const alarm = await store.alarm(workshop);
  await self.clients.openWindow(`/o/alarm/${workshop}#${alarm?.fragment ?? ''}`);
}

/** The browser has changed this phone's address for pushes: pages tell the relay when they open. */
self.addEventListener('pushsubscriptionchange', (event) => {
  const { oldSubscription } = event as PushSubscriptionChangeEvent;
  const options = oldSubscription?.options;
  if (options !== undefined) event.waitUntil(self.registration.pushManager.subscribe(options));
});

interface PushSubscriptionChangeEvent extends ExtendableEvent {
  readonly oldSubscription: PushSubscription | null;
}

async function openPages(invite: string): Promise<readonly WindowClient[]> {
  const all = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const path = new RegExp(`^/o/${invite}/?$`);
  return all.filter((each) => path.test(new URL(each.url).pathname));
}
