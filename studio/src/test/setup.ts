import { cleanup, configure } from '@testing-library/react';
import { afterEach, vi } from 'vitest';

// jsdom has no scrolling and no CSS.escape; ids in tests need no escaping.
window.scrollTo = () => undefined;
Object.defineProperty(window, 'CSS', { value: { escape: (text: string) => text } });

// A machine that does other things as well is slow, not wrong.
configure({ asyncUtilTimeout: 10_000 });

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});
