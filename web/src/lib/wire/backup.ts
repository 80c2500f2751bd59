/** Backups as an admin's page sees them: `/api/box/backup/`; and what the first page finds of them. */
import { bool, int, list, nullable, object, string } from './guard';

/** A folder that backups can go to. */
export interface BackupPlace {
  readonly path: string;
  readonly label: string;
  readonly free_bytes: number;
  readonly total_bytes: number;
  /** A disk that can be unplugged. */
  readonly removable: boolean;
}

/** How many are kept: the newest of so many days, weeks and months. */
export interface KeepRules {
  readonly daily: number;
  readonly weekly: number;
  readonly monthly: number;
}

export interface BackupRunning {
  /** A word that a later box may add to. */
  readonly step: string;
  readonly done: number;
  /** 0 while nobody can tell. */
  readonly of: number;
}

/** That a backup was restored into a scratch place, and what came back. */
export interface BackupProof {
  readonly at: string;
  readonly messages: number;
  readonly of: number;
  readonly seconds: number;
}

export interface BackupFault {
  readonly code: string;
  readonly detail: string;
}

export interface LastBackup {
  readonly at: string;
  readonly file: string | null;
  readonly bytes: number;
  readonly sealed: boolean;
  readonly proven: BackupProof | null;
  readonly fault: BackupFault | null;
}

export interface BackupFile {
  readonly name: string;
  readonly at: string;
  readonly bytes: number;
  /** Only the recovery words open it. */
  readonly sealed: boolean;
}

export interface Backups {
  /** Where they go; null: the default, the first of the places. */
  readonly folder: string | null;
  readonly places: readonly BackupPlace[];
  readonly keep: KeepRules;
  readonly running: BackupRunning | null;
  readonly last: LastBackup | null;
  /** The newest that was proven, whatever came of later ones. */
  readonly proven: BackupProof | null;
  /** The newest first. */
  readonly files: readonly BackupFile[];
}

/** A backup that was found on a disk that is plugged in. */
export interface FoundBackup {
  readonly path: string;
  readonly label: string;
  readonly at: string;
  readonly bytes: number;
  readonly sealed: boolean;
}

/** A backup that was handed to the box by this page. */
export interface UploadedBackup {
  readonly upload: string;
  readonly at: string;
  readonly bytes: number;
  readonly sealed: boolean;
}

function readPlace(value: unknown): BackupPlace {
  const from = object(value, 'place');
  return {
    path: string(from, 'path'),
    label: string(from, 'label'),
    free_bytes: int(from, 'free_bytes'),
    total_bytes: int(from, 'total_bytes'),
    removable: bool(from, 'removable'),
  };
}

function readKeep(value: unknown): KeepRules {
  const from = object(value, 'keep');
  return {
    daily: int(from, 'daily'),
    weekly: int(from, 'weekly'),
    monthly: int(from, 'monthly'),
  };
}

function readRunning(value: unknown): BackupRunning {
  const from = object(value, 'running');
  return { step: string(from, 'step'), done: int(from, 'done'), of: int(from, 'of') };
}

function readProof(value: unknown): BackupProof {
  const from = object(value, 'proven');
  return {
    at: string(from, 'at'),
    messages: int(from, 'messages'),
    of: int(from, 'of'),
    seconds: int(from, 'seconds'),
  };
}

function readFault(value: unknown): BackupFault {
  const from = object(value, 'fault');
  return { code: string(from, 'code'), detail: string(from, 'detail') };
}

function readLast(value: unknown): LastBackup {
  const from = object(value, 'last');
  return {
    at: string(from, 'at'),
    file: nullable(from, 'file', string),
    bytes: int(from, 'bytes'),
    sealed: bool(from, 'sealed'),
    proven: nullable(from, 'proven', (_, key) => readProof(from[key])),
    fault: nullable(from, 'fault', (_, key) => readFault(from[key])),
  };
}

function readFile(value: unknown): BackupFile {
  const from = object(value, 'file');
  return {
    name: string(from, 'name'),
    at: string(from, 'at'),
    bytes: int(from, 'bytes'),
    sealed: bool(from, 'sealed'),
  };
}

export function readBackups(value: unknown): Backups {
  const from = object(value, 'backups');
  return {
    folder: nullable(from, 'folder', string),
    places: list(from, 'places', readPlace),
    keep: readKeep(from['keep']),
    running: nullable(from, 'running', (_, key) => readRunning(from[key])),
    last: nullable(from, 'last', (_, key) => readLast(from[key])),
    proven: nullable(from, 'proven', (_, key) => readProof(from[key])),
    files: list(from, 'files', readFile),
  };
}

function readFoundOne(value: unknown): FoundBackup {
  const from = object(value, 'found');
  return {
    path: string(from, 'path'),
    label: string(from, 'label'),
    at: string(from, 'at'),
    bytes: int(from, 'bytes'),
    sealed: bool(from, 'sealed'),
  };
}

export function readFound(value: unknown): readonly FoundBackup[] {
  return list(object(value, 'backups'), 'found', readFoundOne);
}

export function readUploaded(value: unknown): UploadedBackup {
  const from = object(value, 'upload');
  return {
    upload: string(from, 'upload'),
    at: string(from, 'at'),
    bytes: int(from, 'bytes'),
    sealed: bool(from, 'sealed'),
  };
}
