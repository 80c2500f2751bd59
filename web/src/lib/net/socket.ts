import { subprotocol } from '$lib/wire/frames';

/** The close codes the box gives a meaning to. */
export const closed = {
  tooBig: 1009,
  restarting: 1012,
  signInAgain: 4401,
  notYours: 4403,
  tooSlow: 4408,
} as const;

export interface SocketEvents {
  /** It may be written to. */
  readonly opened?: () => void;
  readonly text: (text: string) => void;
  /** Called once, whoever closed; nothing is called after it. */
  readonly closed: (code: number) => void;
}

export interface Socket {
  send(text: string): void;
  close(): void;
}

/** Opens the socket at `path` (and query) of this page's own host. */
export type OpenSocket = (path: string, events: SocketEvents) => Socket;

/** The browser's WebSocket, asking for this subprotocol. */
export const browserSocket =
  (protocol: string): OpenSocket =>
  (path, events) => {
    const url = new URL(path, location.href);
    url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
    url.hash = '';
    const socket = new WebSocket(url, protocol);
    socket.onopen = () => {
      events.opened?.();
    };
    socket.onmessage = (event: MessageEvent<unknown>) => {
      if (typeof event.data === 'string') events.text(event.data);
    };
    socket.onclose = (event) => {
      events.closed(event.code);
    };
    return {
      send: (text) => {
        socket.send(text);
      },
      close: () => {
        socket.onopen = null;
        socket.onmessage = null;
        socket.onclose = null;
        socket.close();
      },
    };
  };

/** A socket of the box's own contract. */
export const openBrowserSocket = browserSocket(subprotocol);
