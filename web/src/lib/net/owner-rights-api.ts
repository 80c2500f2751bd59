/** What an owner may ask of the workshop: a copy that proves itself, and to be forgotten. For admins. */
import { int, object } from '$lib/wire/guard';
import type { PersonId, RequestId } from '$lib/wire/ids';
import type { Api } from './api';

/** A file to be saved, and the fingerprint of the key that signed it. */
export interface Exported {
  readonly file: Blob;
  readonly name: string;
  readonly fingerprint: string;
}

/** What was erased. */
export interface Erased {
  readonly requests: number;
  readonly links: number;
  readonly entries: number;
}

export class OwnerRightsApi {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  exportRequest(id: RequestId): Promise<Exported> {
    return this.#export(`/api/service-requests/${id}/export/`, `motoreach-request-${id}.html`);
  }

  exportOwner(id: PersonId): Promise<Exported> {
    return this.#export(`/api/people/${id}/export/`, `motoreach-owner-${id}.html`);
  }

  async erase(id: PersonId, name: string, everything: boolean): Promise<Erased> {
    const path = `/api/people/${id}/erase/`;
    const answer = object(await this.#api.ask('POST', path, { name, everything }), 'erased');
    return {
      requests: int(answer, 'requests'),
      links: int(answer, 'links'),
      entries: int(answer, 'entries'),
    };
  }

  async #export(path: string, name: string): Promise<Exported> {
    const { file, note } = await this.#api.download(path, 'x-key-fingerprint');
    return { file, name, fingerprint: note };
  }
}
