/** The browser's offer to put this page on the home screen; not every browser makes one. */
interface InstallOffer extends Event {
  prompt(): Promise<unknown>;
}

export class Installer {
  #offer = $state.raw<InstallOffer | null>(null);
  /** An iPhone or iPad in its browser: only the person can do it, by the share sheet. */
  readonly isByHand: boolean;

  constructor(from: Window) {
    const standalone = (from.navigator as { standalone?: boolean }).standalone;
    this.isByHand = standalone === false;
    from.addEventListener('beforeinstallprompt', (event) => {
      // The browser's own banner would come whenever it likes.
      event.preventDefault();
      this.#offer = event as InstallOffer;
    });
    from.addEventListener('appinstalled', () => {
      this.#offer = null;
    });
  }

  get canInstall(): boolean {
    return this.#offer !== null;
  }

  async install(): Promise<void> {
    const offer = this.#offer;
    this.#offer = null;
    await offer?.prompt();
  }
}
