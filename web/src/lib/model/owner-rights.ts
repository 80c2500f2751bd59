import type { Erased, Exported, OwnerRightsApi } from '$lib/net/owner-rights-api';
import type { PersonId, RequestId } from '$lib/wire/ids';

/** What an owner may ask of the workshop, done by an admin. */
export class OwnerRights {
  readonly #api: OwnerRightsApi;
  readonly #save: (exported: Exported) => void;

  constructor(api: OwnerRightsApi, save: (exported: Exported) => void = saveAs) {
    this.#api = api;
    this.#save = save;
  }

  /** Saves a file and gives the fingerprint of the key that signed it. */
  async exportRequest(id: RequestId): Promise<string> {
    return this.#saved(await this.#api.exportRequest(id));
  }

  async exportOwner(id: PersonId): Promise<string> {
    return this.#saved(await this.#api.exportOwner(id));
  }

  erase(id: PersonId, name: string, everything: boolean): Promise<Erased> {
    return this.#api.erase(id, name, everything);
  }

  #saved(exported: Exported): string {
    this.#save(exported);
    return exported.fingerprint;
  }
}

/** The browser saves it under its name. */
function saveAs({ file, name }: Exported): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
