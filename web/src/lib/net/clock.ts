/** Time as an argument, so that tests can turn it by hand. */
export interface Clock {
  /** Milliseconds since 1970, as the wall clock of this device says. */
  now(): number;
  /** Runs `then` once after `ms`; the answer cancels it. */
  after(ms: number, then: () => void): () => void;
}

/** The device's own clock. */
export const deviceClock: Clock = {
  now: () => Date.now(),
  after(ms, then) {
    const timer = setTimeout(then, ms);
    return () => {
      clearTimeout(timer);
    };
  },
};
