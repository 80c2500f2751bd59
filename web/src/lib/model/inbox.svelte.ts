import {
  ApiError,
  type Api,
  type NewRequest,
  type RequestChange,
  type RequestFilter,
} from '$lib/net/api';
import type { Clock } from '$lib/net/clock';
import type { InviteId, RequestId } from '$lib/wire/ids';
import type {
  Invite,
  Message,
  ServiceRequest,
  Status,
  UnreadSummary,
  User,
} from '$lib/wire/things';
import { Paced } from './paced';

export type { NewRequest, RequestFilter } from '$lib/net/api';

const settled: readonly Status[] = ['VERIFIED', 'CANCELLED', 'EXPIRED'];

/** Whether nothing more is expected to happen with a request. */
export const isClosed = (status: Status) => settled.includes(status);

const search_delay_ms = 250;
const refetch_pause_ms = 300;

/** Mechanics start with their own jobs; who runs the workshop looks at all of it. */
const filters_of_mechanic: readonly RequestFilter[] = ['mine', 'open', 'closed'];
const filters_of_admin: readonly RequestFilter[] = ['open', 'closed', 'all'];

/** The service requests of the inbox: filtered, newest activity first, kept live. */
export class Inbox {
  readonly #api: Api;
  readonly #clock: Clock;
  readonly #viewer: User | null;
  readonly filters: readonly RequestFilter[];
  #requests = $state.raw<readonly ServiceRequest[]>([]);
  #next = $state.raw<string | null>(null);
  #filter = $state<RequestFilter>('open');
  #search = $state('');
  #loaded = $state(false);
  #loading = $state(false);
  #failed = $state(false);
  #turn = 0;
  /** Which question the shown list answers. */
  #answered = '';
  #cancelSearch: () => void = () => undefined;
  readonly #refetches: Paced<RequestId>;
  /** What the notification socket said last; null while it is down. */
  #summary: UnreadSummary | null = null;

  constructor(api: Api, clock: Clock, viewer: User | null) {
    this.#api = api;
    this.#clock = clock;
    this.#viewer = viewer;
    this.filters = viewer?.role === 'mechanic' ? filters_of_mechanic : filters_of_admin;
    this.#filter = this.filters[0] ?? 'open';
    this.#refetches = new Paced(clock, refetch_pause_ms, (id) => this.#refetch(id));
  }

  get requests(): readonly ServiceRequest[] {
    return this.#requests;
  }

  get filter(): RequestFilter {
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

  show(filter: RequestFilter): void {
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
    const asked = `${this.#filter} ${this.#search.trim()}`;
    this.#loading = true;
    try {
      const page = await this.#api.requests(this.#filter, this.#search.trim(), null);
      if (turn !== this.#turn) return;
      this.#requests = page.requests.map((request) => this.#counted(request));
      this.#next = page.next;
      this.#answered = asked;
      this.#loaded = true;
      this.#failed = false;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (turn !== this.#turn) return;
      this.#failed = true;
      // The answer to another question must not stand under this one.
      if (this.#answered !== asked) this.#loaded = false;
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
      const older = page.requests.filter((each) => !known.has(each.id));
      this.#requests = [...this.#requests, ...older.map((request) => this.#counted(request))];
      this.#next = page.next;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    } finally {
      this.#loading = false;
    }
  }

  /** What is unread now, pushed by the box, or null when nothing is pushed any more. */
  setUnread(summary: UnreadSummary | null): void {
    this.#summary = summary;
    if (summary === null) return;
    this.#requests = this.#requests.map((request) => this.#counted(request));
  }

  /** Something about a request is other than it was: it is fetched again, a burst of news once. */
  refetch(id: RequestId): void {
    this.#refetches.ask(id);
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

  /** A request as it is now, after something about it changed elsewhere. */
  async reread(id: RequestId): Promise<ServiceRequest> {
    const request = await this.#api.request(id);
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

  async #refetch(id: RequestId): Promise<void> {
    try {
      this.#put(this.#counted(await this.#api.request(id)));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 403 || error.status === 404) this.#drop(id);
    }
  }

  /** A list answer may be older than what was pushed meanwhile: the pushed number stands. */
  #counted(request: ServiceRequest): ServiceRequest {
    const unread_count = this.#isToldOf(request) ? this.#unreadIn(request) : 0;
    return request.unread_count === unread_count ? request : { ...request, unread_count };
  }

  #unreadIn(request: ServiceRequest): number {
    if (this.#summary === null) return request.unread_count;
    const { items, total_unread_count } = this.#summary;
    const item = items.find((each) => each.service_request_id === request.id);
    if (item !== undefined) return item.unread_count;
    // A very long summary is cut: what it does not list may still be unread.
    const listed = items.reduce((sum, each) => sum + each.unread_count, 0);
    return listed < total_unread_count ? request.unread_count : 0;
  }

  /** Red dots tell a mechanic of their own jobs only. */
  #isToldOf(request: ServiceRequest): boolean {
    return this.#viewer?.role !== 'mechanic' || this.#isMine(request);
  }

  #isMine(request: ServiceRequest): boolean {
    return this.#viewer !== null && request.assigned_to?.id === this.#viewer.id;
  }

  #fits(request: ServiceRequest): boolean {
    switch (this.#filter) {
      case 'mine':
        return this.#isMine(request) && !isClosed(request.status);
      case 'open':
        return !isClosed(request.status);
      case 'closed':
        return isClosed(request.status);
      case 'all':
        return true;
    }
  }

  #put(request: ServiceRequest): void {
    if (!this.#fits(request)) {
      this.#drop(request.id);
      return;
    }
    const known = this.#requests.find((each) => each.id === request.id);
    if (known?.updated_at === request.updated_at) {
      this.#requests = this.#requests.map((each) => (each === known ? request : each));
      return;
    }
    // Whether something new matches what is searched for, only the box knows.
    if (known === undefined && this.#search.trim() !== '') return;
    const others = this.#requests.filter((each) => each.id !== request.id);
    // It was just active, whatever the box's clock says.
    this.#requests = [request, ...others];
  }

  #drop(id: RequestId): void {
    this.#requests = this.#requests.filter((each) => each.id !== id);
  }
}
