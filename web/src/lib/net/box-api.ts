/** The calls of the box's own pages, `/api/box/…`: for admins. */
import { readAddresses, type Addresses } from '$lib/wire/box-addresses';
import { readCheckup, type Checkup } from '$lib/wire/box-health';
import type { Api } from './api';

export class BoxApi {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  async addresses(): Promise<Addresses> {
    return readAddresses(await this.#api.ask('GET', '/api/box/addresses/'));
  }

  async health(): Promise<Checkup> {
    return readCheckup(await this.#api.ask('GET', '/api/box/health/'));
  }
}
