import { beforeEach, describe, expect, test, vi } from 'vitest';
import { FakeClock, FakeNet } from '../../test/fakes';
import type { Device } from './device';
import { Door } from './door.svelte';
import { Storage } from './storage';

let clock: FakeClock;
let answer: () => Response | Promise<Response>;
const asked = vi.fn();

function door(isSecure = true): Door {
  const device: Device = {
    clock,
    random: () => 1,
    open: new FakeNet().open,
    storage: new Storage(localStorage),
    newId: () => 'id',
    ring: vi.fn(),
  };
  const fetchFake: typeof fetch = (path) => {
    asked(path);
    return Promise.resolve().then(() => answer());
  };
  return new Door(fetchFake, device, isSecure);
}

const nothing = () => Promise.reject(new TypeError('no network'));

beforeEach(() => {
  localStorage.clear();
  asked.mockReset();
  clock = new FakeClock();
  answer = () => Response.json({ door: 'relay', vapid: '' });
});

describe('which door', () => {
  test('a plain page can only be the box’s, and does not ask', async () => {
    const box = door(false);
    await box.start();
    expect(box.state).toBe('box');
    expect(asked).not.toHaveBeenCalled();
  });

  test('is asked, and remembered: the next visit opens without a network', async () => {
    const first = door();
    expect(first.state).toBe('looking');
    await first.start();
    expect(first.state).toBe('relay');
    answer = nothing;
    const second = door();
    expect(second.state).toBe('relay');
    await second.start();
    expect(second.state).toBe('relay');
  });

  test('a box of today and one from before say that they are boxes', async () => {
    for (const said of [Response.json({ door: 'box' }), new Response('', { status: 404 })]) {
      answer = () => said;
      const box = door();
      await box.start();
      expect(box.state).toBe('box');
    }
  });

  test('without an answer it keeps asking', async () => {
    answer = nothing;
    const page = door();
    await page.start();
    expect(page.state).toBe('unreachable');
    answer = () => Response.json({ door: 'relay' });
    clock.turn(2000);
    await vi.waitFor(() => {
      expect(page.state).toBe('relay');
    });
  });
});
