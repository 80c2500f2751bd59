import { render, screen } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import type { Component } from 'svelte';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { App as AppContext } from '$lib/model/context';
import { Restore } from '$lib/model/restore.svelte';
import { Router } from '$lib/model/router.svelte';
import { Session } from '$lib/model/session.svelte';
import { Settings } from '$lib/model/settings.svelte';
import { Staff } from '$lib/model/staff.svelte';
import { Storage } from '$lib/model/storage';
import { Api, renewFromCookie } from '$lib/net/api';
import type { SendFile } from '$lib/net/send-file';
import App from '../../App.svelte';
// It comes when it is first needed; a test has no time to wait for that.
import './BoxView.svelte';
import { FakeClock, FakeNet, request } from '../../test/fakes';

type Answer = (body: Record<string, unknown>) => Response;
let answers: Record<string, Answer>;
let calls: { call: string; body: Record<string, unknown> }[];
let clock: FakeClock;
let send: SendFile;

const token = `h.${btoa(JSON.stringify({ iat: 0, exp: 900 }))}.s`;
const entered = (role = 'workshop_admin') =>
  Response.json({
    access: token,
    user: { id: 3, full_name: 'Ravi Sharma', role },
    workshop: { id: 1, name: 'Sharma Motors' },
  });

function at(path: string) {
  history.replaceState(null, '', path);
  clock = new FakeClock();
  const storage = new Storage(localStorage);
  const fetchFake = ((path: string, init?: RequestInit) => {
    const call = `${init?.method ?? 'GET'} ${path.split('?')[0]}`;
    const body = JSON.parse((init?.body ?? '{}') as string) as Record<string, unknown>;
    calls.push({ call, body });
    const answer = answers[call];
    if (answer === undefined) return Promise.reject(new TypeError(`offline: ${path}`));
    return Promise.resolve().then(() => answer(body));
  }) as typeof fetch;
  const device = {
    clock,
    random: () => 0,
    open: new FakeNet().open,
    storage,
    newId: () => 'id',
    ring: vi.fn(),
  };
  const api = new Api(fetchFake, clock.now, renewFromCookie);
  const session = new Session(api, clock, () => 0, storage);
  const app: AppContext = {
    router: new Router(window),
    session,
    restore: new Restore(
      api,
      clock,
      () => session.start(),
      (...sent) => send(...sent),
    ),
    settings: new Settings(storage),
    device,
    fetch: fetchFake,
    makeStaff: () => new Staff(api, device, session),
    openPhone: () => Promise.reject(new Error('this is the box')),
  };
  render(App as unknown as Component<{ app: AppContext }>, { app });
}

const hour_ago = new Date(Date.now() - 3_600_000).toISOString();
const proven = { at: hour_ago, messages: 1204, of: 1204, seconds: 8, file: 'a.backup' };
const backups = {
  folder: null,
  places: [
    {
      path: '/var/lib/motoreach/backups',
      label: 'This box',
      free_bytes: 20e9,
      total_bytes: 32e9,
      removable: false,
    },
    {
      path: '/media/STICK',
      label: 'STICK',
      free_bytes: 60e9,
      total_bytes: 64e9,
      removable: true,
    },
  ],
  keep: { daily: 7, weekly: 4, monthly: 6 },
  running: null as object | null,
  last: {
    at: hour_ago,
    file: 'a.backup',
    bytes: 4_200_000,
    sealed: true,
    proven,
    fault: null as object | null,
  },
  proven: proven as object | null,
  files: [{ name: 'a.backup', at: hour_ago, bytes: 4_200_000, sealed: true }],
};
const checkup = (level: string, findings: object[]) => ({ at: hour_ago, level, findings });
const full = {
  area: 'disk',
  level: 'act',
  what: '40 MB of 32 GB are free.',
  do: 'Remove what does not belong here.',
};
const cool = { area: 'heat', level: 'well', what: 'The processor is at 48 °C.', do: null };

// Whole pages are shown and forms filled in: a machine that is busy with other things needs a while.
vi.setConfig({ testTimeout: 30_000 });

beforeEach(() => {
  localStorage.clear();
  calls = [];
  answers = {
    'POST /api/auth/token/refresh/': () => entered(),
    'GET /api/setup/recovery-words/': () => Response.json({ code: 'gone' }, { status: 410 }),
    'POST /api/auth/ws-ticket/': () => Response.json({ ticket: 'T' }),
    'GET /api/service-requests/': () => Response.json([request]),
    'GET /api/box/health/': () => Response.json(checkup('act', [cool, full])),
    'GET /api/box/backup/': () => Response.json(backups),
  };
});

describe('the health of the box', () => {
  test('is told worst first, with what to do', async () => {
    at('/box/');
    expect(await screen.findByRole('heading', { name: 'Somebody should act' })).toBeVisible();
    const [first, second] = screen.getAllByRole('heading', { level: 3 });
    expect(first).toHaveTextContent('Room on the disk : Act');
    expect(second).toHaveTextContent('Temperature : Well');
    expect(screen.getByText('Remove what does not belong here.')).toBeVisible();
    answers['GET /api/box/health/'] = () => Response.json(checkup('well', [cool]));
    await userEvent.click(screen.getByRole('button', { name: 'Look again' }));
    expect(await screen.findByRole('heading', { name: 'All is well' })).toBeVisible();
  });

  test('asks for an admin on every page while somebody has to act', async () => {
    at('/');
    const strip = await screen.findByText('The box needs you: 40 MB of 32 GB are free.');
    expect(strip).toBeVisible();
    await userEvent.click(screen.getByRole('link', { name: 'Look' }));
    expect(await screen.findByRole('heading', { name: 'Box' })).toBeVisible();
    expect(screen.queryByText(/The box needs you/)).toBeNull();
  });

  test('is no business of a mechanic', async () => {
    answers['POST /api/auth/token/refresh/'] = () => entered('mechanic');
    at('/box/');
    expect(await screen.findByText('Only admins see this page.')).toBeVisible();
    expect(calls.some(({ call }) => call.includes('/api/box/'))).toBe(false);
  });
});

describe('backups', () => {
  test('are proven in words, and one is made now and watched', async () => {
    at('/box/backup/');
    expect(await screen.findByRole('heading', { name: /^Last proven: / })).toBeVisible();
    expect(screen.getByText(/1,204 of 1,204 messages came back in 8 s/)).toBeVisible();
    answers['POST /api/box/backup/'] = () => Response.json({}, { status: 202 });
    const running = { ...backups, running: { step: 'sealing', done: 3, of: 4 } };
    answers['GET /api/box/backup/'] = () => Response.json(running);
    await userEvent.click(screen.getByRole('button', { name: 'Back up now' }));
    expect(await screen.findByRole('progressbar')).toHaveAttribute('aria-valuenow', '75');
    answers['GET /api/box/backup/'] = () => Response.json(backups);
    clock.turn(1_000);
    expect(await screen.findByRole('button', { name: 'Back up now' })).toBeEnabled();
  });

  test('one that is being made already is watched', async () => {
    at('/box/backup/');
    await screen.findByRole('heading', { name: /^Last proven: / });
    answers['POST /api/box/backup/'] = () =>
      Response.json({ code: 'backup_under_way', detail: 'One.' }, { status: 409 });
    const running = { ...backups, running: { step: 'copying', done: 0, of: 0 } };
    answers['GET /api/box/backup/'] = () => Response.json(running);
    await userEvent.click(screen.getByRole('button', { name: 'Back up now' }));
    expect(await screen.findByText('Copying what is there …')).toBeVisible();
    expect(screen.queryByRole('alert')).toBeNull();
  });

  test('go where an admin says, and a disk that is not there says so', async () => {
    at('/box/backup/');
    await userEvent.click(await screen.findByRole('radio', { name: /^STICK/ }));
    answers['PUT /api/box/backup/'] = () =>
      Response.json(
        { code: 'folder_gone', detail: 'Gone.', errors: { folder: ['Plug it in.'] } },
        { status: 422 },
      );
    await userEvent.click(screen.getByRole('button', { name: 'Save' }));
    expect(await screen.findByText('Plug it in.')).toBeVisible();
    answers['PUT /api/box/backup/'] = () => Response.json({});
    const gone = { ...backups, folder: '/media/STICK', places: backups.places.slice(0, 1) };
    answers['GET /api/box/backup/'] = () => Response.json(gone);
    await userEvent.clear(screen.getByLabelText('Days'));
    await userEvent.type(screen.getByLabelText('Days'), '14');
    await userEvent.click(screen.getByRole('button', { name: 'Save' }));
    expect(await screen.findByText('not plugged in')).toBeVisible();
    const put = calls.filter(({ call }) => call.startsWith('PUT')).at(-1);
    const keep = { daily: 14, weekly: 4, monthly: 6 };
    expect(put?.body).toEqual({ folder: '/media/STICK', keep });
  });

  test('a try that failed is told beside the one that is still good', async () => {
    const fault = { code: 'folder_gone', detail: 'The folder for backups is not there.' };
    const failed = { ...backups, last: { ...backups.last, proven: null, fault } };
    answers['GET /api/box/backup/'] = () => Response.json(failed);
    at('/box/backup/');
    expect(await screen.findByText(/The folder for backups is not there/)).toBeVisible();
    expect(screen.getByRole('heading', { name: /^Last proven: / })).toBeVisible();
  });
});

describe('restoring a backup on the first page', () => {
  const words = Array.from({ length: 24 }, (_, i) => `word${i}`).join(' ');
  let handedIn: Record<string, unknown>[];

  beforeEach(() => {
    handedIn = [];
    answers = {
      'POST /api/auth/token/refresh/': () => Response.json({ code: 'x' }, { status: 401 }),
      'GET /api/setup/': () =>
        Response.json({ needed: true, code_required: true, workshop_name: null }),
      'GET /api/setup/restore/': () => Response.json({ state: 'idle', entries: 0 }),
      'GET /api/setup/backups/': () =>
        Response.json({
          found: [
            { path: '/media/STICK/a', label: 'STICK', at: hour_ago, bytes: 5e6, sealed: true },
          ],
        }),
      'POST /api/setup/restore/': (body) => {
        handedIn.push(body);
        return Response.json(
          { state: 'running', entries: 0, step: 'unpacking', done: 1, of: 2 },
          { status: 202 },
        );
      },
    };
  });

  async function form() {
    at('/');
    await userEvent.click(await screen.findByRole('radio', { name: 'Restore a backup' }));
    await screen.findByRole('radio', { name: /STICK/ });
    await userEvent.type(screen.getByLabelText('Set-up code'), '123-456');
    await userEvent.click(screen.getByLabelText('Recovery words'));
    await userEvent.paste(words);
  }
  const bringBack = () => userEvent.click(screen.getByRole('button', { name: 'Bring it back' }));

  test('takes one from a disk that is plugged in', async () => {
    await form();
    await bringBack();
    expect(await screen.findByText('Unpacking the backup …')).toBeVisible();
    expect(screen.getByRole('progressbar')).toHaveAttribute('aria-valuenow', '50');
    expect(handedIn).toEqual([{ words, from: { path: '/media/STICK/a' }, code: '123-456' }]);
  });

  test('takes a file of this device, and sends it once although the words were wrong', async () => {
    const sent: Parameters<SendFile>[] = [];
    send = (...call) => {
      sent.push(call);
      return Promise.resolve(Response.json({ upload: 'u1', at: hour_ago, bytes: 3, sealed: true }));
    };
    await form();
    const file = new File(['abc'], 'a.backup');
    await userEvent.upload(screen.getByLabelText('Choose the file'), file);
    expect(screen.getByText(/^a\.backup, /)).toBeVisible();
    const took = answers['POST /api/setup/restore/'] as Answer;
    answers['POST /api/setup/restore/'] = () =>
      Response.json(
        { code: 'recovery_words_wrong', detail: 'No.', errors: { words: ['Other words.'] } },
        { status: 422 },
      );
    await bringBack();
    expect(await screen.findByText('Other words.')).toBeVisible();
    answers['POST /api/setup/restore/'] = took;
    await bringBack();
    expect(await screen.findByText('Unpacking the backup …')).toBeVisible();
    expect(sent.map(([path, content, headers]) => [path, content, headers])).toEqual([
      ['/api/setup/backup/', file, { 'x-setup-code': '123-456' }],
    ]);
    expect(handedIn.map((each) => each['from'])).toEqual([{ upload: 'u1' }]);
  });

  test('says where it stands when it is back', async () => {
    await form();
    await bringBack();
    await screen.findByText('Unpacking the backup …');
    const restored = {
      workshop_name: 'Sharma Motors',
      messages: 1204,
      requests: 31,
      people: 4,
      as_of: hour_ago,
    };
    answers['GET /api/setup/restore/'] = () =>
      Response.json({ state: 'done', entries: 0, restored });
    clock.turn(1_000);
    expect(await screen.findByText(/^Sharma Motors is back: 1,204 messages/)).toBeVisible();
    answers['GET /api/setup/'] = () =>
      Response.json({ needed: false, code_required: false, workshop_name: 'Sharma Motors' });
    answers['GET /api/setup/restore/'] = () => Response.json({ state: 'idle', entries: 0 });
    clock.turn(1_000);
    expect(await screen.findByText(/It is as it was at the backup: /)).toBeVisible();
  });
});
