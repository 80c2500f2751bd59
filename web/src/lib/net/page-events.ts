import type { Clock } from './clock';

/** What the connections listen to. */
export interface Wakeable {
  retryNow(): void;
  reconnect(): void;
}

const hidden_ms_max = 30_000;

/**
 * Wakes connections when the device says that the world has changed: the network is back, or the
 * tab is shown again. After 30 s in the background the line is taken for dead: phones cut it without
 * telling the page, and the box's pings are invisible to scripts. The answer stops the watching.
 */
export function wakeOnPageEvents(connection: Wakeable, clock: Clock, page: Document): () => void {
  let hiddenSince: number | null = page.hidden ? clock.now() : null;
  const online = () => {
    connection.reconnect();
  };
  const shownOrHidden = () => {
    if (page.hidden) {
      hiddenSince = clock.now();
      return;
    }
    const hiddenFor = hiddenSince === null ? 0 : clock.now() - hiddenSince;
    hiddenSince = null;
    if (hiddenFor > hidden_ms_max) connection.reconnect();
    else connection.retryNow();
  };
  window.addEventListener('online', online);
  page.addEventListener('visibilitychange', shownOrHidden);
  return () => {
    window.removeEventListener('online', online);
    page.removeEventListener('visibilitychange', shownOrHidden);
  };
}
