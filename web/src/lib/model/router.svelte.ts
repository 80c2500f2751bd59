import { inviteId, requestId, type InviteId, type RequestId } from '$lib/wire/ids';

/** The pages of the box itself. */
export const boxTabs = ['health', 'backup', 'update', 'addresses'] as const;
export type BoxTab = (typeof boxTabs)[number];

export type Route =
  | { readonly name: 'setup' }
  | { readonly name: 'sign-in' }
  | { readonly name: 'inbox' }
  | { readonly name: 'new-request' }
  | { readonly name: 'request'; readonly id: RequestId }
  | { readonly name: 'people' }
  | { readonly name: 'account' }
  | { readonly name: 'relay' }
  | { readonly name: 'box'; readonly tab: BoxTab | 'certificate' }
  | { readonly name: 'owner'; readonly invite: InviteId }
  /** Every link of this phone. */
  | { readonly name: 'owner-links' }
  /** An admin's phone at the relay: is the box silent? */
  | { readonly name: 'alarm'; readonly workshop: string }
  | { readonly name: 'not-found' };

/** The page that a path stands for; a trailing slash makes no difference. */
export function routeOf(path: string): Route {
  const parts = path.split('/').filter((part) => part !== '');
  const [first, second] = parts;
  if (parts.length === 0) return { name: 'inbox' };
  if (parts.length === 1) {
    switch (first) {
      case 'setup':
      case 'sign-in':
      case 'people':
      case 'account':
        return { name: first };
      case 'requests':
        return { name: 'inbox' };
      case 'o':
        return { name: 'owner-links' };
      case 'settings':
        return { name: 'relay' };
      case 'box':
        return { name: 'box', tab: 'health' };
    }
  }
  if (parts.length === 2 && second !== undefined) {
    if (first === 'o') return { name: 'owner', invite: inviteId(decodeURIComponent(second)) };
    const tab = boxTabs.find((each) => each === second);
    if (first === 'box' && tab !== undefined) return { name: 'box', tab };
    if (first === 'box' && second === 'certificate') return { name: 'box', tab: second };
    if (first === 'settings' && second === 'relay') return { name: 'relay' };
    if (first === 'requests' && second === 'new') return { name: 'new-request' };
    if (first === 'requests' && /^\d{1,15}$/.test(second)) {
      return { name: 'request', id: requestId(Number(second)) };
    }
  }
  if (parts.length === 3 && first === 'o' && second === 'alarm') {
    return { name: 'alarm', workshop: parts[2] ?? '' };
  }
  return { name: 'not-found' };
}

/** The path of a request's page. */
export const requestPath = (id: RequestId) => `/requests/${id}`;

/** Which page is shown, on the History API. */
export class Router {
  readonly #window: Window;
  #path = $state('/');
  #fragment = $state('');
  readonly route: Route = $derived(routeOf(this.#path));

  constructor(from: Window) {
    this.#window = from;
    this.#read();
  }

  get path(): string {
    return this.#path;
  }

  /** What follows `#`; an owner's secret stays there, so that the link survives a reload. */
  get fragment(): string {
    return this.#fragment;
  }

  /** Opened from the home screen: whoever does wants to go on where they were. */
  get wantsLast(): boolean {
    return new URLSearchParams(this.#window.location.search).has('last');
  }

  go(path: string): void {
    if (path === this.#path) return;
    this.#window.history.pushState(null, '', path);
    this.#read();
  }

  /** As `go`, but the page that is left is not one to come back to. */
  replace(path: string): void {
    this.#window.history.replaceState(null, '', path);
    this.#read();
  }

  /** Follows the browser's own moves and clicks on our links; the answer stops it. */
  listen(): () => void {
    const moved = () => {
      this.#read();
    };
    const clicked = (event: MouseEvent) => {
      this.#clicked(event);
    };
    this.#window.addEventListener('popstate', moved);
    this.#window.addEventListener('hashchange', moved);
    this.#window.document.addEventListener('click', clicked);
    return () => {
      this.#window.removeEventListener('popstate', moved);
      this.#window.removeEventListener('hashchange', moved);
      this.#window.document.removeEventListener('click', clicked);
    };
  }

  #clicked(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (link === null || link.target !== '' || link.hasAttribute('download')) return;
    if (link.origin !== this.#window.location.origin || link.getAttribute('href')?.startsWith('#'))
      return;
    event.preventDefault();
    this.go(link.pathname + link.hash);
  }

  #read(): void {
    this.#path = this.#window.location.pathname;
    this.#fragment = this.#window.location.hash.slice(1);
  }
}
