import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FakeClock } from '../../test/fakes';
import { wakeOnPageEvents } from './page-events';

let clock: FakeClock;
let isHidden: boolean;
let stop: () => void;
const line = { retryNow: vi.fn(), reconnect: vi.fn() };

beforeEach(() => {
  clock = new FakeClock();
  isHidden = false;
  vi.clearAllMocks();
  vi.spyOn(document, 'hidden', 'get').mockImplementation(() => isHidden);
  stop = wakeOnPageEvents(line, clock, document);
});

afterEach(() => {
  stop();
});

function hide(ms: number) {
  isHidden = true;
  document.dispatchEvent(new Event('visibilitychange'));
  clock.turn(ms);
  isHidden = false;
  document.dispatchEvent(new Event('visibilitychange'));
}

test('a line is opened anew when the network is back', () => {
  window.dispatchEvent(new Event('online'));
  expect(line.reconnect).toHaveBeenCalledOnce();
});

test('after more than thirty seconds in the background the line is taken for dead', () => {
  hide(31_000);
  expect(line.reconnect).toHaveBeenCalledOnce();
});

test('after a short look elsewhere a living line is left alone, and a waiting one tries at once', () => {
  hide(5_000);
  expect(line.reconnect).not.toHaveBeenCalled();
  expect(line.retryNow).toHaveBeenCalledOnce();
});

test('nothing is heard after the watching stopped', () => {
  stop();
  window.dispatchEvent(new Event('online'));
  hide(31_000);
  expect(line.reconnect).not.toHaveBeenCalled();
});
