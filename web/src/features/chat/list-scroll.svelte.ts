import type { Room } from '$lib/model/room.svelte';
import type { MessageId } from '$lib/wire/ids';

const at_bottom_px = 80;
const near_top_px = 240;
const dwell_ms = 450;
const tolerance_px = 12;

/**
 * Keeps the reader's place in the message list: at the newest while they are there, at the unread
 * line on opening, unmoved while older messages come in above. Tells the room what was really seen.
 */
export class ListScroll {
  readonly #room: Room;
  #list: HTMLElement | null = null;
  #atBottom = $state(true);
  /** The newest message that was on screen the last time the reader was at the bottom. */
  #bottomId = $state(0);
  #placed = false;
  #height = 0;
  #top = 0;
  #firstId = 0;
  #pending = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(room: Room) {
    this.#room = room;
  }

  get atBottom(): boolean {
    return this.#atBottom;
  }

  /** How many of the other side's messages came in below what is shown. */
  readonly newBelow = $derived.by(() => {
    if (this.#atBottom) return 0;
    const { messages, mySide } = this.#room.conversation;
    return messages.filter((each) => each.sender_type !== mySide && each.id > this.#bottomId)
      .length;
  });

  /** For `{@attach}` on the scrolling element. */
  readonly attach = (list: HTMLElement) => {
    this.#list = list;
    const scrolled = () => {
      this.#scrolled();
    };
    const look = () => {
      this.#lookSoon();
    };
    const resized = new ResizeObserver(() => {
      if (this.#placed && this.#atBottom) this.#toBottom();
      this.#lookSoon();
    });
    resized.observe(list);
    list.addEventListener('scroll', scrolled, { passive: true });
    window.addEventListener('focus', look);
    document.addEventListener('visibilitychange', look);
    return () => {
      clearTimeout(this.#timer);
      resized.disconnect();
      list.removeEventListener('scroll', scrolled);
      window.removeEventListener('focus', look);
      document.removeEventListener('visibilitychange', look);
      this.#list = null;
    };
  };

  /** Before the list changes: remembers where the reader is. */
  before(): void {
    if (this.#list === null) return;
    this.#height = this.#list.scrollHeight;
    this.#top = this.#list.scrollTop;
  }

  /** After the list changed: puts the reader where they belong. */
  after(): void {
    const list = this.#list;
    const { messages, loaded } = this.#room.conversation;
    if (list === null || !loaded) return;
    const firstId = messages[0]?.id ?? 0;
    const pending = this.#room.outbox.items.length;
    if (!this.#placed) {
      this.#placed = true;
      this.#toStart(list);
    } else if (firstId < this.#firstId) {
      list.scrollTop = this.#top + (list.scrollHeight - this.#height);
    } else if (this.#atBottom || pending > this.#pending) {
      this.#toBottom();
    }
    this.#firstId = firstId;
    this.#pending = pending;
    this.#scrolled();
  }

  toNewest(): void {
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.#list?.scrollTo({ top: this.#list.scrollHeight, behavior: calm ? 'auto' : 'smooth' });
  }

  toMessage(id: MessageId): void {
    const target = this.#list?.querySelector<HTMLElement>(`[data-message="${id}"]`);
    target?.scrollIntoView({ block: 'center', behavior: 'smooth' });
    target?.focus({ preventScroll: true });
  }

  #toStart(list: HTMLElement): void {
    const line = list.querySelector<HTMLElement>('[data-unread]');
    if (line === null) this.#toBottom();
    else list.scrollTop = line.offsetTop - list.clientHeight / 4;
  }

  #toBottom(): void {
    if (this.#list !== null) this.#list.scrollTop = this.#list.scrollHeight;
  }

  #scrolled(): void {
    const list = this.#list;
    if (list === null || !this.#placed) return;
    this.#atBottom = list.scrollHeight - list.scrollTop - list.clientHeight < at_bottom_px;
    if (this.#atBottom) this.#bottomId = this.#room.conversation.messages.at(-1)?.id ?? 0;
    if (list.scrollTop < near_top_px) this.#room.loadOlder();
    this.#lookSoon();
  }

  /** Something counts as seen when it stays on screen for a moment, in a tab that has the focus. */
  #lookSoon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#look();
    }, dwell_ms);
  }

  #look(): void {
    const list = this.#list;
    if (list === null || document.hidden || !document.hasFocus()) return;
    const { messages, mySide, readUpTo } = this.#room.conversation;
    const end = list.getBoundingClientRect().bottom + tolerance_px;
    const isOnScreen = (id: MessageId) => {
      const shown = list.querySelector(`[data-message="${id}"]`);
      return shown !== null && shown.getBoundingClientRect().bottom <= end;
    };
    for (let i = messages.length - 1; i >= 0; i--) {
      const message = messages[i];
      if (message === undefined || message.id <= readUpTo) return;
      if (message.sender_type !== mySide && isOnScreen(message.id)) {
        this.#room.seen(message.id);
        return;
      }
    }
  }
}
