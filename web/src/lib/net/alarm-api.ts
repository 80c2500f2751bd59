/** A phone asks the relay about a box's silence. */
import { readAlarmStands, type AlarmStands } from '$lib/wire/alarm';
import { pushFrame } from './sealed-socket';

export type AlarmWant = 'look' | 'subscribe' | 'unsubscribe' | 'test';

/** The relay did not do what it should; `gone`: the link opens nothing any more. */
export class AlarmError extends Error {
  override readonly name = 'AlarmError';
  readonly why: 'gone' | 'unreachable';

  constructor(why: AlarmError['why']) {
    super(why);
    this.why = why;
  }
}

const answer_ms_max = 20_000;

export class AlarmApi {
  readonly #fetch: typeof fetch;
  readonly #path: string;
  readonly #secret: string;

  constructor(fetchFrom: typeof fetch, workshop: string, secret: string) {
    this.#fetch = fetchFrom;
    this.#path = `/api/alarm/${encodeURIComponent(workshop)}/`;
    this.#secret = secret;
  }

  async ask(want: AlarmWant, subscription: PushSubscription | null): Promise<AlarmStands> {
    const frame = subscription === null ? null : pushFrame(subscription);
    const browser =
      frame?.type === 'push.subscribe'
        ? { endpoint: frame.endpoint, p256dh: frame.p256dh, auth: frame.auth }
        : {};
    const response = await this.#post({ secret: this.#secret, want, ...browser });
    if (response.status === 404) throw new AlarmError('gone');
    if (!response.ok) throw new AlarmError('unreachable');
    return readAlarmStands(await response.json());
  }

  async #post(body: object): Promise<Response> {
    try {
      return await this.#fetch(this.#path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        cache: 'no-store',
        signal: AbortSignal.timeout(answer_ms_max),
      });
    } catch {
      throw new AlarmError('unreachable');
    }
  }
}
