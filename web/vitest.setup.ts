import '@testing-library/jest-dom/vitest';

// jsdom lays nothing out, so there is nothing to observe either.
globalThis.ResizeObserver ??= class implements ResizeObserver {
  observe = () => undefined;
  unobserve = () => undefined;
  disconnect = () => undefined;
};
