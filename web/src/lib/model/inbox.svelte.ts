import {
  ApiError,
  type Api,
  type NewRequest,
  type RequestChange,
  type RequestState,
} from '$lib/net/api';
import type { Clock } from '$lib/net/clock';
import type { InviteId, RequestId } from '$lib/wire/ids';
import type {
  Invite,
  Message,
  ServiceRequest,
  Status,
  UnreadItem,
  UnreadSummary,
} from '$lib/wire/things';

export type { NewRequest, RequestState } from '$lib/net/api';

const settled: readonly Status[] = ['VERIFIED', 'CANCELLED', 'EXPIRED'];

/** Whether nothing more is expected to happen with a request. */
export const isClosed = (status: Status) => settled.includes(status);

const search_delay_ms = 250;

/** The service requests of the inbox: filtered, newest activity first, kept live. */
export class Inbox {
  readonly #api: Api;
  readonly #clock: Clock;
  #requests = $state.raw<readonly ServiceRequest[]>([]);
  #next = $state.raw<string | null>(null);
  #filter = $state<RequestState>('open');
  #search = $state('');
  #loaded = $state(false);
  #loading = $state(false);
  #failed = $state(false);
  #turn = 0;
  #cancelSearch: () => void = () => undefined;
  #refetching = new Set<RequestId>();
  /** What the notification socket said last; null while it is down. */
  #summary: UnreadSummary | null = null;

  constructor(api: Api, clock: Clock) {
    this.#api = api;
    this.#clock = clock;
  }

  get requests(): readonly ServiceRequest[] {
    return this.#requests;
  }

  get filter(): RequestState {
    return this.#filter;
  }

  get search(): string {
    return this.#search;
  }

  /** False until the first page has come: time for skeletons. */
  get loaded(): boolean {
    return this.#loaded;
  }

  get loading(): boolean {
    return this.#loading;
  }

  get failed(): boolean {
    return this.#failed;
  }

  get hasMore(): boolean {
    return this.#next !== null;
  }

  show(filter: RequestState): void {
    this.#filter = filter;
    void this.load();
  }

  /** Searches once typing pauses. */
  find(search: string): void {
    this.#search = search;
    this.#cancelSearch();
    this.#cancelSearch = this.#clock.after(search_delay_ms, () => void this.load());
  }

  async load(): Promise<void> {
    const turn = ++this.#turn;
    this.#loading = true;
    try {
      const page = await this.#api.requests(this.#filter, this.#search.trim(), null);
      if (turn !== this.#turn) return;
      this.#requests = page.requests.map((request) => this.#counted(request));
      this.#next = page.next;
      this.#loaded = true;
      this.#failed = false;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#failed = turn === this.#turn;
    } finally {
      if (turn === this.#turn) this.#loading = false;
    }
  }

  async more(): Promise<void> {
    if (this.#next === null || this.#loading) return;
    const turn = this.#turn;
    this.#loading = true;
    try {
      const page = await this.#api.requests(this.#filter, this.#search.trim(), this.#next);
      if (turn !== this.#turn) return;
      const known = new Set(this.#requests.map((request) => request.id));
      this.#requests = [...this.#requests, ...page.requests.filter((each) => !known.has(each.id))];
      this.#next = page.next;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    } finally {
      this.#loading = false;
    }
  }

  /**
   * What is unread now, pushed by the box, or null when nothing is pushed any more. Numbers change at
   * once; requests with news are fetched again.
   */
  setUnread(summary: UnreadSummary | null): void {
    const before = this.#summary;
    this.#summary = summary;
    if (summary === null) return;
    this.#requests = this.#requests.map((request) => this.#counted(request));
    if (before === null) return;
    const known = new Set(before.items.map(news));
    for (const item of summary.items) {
      if (!known.has(news(item))) void this.refetch(item.service_request_id);
    }
  }

  async refetch(id: RequestId): Promise<void> {
    if (this.#refetching.has(id)) return;
    this.#refetching.add(id);
    try {
      this.#put(this.#counted(await this.#api.request(id)));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 403 || error.status === 404) this.#drop(id);
    } finally {
      this.#refetching.delete(id);
    }
  }

  /** A message in an open room is the newest of its request. */
  messageIn(message: Message): void {
    const request = this.#requests.find((each) => each.id === message.service_request_id);
    if (request === undefined || (request.last_message?.id ?? 0) >= message.id) return;
    const { id, content, created_at, sender_type, sender_name } = message;
    const last_message = { id, content, created_at, sender_type, sender_name };
    this.#put({ ...request, last_message, updated_at: created_at });
  }

  /** A newer state of a request from a room; its numbers and last message are not meant. */
  requestIn(request: ServiceRequest): void {
    const known = this.#requests.find((each) => each.id === request.id);
    if (known === undefined) return;
    const { unread_count, last_message, updated_at } = known;
    this.#put({ ...request, unread_count, last_message, updated_at });
  }

  async open(form: NewRequest): Promise<{ request: ServiceRequest; invite: Invite }> {
    const opened = await this.#api.openRequest(form);
    this.#put(opened.request);
    return opened;
  }

  async change(id: RequestId, change: RequestChange): Promise<ServiceRequest> {
    const request = await this.#api.changeRequest(id, change);
    this.requestIn(request);
    return request;
  }

  invites(id: RequestId): Promise<readonly Invite[]> {
    return this.#api.invites(id);
  }

  newInvite(id: RequestId): Promise<Invite> {
    return this.#api.newInvite(id);
  }

  revokeInvite(id: RequestId, invite: InviteId): Promise<void> {
    return this.#api.revokeInvite(id, invite);
  }

  /** A list answer may be older than what was pushed meanwhile: the pushed number stands. */
  #counted(request: ServiceRequest): ServiceRequest {
    if (this.#summary === null) return request;
    const item = this.#summary.items.find((each) => each.service_request_id === request.id);
    const unread_count = item?.unread_count ?? 0;
    return request.unread_count === unread_count ? request : { ...request, unread_count };
  }

  #put(request: ServiceRequest): void {
    const known = this.#requests.some((each) => each.id === request.id);
    const fits = this.#filter === 'all' || isClosed(request.status) === (this.#filter === 'closed');
    if (!known && (!fits || this.#search.trim() !== '')) return;
    const others = this.#requests.filter((each) => each.id !== request.id);
    this.#requests = [request, ...others].sort((a, b) => (a.updated_at < b.updated_at ? 1 : -1));
  }

  #drop(id: RequestId): void {
    this.#requests = this.#requests.filter((each) => each.id !== id);
  }
}

/** What makes an unread item other than it was. */
function news(item: UnreadItem): string {
  return `${item.service_request_id} ${item.unread_count} ${item.last_message_time}`;
}
