/** IndexedDB with promises: as much of it as an owner's phone needs. */

const name = 'motoreach-owner';
const version = 2;

/** What is kept, one store each; see `owner-store.ts`. */
export const stores = ['links', 'keys', 'entries', 'posts', 'alarms'] as const;
export type StoreName = (typeof stores)[number];

/** Opens the database, made at first use. */
export function openDatabase(factory: IDBFactory): Promise<IDBDatabase> {
  const request = factory.open(name, version);
  request.onupgradeneeded = ({ oldVersion }) => {
    const db = request.result;
    if (oldVersion < 1) {
      db.createObjectStore('links', { keyPath: 'invite' });
      db.createObjectStore('keys', { keyPath: ['invite', 'epoch'] });
      db.createObjectStore('entries', { keyPath: ['invite', 'seq'] });
      db.createObjectStore('posts', { keyPath: ['invite', 'seq'] });
    }
    if (oldVersion < 2) db.createObjectStore('alarms', { keyPath: 'workshop' });
  };
  return answered(request).then((db) => {
    // A newer page wants to change the form: it must not wait for this one.
    db.onversionchange = () => {
      db.close();
    };
    return db;
  });
}

export function answered<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => {
      resolve(request.result);
    };
    request.onerror = () => {
      reject(request.error ?? new Error('IndexedDB'));
    };
  });
}

/** Resolves once the transaction is on disk, as far as the browser can promise it. */
export function committed(tx: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    tx.oncomplete = () => {
      resolve();
    };
    tx.onabort = tx.onerror = () => {
      reject(tx.error ?? new Error('IndexedDB'));
    };
  });
}

/** All keys that begin with this link. */
export const ofLink = (invite: string) => IDBKeyRange.bound([invite], [invite, []]);
