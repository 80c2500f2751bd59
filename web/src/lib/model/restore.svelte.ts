import { ApiError, type Api, type RestoreForm } from '$lib/net/api';
import type { Clock } from '$lib/net/clock';
import { sendFile, type SendFile } from '$lib/net/send-file';
import type { FoundBackup } from '$lib/wire/backup';
import type { Restored } from '$lib/wire/restore';

export type RestoreStage =
  | { readonly at: 'asking'; readonly why: string | null; readonly detail: string | null }
  | {
      readonly at: 'coming';
      /** Entries that came from a relay so far. */
      readonly entries: number;
      /** What is done, in a word. */
      readonly step: string | null;
      readonly done: number;
      readonly of: number;
    }
  /** It is back; the box starts again with it. */
  | { readonly at: 'starting' };

const look_every_ms = 1_000;

/** Brings a workshop back onto this empty box, and waits until the box serves it. */
export class Restore {
  readonly #api: Api;
  readonly #clock: Clock;
  readonly #served: () => Promise<void>;
  readonly #send: SendFile;
  #stage = $state.raw<RestoreStage>({ at: 'asking', why: null, detail: null });
  #restored = $state.raw<Restored | null>(null);
  #found = $state.raw<readonly FoundBackup[] | null>(null);
  #file = $state.raw<File | null>(null);
  #sent = $state<number | null>(null);
  /** The box has the file already: only the words were wrong. */
  #upload: string | null = null;
  /** What was typed: nobody copies 24 words from paper twice because an address was wrong. */
  readonly draft = $state<{ url: string; words: string; claim: boolean; path: string | null }>({
    url: '',
    words: '',
    claim: false,
    path: null,
  });
  #cancel: () => void = () => undefined;

  /** `served` is called once the box serves what came back: it is somebody's to sign in to. */
  constructor(api: Api, clock: Clock, served: () => Promise<void>, send: SendFile = sendFile) {
    this.#api = api;
    this.#clock = clock;
    this.#served = served;
    this.#send = send;
  }

  get stage(): RestoreStage {
    return this.#stage;
  }

  /** What this page saw coming back. */
  get restored(): Restored | null {
    return this.#restored;
  }

  /** Backups on disks that are plugged in; null until it was looked. */
  get found(): readonly FoundBackup[] | null {
    return this.#found;
  }

  /** The file of this device that was chosen. */
  get file(): File | null {
    return this.#file;
  }

  /** How much of it the box has, from 0 to 1; null while none is on its way. */
  get sent(): number | null {
    return this.#sent;
  }

  /** Hands the words in; what is wrong with them is thrown, what goes wrong later is told. */
  async begin(form: RestoreForm): Promise<void> {
    this.#comes(await this.#api.beginRestore(form));
  }

  /** The same with the backup that was picked: a file of this device is sent to the box first. */
  async beginFromBackup(code: { readonly code?: string }): Promise<void> {
    const from = await this.#picked(code.code);
    this.#comes(await this.#api.beginRestore({ words: this.draft.words, from, ...code }));
  }

  async lookForBackups(): Promise<void> {
    try {
      this.#found = await this.#api.backupsFound();
      if (this.#file === null) this.draft.path ??= this.#found[0]?.path ?? null;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#found = [];
    }
  }

  pickPath(path: string): void {
    this.draft.path = path;
  }

  pickFile(file: File): void {
    this.draft.path = null;
    this.#file = file;
    this.#upload = null;
  }

  /** Why the last try brought nothing was read. */
  forgetFault(): void {
    if (this.#stage.at === 'asking') this.#stage = { at: 'asking', why: null, detail: null };
  }

  /** Finds out how it stands: a page that was loaded again goes on watching. */
  async look(): Promise<void> {
    this.#cancel();
    try {
      await this.#look();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // The box is just starting.
    }
    if (this.#stage.at !== 'asking') this.#lookSoon();
  }

  async #picked(
    code: string | undefined,
  ): Promise<{ readonly path: string } | { readonly upload: string }> {
    if (this.draft.path !== null) return { path: this.draft.path };
    const file = this.#file;
    if (file === null) throw new ApiError(0, 'no_backup_picked', '');
    if (this.#upload === null) {
      this.#sent = 0;
      try {
        const sent = this.#send(
          '/api/setup/backup/',
          file,
          code === undefined ? {} : { 'x-setup-code': code },
          (bytes) => (this.#sent = file.size === 0 ? 1 : bytes / file.size),
        );
        this.#upload = (await this.#api.uploadedBackup(sent)).upload;
      } finally {
        this.#sent = null;
      }
    }
    return { upload: this.#upload };
  }

  #comes(state: Coming): void {
    this.#stage = coming(state);
    this.#lookSoon();
  }

  async #look(): Promise<void> {
    const now = await this.#api.restore();
    switch (now.state) {
      case 'running':
        this.#stage = coming(now);
        return;
      case 'failed':
        // What the box had of a file may have gone with the try.
        this.#upload = null;
        this.#stage = { at: 'asking', why: now.why, detail: now.detail };
        return;
      case 'done':
        this.#restored = now.restored;
        this.draft.words = '';
        this.#stage = { at: 'starting' };
        return;
      case 'idle':
        if (this.#stage.at !== 'asking') await this.#startedAgain();
    }
  }

  /** A box that knows of no restore has started meanwhile: with what came back, or empty as before. */
  async #startedAgain(): Promise<void> {
    const { needed } = await this.#api.setupState();
    // First the page that comes then: the form would look for backups on a box that has a workshop.
    if (!needed) await this.#served();
    this.#stage = { at: 'asking', why: needed ? 'cut_off' : null, detail: null };
  }

  #lookSoon(): void {
    this.#cancel = this.#clock.after(look_every_ms, () => void this.look());
  }
}

interface Coming {
  readonly entries: number;
  readonly step: string | null;
  readonly done: number;
  readonly of: number;
}

const coming = ({ entries, step, done, of }: Coming): RestoreStage => ({
  at: 'coming',
  entries,
  step,
  done,
  of,
});
