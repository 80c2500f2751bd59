import { ApiError, type Api, type PersonForm } from '$lib/net/api';
import type { PersonId } from '$lib/wire/ids';
import type { Person } from '$lib/wire/things';

export type { PersonForm } from '$lib/net/api';

/** The workshop's staff. */
export class People {
  readonly #api: Api;
  #list = $state.raw<readonly Person[]>([]);
  #loaded = $state(false);
  #failed = $state(false);

  constructor(api: Api) {
    this.#api = api;
  }

  get list(): readonly Person[] {
    return this.#list;
  }

  /** Those a request can be given to. */
  get active(): readonly Person[] {
    return this.#list.filter((person) => person.active);
  }

  get loaded(): boolean {
    return this.#loaded;
  }

  get failed(): boolean {
    return this.#failed;
  }

  async load(): Promise<void> {
    try {
      this.#list = sorted(await this.#api.people());
      this.#loaded = true;
      this.#failed = false;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#failed = true;
    }
  }

  async add(form: PersonForm): Promise<void> {
    this.#put(await this.#api.addPerson(form));
  }

  async change(id: PersonId, form: PersonForm): Promise<void> {
    this.#put(await this.#api.changePerson(id, form));
  }

  #put(person: Person): void {
    this.#list = sorted([...this.#list.filter((each) => each.id !== person.id), person]);
  }
}

function sorted(people: readonly Person[]): readonly Person[] {
  return [...people].sort(
    (a, b) => Number(b.active) - Number(a.active) || a.full_name.localeCompare(b.full_name),
  );
}
