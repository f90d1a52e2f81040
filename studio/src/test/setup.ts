import { cleanup } from '@testing-library/react';
import { afterEach, vi } from 'vitest';

// jsdom has no scrolling and no CSS.escape; ids in tests need no escaping.
window.scrollTo = () => undefined;
Object.defineProperty(window, 'CSS', { value: { escape: (text: string) => text } });

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});
