import { render, screen, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { tick } from 'svelte';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { Drafts } from '$lib/model/drafts';
import { Outbox } from '$lib/model/outbox.svelte';
import { Room } from '$lib/model/room.svelte';
import { Storage } from '$lib/model/storage';
import type { Api } from '$lib/net/api';
import { messageId, requestId } from '$lib/wire/ids';
import { uuidMaker } from '$lib/wire/uuid';
import ChatHarness from '../../test/ChatHarness.svelte';
import { FakeClock, FakeNet, hello, history, message, settle } from '../../test/fakes';

let net: FakeNet;
let room: Room;
let drafts: Drafts;

beforeEach(() => {
  localStorage.clear();
  vi.stubGlobal('matchMedia', (query: string) => ({ matches: query.includes('hover: hover') }));
  Element.prototype.scrollTo = vi.fn() as never;
  const clock = new FakeClock();
  net = new FakeNet();
  const storage = new Storage(localStorage);
  drafts = new Drafts(storage, 'staff-3');
  room = new Room(requestId(7), {
    api: { wsTicket: () => Promise.resolve('T') } as unknown as Api,
    http: null,
    open: net.open,
    clock,
    random: () => 1,
    outbox: new Outbox(
      storage,
      'staff-3',
      requestId(7),
      uuidMaker(clock.now, (into) => crypto.getRandomValues(into)),
      clock.now,
    ),
  });
});

async function show(messages: Parameters<typeof history>[0], read = {}) {
  render(ChatHarness, { chat: { room, drafts } });
  room.open();
  await settle();
  net.last.say(hello(1010, read));
  net.last.say(history(messages));
  await tick();
}

const log = () => screen.getByRole('log', { name: 'Messages' });
const box = () => screen.getByRole('textbox', { name: 'Message' });

describe('the chat', () => {
  test('says so when nothing was written yet', async () => {
    await show([]);
    expect(screen.getByText('Nothing yet')).toBeVisible();
  });

  test('shows who wrote what, and how far it came', async () => {
    await show([message(1), message(2, { sender_type: 'WORKSHOP', content: 'It is ready.' })], {
      USER: 2,
    });
    const bubble = within(log()).getByText('It is ready.').closest('article');
    if (bubble === null) throw new Error('no bubble');
    await userEvent.click(within(bubble).getByRole('button', { name: /Details/ }));
    expect(within(bubble).getByText(/^Read by Asha Nair/)).toBeVisible();
  });

  test('names a colleague, but not me nor the owner', async () => {
    await show([
      message(1),
      message(2, { sender_type: 'WORKSHOP' }),
      message(3, { sender_type: 'WORKSHOP', author_id: 4 as never, author_name: 'Meena Pillai' }),
    ]);
    expect(within(log()).getByText('Meena Pillai')).toBeVisible();
    expect(within(log()).queryByText('Ravi Sharma')).toBeNull();
    expect(within(log()).queryByText('Asha Nair')).toBeNull();
  });

  test('Enter sends, Shift and Enter makes a new line', async () => {
    await show([]);
    await userEvent.type(box(), 'one{Shift>}{Enter}{/Shift}two{Enter}');
    expect(net.last.sent.find((frame) => frame['type'] === 'chat.message')).toMatchObject({
      content: 'one\ntwo',
    });
    expect(box()).toHaveValue('');
    expect(within(log()).getByText(/one\s+two/)).toBeVisible();
    expect(within(log()).getByText('Waiting to be sent')).toBeInTheDocument();
  });

  test('writing works with no connection at all', async () => {
    render(ChatHarness, { chat: { room, drafts } });
    await userEvent.type(box(), 'from the cellar');
    await userEvent.click(screen.getByRole('button', { name: 'Send' }));
    expect(room.outbox.items.map((item) => item.content)).toEqual(['from the cellar']);
  });

  test('a draft is kept', async () => {
    await show([]);
    await userEvent.type(box(), 'half a sent');
    expect(drafts.read(requestId(7))).toBe('half a sent');
  });

  test('a refused message says why and can be tried again', async () => {
    await show([]);
    await userEvent.type(box(), 'hello{Enter}');
    const client_id = net.last.sent.at(-1)?.['client_id'];
    net.last.say({ type: 'chat.error', code: 'not_allowed', detail: '', client_id });
    await tick();
    expect(within(log()).getByText(/You may not do that/)).toBeVisible();
    await userEvent.click(within(log()).getByRole('button', { name: 'Try again' }));
    expect(net.last.sent.at(-1)).toMatchObject({ type: 'chat.message', client_id });
  });

  test('a reply quotes what it answers', async () => {
    await show([message(1, { content: 'Is it ready?' })]);
    await userEvent.click(screen.getByRole('button', { name: 'Message menu' }));
    await userEvent.click(screen.getByRole('button', { name: 'Reply' }));
    expect(screen.getByText('Replying to Asha Nair')).toBeVisible();
    await userEvent.type(box(), 'Yes{Enter}');
    expect(net.last.sent.at(-1)).toMatchObject({ content: 'Yes', reply_to: 1 });
    expect(screen.queryByText('Replying to Asha Nair')).toBeNull();
  });

  test('removed, expired and damaged messages say what became of them', async () => {
    await show([
      message(1, { redacted: true, content: '' }),
      message(2, { damaged: true, content: '' }),
      message(3),
    ]);
    net.last.say({ type: 'chat.redacted', id: messageId(3), rev: 1020, by: null, why: 'expired' });
    await tick();
    expect(within(log()).getByText('Message removed')).toBeVisible();
    expect(within(log()).getByText('This message is damaged on disk')).toBeVisible();
    expect(within(log()).getByText('Message expired')).toBeVisible();
  });

  test('the unread line stays where it was when new messages come', async () => {
    await show([message(1), message(2)], { WORKSHOP: 1 });
    expect(within(log()).getByText('1 unread message')).toBeVisible();
    net.last.say({ type: 'chat.message', ...message(3, { rev: 1011 }) });
    await tick();
    expect(within(log()).getByText('1 unread message')).toBeVisible();
  });

  test('markup in a message is shown as text', async () => {
    await show([message(1, { content: '<img src=x onerror=alert(1)><b>bold</b>' })]);
    expect(within(log()).getByText('<img src=x onerror=alert(1)><b>bold</b>')).toBeVisible();
    expect(log().querySelector('b, img')).toBeNull();
  });
});
