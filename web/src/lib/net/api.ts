/** HTTP to the box: one method per call of the contract, one class of error. */
import { readAlarmLink, type AlarmLink } from '$lib/wire/alarm';
import type { InviteId, MessageId, PersonId, RequestId } from '$lib/wire/ids';
import { int, list, nullable, object, string, WireError, type Json } from '$lib/wire/guard';
import { readFound, readUploaded, type FoundBackup, type UploadedBackup } from '$lib/wire/backup';
import { readRelay, type Relay } from '$lib/wire/relay';
import { readRestore, type RestoreState } from '$lib/wire/restore';
import {
  readInvite,
  readMessage,
  readPerson,
  readRequest,
  readUser,
  readWorkshop,
  type Invite,
  type Message,
  type Person,
  type Role,
  type ServiceRequest,
  type Status,
  type User,
  type Workshop,
} from '$lib/wire/things';

/** A call did not do what it should. `status` 0 with code `network` means that no answer came. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly code: string;
  /** One calm sentence for a person. */
  readonly detail: string;
  /** Sentences by field, where a field is at fault. */
  readonly fields: Readonly<Record<string, readonly string[]>>;
  /** When it may be tried again, where the box says so. */
  readonly retryAfterS: number | null;

  constructor(
    status: number,
    code: string,
    detail: string,
    fields: ApiError['fields'] = {},
    retryAfterS: number | null = null,
  ) {
    super(`${code}: ${detail}`);
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.fields = fields;
    this.retryAfterS = retryAfterS;
  }
}

export interface SetupState {
  readonly needed: boolean;
  readonly code_required: boolean;
  /** Where other devices find the box while it waits: by name first, then by number. */
  readonly addresses: readonly string[];
  readonly workshop_name: string | null;
}

export interface SetupForm {
  readonly workshop_name: string;
  readonly full_name: string;
  readonly username: string;
  readonly password: string;
  readonly code?: string;
}

/** From the relay, or from a backup: a file that was sent here, or one on a disk of the box's. */
export type RestoreForm = { readonly words: string; readonly code?: string } & (
  | {
      readonly url: string;
      /** The old box is gone for good. */
      readonly claim: boolean;
    }
  | { readonly from: { readonly upload: string } | { readonly path: string } }
);

/** Who is signed in, and the access token that says so. */
export interface Access {
  readonly access: string;
  readonly user: User;
  readonly workshop: Workshop | null;
  readonly service_request: RequestId | null;
}

/** Which requests a list shows; `mine` are the open ones that are my job. */
export type RequestFilter = 'mine' | 'open' | 'closed' | 'all';

export interface RequestPage {
  readonly requests: readonly ServiceRequest[];
  /** Cursor of the next page, or null on the last. */
  readonly next: string | null;
}

export interface NewRequest {
  /** Names this request, so that sending the form again opens it once. */
  readonly client_id: string;
  readonly customer: { readonly full_name: string; readonly phone?: string };
  readonly vehicle: {
    readonly plate: string;
    readonly make?: string;
    readonly model?: string;
    readonly year?: number;
  };
  readonly description: string;
  readonly assigned_to?: PersonId;
}

export interface RequestChange {
  readonly status?: Status;
  readonly assigned_to?: PersonId | null;
  readonly description?: string;
}

export interface PersonForm {
  readonly full_name?: string;
  readonly role?: Role;
  readonly username?: string;
  readonly password?: string;
  readonly phone?: string | null;
  readonly email?: string | null;
  readonly active?: boolean;
}

export interface Post {
  readonly client_id: string;
  readonly content: string;
  readonly reply_to?: MessageId;
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** How a page gets a new access token: from the staff cookie, or from the owner's link. */
export type Renew = (api: Api) => Promise<Access>;

/** Staff: the refresh cookie, which no script can read. */
export const renewFromCookie: Renew = (api) => api.refresh();

const request_ms_max = 20_000;
/** A file over a slow network. */
const file_ms_max = 15 * 60_000;
const renew_before_ms = 30_000;

export class Api {
  readonly #fetch: typeof fetch;
  readonly #renew: Renew;
  readonly #now: () => number;
  #access: string | null = null;
  #renewAt = 0;
  #renewing: Promise<Access> | null = null;

  constructor(fetchFrom: typeof fetch, now: () => number, renew: Renew) {
    this.#fetch = fetchFrom;
    this.#now = now;
    this.#renew = renew;
  }

  // --- who is there -------------------------------------------------------------------------

  /** Gets a new access token; callers at the same time share one exchange. */
  renew(): Promise<Access> {
    this.#renewing ??= this.#renew(this).finally(() => {
      this.#renewing = null;
    });
    return this.#renewing;
  }

  /** `who` is a username, an email address or a phone number, as the person likes. */
  async login(who: string, password: string): Promise<Access> {
    const kind = who.includes('@')
      ? 'email'
      : /^\+?[\d\s()-]{5,}$/.test(who)
        ? 'phone'
        : 'username';
    return this.#keep(await this.#call('POST', '/api/auth/login/', { [kind]: who, password }));
  }

  async refresh(): Promise<Access> {
    return this.#keep(await this.#call('POST', '/api/auth/token/refresh/', {}));
  }

  async exchangeInvite(code: string, device_id: string): Promise<Access> {
    return this.#keep(await this.#call('POST', '/api/auth/invite/', { code, device_id }));
  }

  async logout(): Promise<void> {
    const bearer = this.#access;
    this.#access = null;
    await this.#call('POST', '/api/auth/logout/', {}, bearer);
  }

  async changePassword(current: string, next: string): Promise<void> {
    await this.#authorised('POST', '/api/auth/password/', { current, new: next });
  }

  async wsTicket(): Promise<string> {
    const answer = object(await this.#authorised('POST', '/api/auth/ws-ticket/', {}), 'ticket');
    return string(answer, 'ticket');
  }

  // --- first run ----------------------------------------------------------------------------

  async setupState(): Promise<SetupState> {
    const from = object(await this.#call('GET', '/api/setup/'), 'setup');
    return {
      needed: from['needed'] === true,
      code_required: from['code_required'] === true,
      addresses: 'addresses' in from ? list(from, 'addresses', String) : [],
      workshop_name: nullable(from, 'workshop_name', string),
    };
  }

  async setUp(form: SetupForm): Promise<{ access: Access; words: readonly string[] }> {
    const answer = await this.#call('POST', '/api/setup/', form);
    return {
      access: this.#keep(answer),
      words: readWords(object(answer, 'setup'), 'recovery_words'),
    };
  }

  async beginRestore(form: RestoreForm): Promise<RestoreState> {
    return readRestore(await this.#call('POST', '/api/setup/restore/', form));
  }

  async restore(): Promise<RestoreState> {
    return readRestore(await this.#call('GET', '/api/setup/restore/'));
  }

  /** Backups on disks that are plugged into the box. */
  async backupsFound(): Promise<readonly FoundBackup[]> {
    return readFound(await this.#call('GET', '/api/setup/backups/'));
  }

  /** What the box makes of a backup that was sent to it. */
  async uploadedBackup(answer: Promise<Response>): Promise<UploadedBackup> {
    let response: Response;
    try {
      response = await answer;
    } catch {
      throw new ApiError(0, 'network', '');
    }
    if (!response.ok) throw await problem(response);
    return readUploaded(await read(response));
  }

  /** The recovery words while nobody has confirmed them; afterwards null. */
  async recoveryWords(): Promise<readonly string[] | null> {
    try {
      const answer = await this.#authorised('GET', '/api/setup/recovery-words/');
      return readWords(object(answer, 'words'), 'words');
    } catch (error) {
      if (error instanceof ApiError && error.status === 410) return null;
      throw error;
    }
  }

  async recoveryWordsKept(): Promise<void> {
    await this.#authorised('POST', '/api/setup/recovery-words/kept/', {});
  }

  // --- people -------------------------------------------------------------------------------

  async people(): Promise<readonly Person[]> {
    return readList(await this.#authorised('GET', '/api/people/'), readPerson);
  }

  async addPerson(form: PersonForm): Promise<Person> {
    return readPerson(await this.#authorised('POST', '/api/people/', form));
  }

  async changePerson(id: PersonId, form: PersonForm): Promise<Person> {
    return readPerson(await this.#authorised('PATCH', `/api/people/${id}/`, form));
  }

  // --- the relay ----------------------------------------------------------------------------

  async relay(): Promise<Relay> {
    return readRelay(await this.#authorised('GET', '/api/relay/'));
  }

  async connectRelay(url: string, code: string): Promise<Relay> {
    return readRelay(await this.#authorised('PUT', '/api/relay/', { url, code }));
  }

  async disconnectRelay(): Promise<void> {
    await this.#authorised('DELETE', '/api/relay/');
  }

  async claimRelay(): Promise<Relay> {
    return readRelay(await this.#authorised('POST', '/api/relay/claim/', {}));
  }

  async alarm(): Promise<AlarmLink> {
    return readAlarmLink(await this.#authorised('GET', '/api/relay/alarm/'));
  }

  /** On: with a new link, and whoever opened an older one is told nothing any more. */
  async switchAlarm(on: boolean): Promise<AlarmLink> {
    const path = '/api/relay/alarm/';
    return readAlarmLink(
      on ? await this.#authorised('POST', path, {}) : await this.#authorised('DELETE', path),
    );
  }

  // --- what has a class of its own ------------------------------------------------------------

  /** A call as whoever is signed in. */
  ask(method: Method, path: string, body?: object): Promise<unknown> {
    return this.#authorised(method, path, body);
  }

  /** A whole file, however long it takes: only whoever asked gives up on it. */
  async wholeFile(path: string): Promise<Blob> {
    const response = await this.#respond('GET', path, undefined, null);
    try {
      return await response.blob();
    } catch {
      throw new ApiError(0, 'network', '');
    }
  }

  /** A file as it is, with more headers. It may take minutes on a slow network. */
  async sendFile(
    method: Method,
    path: string,
    file: Blob,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<unknown> {
    return read(await this.#respond(method, path, file, file_ms_max, headers));
  }

  // --- service requests ---------------------------------------------------------------------

  async requests(
    filter: RequestFilter,
    search: string,
    before: string | null,
  ): Promise<RequestPage> {
    const query = new URLSearchParams({ state: filter === 'mine' ? 'open' : filter, limit: '50' });
    if (filter === 'mine') query.set('assigned', 'me');
    if (search !== '') query.set('search', search);
    if (before !== null) query.set('before', before);
    const response = await this.#respond('GET', `/api/service-requests/?${query.toString()}`);
    return {
      requests: readList(await response.json(), readRequest),
      next: nextCursor(response.headers.get('link')),
    };
  }

  async request(id: RequestId): Promise<ServiceRequest> {
    return readRequest(await this.#authorised('GET', `/api/service-requests/${id}/`));
  }

  async openRequest(form: NewRequest): Promise<{ request: ServiceRequest; invite: Invite }> {
    const answer = object(
      await this.#authorised('POST', '/api/service-requests/', form),
      'request',
    );
    return { request: readRequest(answer), invite: readInvite(answer['invite']) };
  }

  async changeRequest(id: RequestId, change: RequestChange): Promise<ServiceRequest> {
    return readRequest(await this.#authorised('PATCH', `/api/service-requests/${id}/`, change));
  }

  async invites(id: RequestId): Promise<readonly Invite[]> {
    return readList(
      await this.#authorised('GET', `/api/service-requests/${id}/invites/`),
      readInvite,
    );
  }

  async newInvite(id: RequestId): Promise<Invite> {
    return readInvite(await this.#authorised('POST', `/api/service-requests/${id}/invites/`, {}));
  }

  async revokeInvite(id: RequestId, invite: InviteId): Promise<void> {
    await this.#authorised('DELETE', `/api/service-requests/${id}/invites/${invite}/`);
  }

  // --- messages, for when the socket is down ------------------------------------------------

  async newestMessages(id: RequestId): Promise<readonly Message[]> {
    return readList(
      await this.#authorised('GET', `/api/service-requests/${id}/messages/`),
      readMessage,
    );
  }

  async postMessage(id: RequestId, post: Post): Promise<Message> {
    return readMessage(
      await this.#authorised('POST', `/api/service-requests/${id}/messages/`, post),
    );
  }

  /** A file that a call answers with, and the header that goes with it. */
  async download(path: string, header: string): Promise<{ file: Blob; note: string }> {
    const response = await this.#respond('POST', path, {});
    return { file: await response.blob(), note: response.headers.get(header) ?? '' };
  }

  // --- how a call is made -------------------------------------------------------------------

  async #authorised(method: Method, path: string, body?: object): Promise<unknown> {
    return read(await this.#respond(method, path, body));
  }

  /** Renews the token before it runs out, and once more when the box refuses it all the same. */
  async #respond(
    method: Method,
    path: string,
    body?: object,
    ms_max: number | null = request_ms_max,
    more: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    if (this.#access === null || this.#now() >= this.#renewAt) await this.renew();
    const bearer = this.#access;
    try {
      return await this.#send(method, path, body, bearer, ms_max, more);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      if (this.#access === bearer) await this.renew();
      return this.#send(method, path, body, this.#access, ms_max, more);
    }
  }

  async #call(
    method: Method,
    path: string,
    body?: object,
    bearer?: string | null,
  ): Promise<unknown> {
    return read(await this.#send(method, path, body, bearer ?? null));
  }

  async #send(
    method: Method,
    path: string,
    body: object | undefined,
    bearer: string | null,
    ms_max: number | null = request_ms_max,
    more: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    const isFile = body instanceof Blob;
    const headers = new Headers({ accept: 'application/json', ...more });
    if (bearer !== null) headers.set('authorization', `Bearer ${bearer}`);
    if (body !== undefined) {
      headers.set('content-type', isFile ? 'application/octet-stream' : 'application/json');
    }
    let response: Response;
    try {
      response = await this.#fetch(path, {
        method,
        headers,
        credentials: 'same-origin',
        cache: 'no-store',
        ...(ms_max === null ? {} : { signal: AbortSignal.timeout(ms_max) }),
        ...(body === undefined ? {} : { body: isFile ? body : JSON.stringify(body) }),
      });
    } catch {
      throw new ApiError(0, 'network', '');
    }
    if (!response.ok) throw await problem(response);
    return response;
  }

  #keep(answer: unknown): Access {
    const from = object(answer, 'access');
    const access = string(from, 'access');
    this.#access = access;
    this.#renewAt = this.#now() + Math.max(lifetimeMs(access) - renew_before_ms, renew_before_ms);
    return {
      access,
      user: readUser(from['user']),
      workshop: nullable(from, 'workshop', (_, key) => readWorkshop(from[key])),
      service_request: nullable(from, 'service_request', int) as RequestId | null,
    };
  }
}

async function read(response: Response): Promise<unknown> {
  return response.status === 204 ? null : response.json();
}

function readList<T>(answer: unknown, each: (value: unknown) => T): readonly T[] {
  return list({ answer }, 'answer', each);
}

function readWords(from: Json, key: string): readonly string[] {
  return list(from, key, (word) => string({ word }, 'word'));
}

/** The problem+json of a refusal; whatever else comes (a proxy's page) still becomes an error. */
async function problem(response: Response): Promise<ApiError> {
  const status = response.status;
  try {
    const from = object(await response.json(), 'problem');
    const fields = (nullable(from, 'errors', (_, key) => object(from[key], key)) ??
      {}) as ApiError['fields'];
    return new ApiError(
      status,
      string(from, 'code'),
      nullable(from, 'detail', string) ?? '',
      fields,
      retryAfterS(response.headers),
    );
  } catch (error) {
    if (!(error instanceof WireError) && !(error instanceof SyntaxError)) throw error;
    return new ApiError(status, status === 401 ? 'not_signed_in' : 'unknown', '');
  }
}

function retryAfterS(headers: Headers): number | null {
  const seconds = Number(headers.get('retry-after') ?? NaN);
  return Number.isSafeInteger(seconds) && seconds > 0 ? seconds : null;
}

/**
 * How long a token lives, from its own two times: a Pi without a battery-backed clock and a phone
 * rarely agree on what time it is, but they agree on how long fifteen minutes are.
 */
function lifetimeMs(token: string): number {
  try {
    const payload = token.split('.')[1] ?? '';
    const claims = object(
      JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/'))),
      'claims',
    );
    return (int(claims, 'exp') - int(claims, 'iat')) * 1000;
  } catch {
    return 10 * 60_000;
  }
}

function nextCursor(link: string | null): string | null {
  const next = link?.split(',').find((part) => part.includes('rel="next"'));
  const url = next?.match(/<([^>]+)>/)?.[1];
  return url === undefined ? null : new URL(url, 'http://box').searchParams.get('before');
}
