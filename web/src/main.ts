/** The composition root: everything is made here and handed down; nothing below makes its own. */
import './styles/tokens.css';
import './styles/base.css';
import { mount } from 'svelte';
import App from './App.svelte';
import type { Device } from '$lib/model/device';
import type { OwnerPhone } from '$lib/model/owner-phone.svelte';
import { Restore } from '$lib/model/restore.svelte';
import { Router } from '$lib/model/router.svelte';
import { Session } from '$lib/model/session.svelte';
import { Settings } from '$lib/model/settings.svelte';
import { Sound } from '$lib/model/sound';
import { Staff } from '$lib/model/staff.svelte';
import { deviceStorage } from '$lib/model/storage';
import { Api, renewFromCookie } from '$lib/net/api';
import { deviceClock } from '$lib/net/clock';
import { openBrowserSocket } from '$lib/net/socket';
import { uuidMaker } from '$lib/wire/uuid';

const storage = deviceStorage();
const settings = new Settings(storage);
const sound = new Sound();
sound.listen(document);

const device: Device = {
  clock: deviceClock,
  random: Math.random,
  open: openBrowserSocket,
  storage,
  newId: uuidMaker(deviceClock.now, (into) => crypto.getRandomValues(into)),
  ring: () => {
    if (settings.sound) sound.play();
  },
};
const fetchHere: typeof fetch = (...call) => fetch(...call);
const api = new Api(fetchHere, deviceClock.now, renewFromCookie);
const session = new Session(api, deviceClock, device.random, storage);
const restore = new Restore(api, deviceClock, () => session.start());

let phone: Promise<OwnerPhone> | null = null;
async function openPhone(): Promise<OwnerPhone> {
  const { OwnerPhone } = await import('$lib/model/owner-phone.svelte');
  return new OwnerPhone(window, device);
}

const target = document.getElementById('app');
if (target === null) throw new Error('index.html holds #app');

mount(App, {
  target,
  props: {
    app: {
      router: new Router(window),
      session,
      restore,
      settings,
      device,
      fetch: fetchHere,
      makeStaff: () => new Staff(api, device, session),
      openPhone: () => (phone ??= openPhone()),
    },
  },
});
