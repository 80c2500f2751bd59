import { readFileSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decode, encode, type ClientFrame } from './frames';
import { WireError } from './guard';
import { clientId, messageId } from './ids';
import { readMessage } from './things';

const folder = resolve('../tests/fixtures/wire');
const golden = (name: string) => readFileSync(resolve(folder, `${name}.json`), 'utf8');
const serverFrames = readdirSync(folder)
  .map((file) => file.replace(/\.json$/, ''))
  .filter((name) => !name.startsWith('client-') && name !== 'original-message');

describe('frames from the box', () => {
  test.each(serverFrames)('the golden frame %s is understood', (name) => {
    const text = golden(name);
    expect(decode(text)?.type).toBe((JSON.parse(text) as { type: string }).type);
  });

  test('there is a golden frame of every kind', () => {
    expect(serverFrames).toEqual(
      expect.arrayContaining([
        'chat.hello',
        'chat.message',
        'chat.history',
        'chat.ack',
        'chat.read',
      ]),
    );
    expect(serverFrames.length).toBeGreaterThanOrEqual(12);
  });

  test('a message comes out with every field that is shown', () => {
    const frame = decode(golden('chat.message'));
    expect(frame).toMatchObject({
      type: 'chat.message',
      message: {
        id: 41,
        service_request_id: 7,
        sender_type: 'USER',
        content: 'Is it ready?',
        author_name: 'Asha Nair',
        delivery: 'sent',
        redacted: false,
      },
    });
  });

  test('history knows whether it replaces or goes in front', () => {
    expect(decode(golden('chat.history'))).toMatchObject({ before: null, has_more: true });
    expect(decode(golden('chat.history.before'))).toMatchObject({ before: 41, has_more: false });
  });

  test('a message whose time ran out says so', () => {
    expect(decode(golden('chat.redacted.expired'))).toMatchObject({ why: 'expired', by: '' });
  });

  test('an unknown type is ignored, not an error', () => {
    expect(decode('{"type":"chat.fireworks","colour":"red"}')).toBeNull();
    expect(decode('{"type":"constructor"}')).toBeNull();
  });

  test.each([
    '',
    'nonsense',
    '[]',
    '{}',
    '{"type":7}',
    '{"type":"chat.ack"}',
    '{"type":"chat.message","id":"1"}',
  ])('what breaks the contract is refused: %s', (text) => {
    expect(() => decode(text)).toThrow(WireError);
  });

  test('unknown fields do no harm', () => {
    const frame = { ...(JSON.parse(golden('chat.typing')) as object), mood: 'good' };
    expect(decode(JSON.stringify(frame))).toEqual({
      type: 'chat.typing',
      name: 'Asha Nair',
      side: 'USER',
    });
  });

  test('an old message object without the fields of v1 is not taken for one of v1', () => {
    expect(() => readMessage(JSON.parse(golden('original-message')))).toThrow(WireError);
  });
});

describe('frames to the box', () => {
  const id = clientId('0193510a-7c1e-7c01-9a4b-1f2e3d4c5b6a');
  const frames: readonly [string, ClientFrame][] = [
    [
      'client-chat.message',
      {
        type: 'chat.message',
        client_id: id,
        content: 'Yes. You can pick it up after five.',
        reply_to: messageId(41),
      },
    ],
    ['client-chat.read', { type: 'chat.read', up_to: messageId(41) }],
    ['client-chat.typing', { type: 'chat.typing' }],
    ['client-chat.history', { type: 'chat.history', before: messageId(40), limit: 50 }],
    ['client-chat.redact', { type: 'chat.redact', id: messageId(40) }],
  ];

  test.each(frames)('%s is written as the golden frame', (name, frame) => {
    expect(JSON.parse(encode(frame))).toEqual(JSON.parse(golden(name)));
  });
});
