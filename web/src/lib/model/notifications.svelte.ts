import type { Api } from '$lib/net/api';
import type { Clock } from '$lib/net/clock';
import { Connection, type ConnectionState } from '$lib/net/connection';
import type { OpenSocket } from '$lib/net/socket';
import type { LinkStateFrame } from '$lib/wire/frames';
import type { RequestId } from '$lib/wire/ids';
import type { UnreadSummary } from '$lib/wire/things';

export interface NotificationParts {
  readonly api: Api;
  readonly open: OpenSocket;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onSummary: (summary: UnreadSummary) => void;
  readonly onRequestChanged: (id: RequestId) => void;
  /** Something new has come in these requests since the last summary. */
  readonly onNews: (requests: readonly RequestId[]) => void;
  /** How the link to the relay stands. */
  readonly onLink: (link: LinkStateFrame) => void;
  readonly onLive: () => void;
  /** Nothing is pushed any more until it is live again. */
  readonly onDown: () => void;
  readonly onRefused: () => void;
}

/** Red dots: how much is unread and where, kept live from sign-in to sign-out. */
export class Notifications {
  readonly #parts: NotificationParts;
  readonly connection: Connection;
  #summary = $state.raw<UnreadSummary>({ total_unread_count: 0, items: [] });
  #known = false;
  #state = $state.raw<ConnectionState>({ at: 'idle' });

  constructor(parts: NotificationParts) {
    this.#parts = parts;
    this.connection = new Connection({
      open: parts.open,
      clock: parts.clock,
      random: parts.random,
      ticket: async (how) => {
        if (how === 'renew') await parts.api.renew();
        return parts.api.wsTicket();
      },
      hasHttp: true,
      path: (ticket) => `/ws/notifications/?${new URLSearchParams({ token: ticket }).toString()}`,
      frame: (frame) => {
        if (frame.type === 'notification.message') this.#show(frame.data);
        if (frame.type === 'link.state') parts.onLink(frame);
        if (frame.type === 'requests.changed') parts.onRequestChanged(frame.service_request_id);
      },
      changed: (state) => {
        this.#state = state;
        if (state.at === 'live') parts.onLive();
        else parts.onDown();
        if (state.at === 'refused') parts.onRefused();
      },
    });
  }

  get total(): number {
    return this.#summary.total_unread_count;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  start(): void {
    this.connection.start();
  }

  stop(): void {
    this.connection.stop();
    this.#summary = { total_unread_count: 0, items: [] };
    this.#known = false;
  }

  #show(summary: UnreadSummary): void {
    const before = new Map(this.#summary.items.map((item) => [item.service_request_id, item]));
    const news = summary.items
      .filter(
        (item) => item.unread_count > (before.get(item.service_request_id)?.unread_count ?? 0),
      )
      .map((item) => item.service_request_id);
    this.#summary = summary;
    this.#parts.onSummary(summary);
    if (this.#known && news.length > 0) this.#parts.onNews(news);
    this.#known = true;
  }
}
