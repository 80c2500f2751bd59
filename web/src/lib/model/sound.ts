/** A short double tone; silent until a person has touched the page, as browsers demand. */
export class Sound {
  #context: AudioContext | null = null;

  /** Wakes the sound at the first gesture on the page. */
  listen(page: Document): void {
    const wake = () => {
      page.removeEventListener('pointerdown', wake);
      page.removeEventListener('keydown', wake);
      if (typeof AudioContext === 'function') this.#context = new AudioContext();
    };
    page.addEventListener('pointerdown', wake);
    page.addEventListener('keydown', wake);
  }

  play(): void {
    const context = this.#context;
    if (context?.state !== 'running') return;
    this.#tone(context, 660, 0);
    this.#tone(context, 880, 0.11);
  }

  #tone(context: AudioContext, hertz: number, after: number): void {
    const start = context.currentTime + after;
    const tone = context.createOscillator();
    const volume = context.createGain();
    tone.type = 'sine';
    tone.frequency.value = hertz;
    volume.gain.setValueAtTime(0, start);
    volume.gain.linearRampToValueAtTime(0.12, start + 0.015);
    volume.gain.exponentialRampToValueAtTime(0.0001, start + 0.18);
    tone.connect(volume).connect(context.destination);
    tone.start(start);
    tone.stop(start + 0.2);
  }
}
