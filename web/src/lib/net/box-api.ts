/** The calls of the box's own pages, `/api/box/…`: for admins. */
import { readAddresses, type Addresses } from '$lib/wire/box-addresses';
import { readBackups, type Backups, type KeepRules } from '$lib/wire/backup';
import { readCheckup, type Checkup } from '$lib/wire/box-health';
import { readUpdate, type UpdateState } from '$lib/wire/box-update';
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

  async backups(): Promise<Backups> {
    return readBackups(await this.#api.ask('GET', '/api/box/backup/'));
  }

  async setBackups(folder: string | null, keep: KeepRules): Promise<void> {
    await this.#api.ask('PUT', '/api/box/backup/', { folder, keep });
  }

  /** Begins one; it goes on by itself. */
  async backUp(): Promise<void> {
    await this.#api.ask('POST', '/api/box/backup/', {});
  }

  /** A whole backup, however long that takes. */
  async backupFile(name: string): Promise<Blob> {
    return this.#api.wholeFile(`/api/box/backup/files/${encodeURIComponent(name)}/`);
  }

  async update(): Promise<UpdateState> {
    return readUpdate(await this.#api.ask('GET', '/api/box/update/'));
  }

  /** The text of the program's `.minisig` file goes along in a header. */
  async bringUpdate(program: Blob, signature: string): Promise<UpdateState> {
    const bytes = new TextEncoder().encode(signature);
    const headers = { 'x-signature': btoa(String.fromCharCode(...bytes)) };
    return readUpdate(
      await this.#api.sendFile('PUT', '/api/box/update/program/', program, headers),
    );
  }

  async applyUpdate(): Promise<UpdateState> {
    return readUpdate(await this.#api.ask('POST', '/api/box/update/apply/', {}));
  }
}
