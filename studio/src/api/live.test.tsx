import { QueryClientProvider } from '@tanstack/react-query';
import { act, renderHook } from '@testing-library/react';
import { beforeEach, expect, it, vi } from 'vitest';
import { line, run } from '../test/fixtures';
import { applyRun, useLive } from './live';
import { makeQueryClient, queries } from './queries';

class FakeSource {
  static CLOSED = 2;
  static made: FakeSource[] = [];
  readyState = 1;
  onopen?: () => void;
  onerror?: () => void;
  heard: Record<string, (event: { data: string }) => void> = {};
  constructor() {
    FakeSource.made.push(this);
  }
  addEventListener(name: string, listener: (event: { data: string }) => void) {
    this.heard[name] = listener;
  }
  close() {
    this.readyState = 2;
  }
}

beforeEach(() => {
  FakeSource.made = [];
  vi.stubGlobal('EventSource', FakeSource);
});

it('puts the state of a run into the cache and refetches when it is over', () => {
  const client = makeQueryClient();
  client.setQueryData(queries.line().queryKey, line());
  applyRun(client, run);
  expect(client.getQueryData(queries.line().queryKey)?.run?.status).toBe('running');
  expect(client.getQueryState(queries.line().queryKey)?.isInvalidated).toBe(false);
  applyRun(client, { ...run, status: 'succeeded' });
  expect(client.getQueryState(queries.line().queryKey)?.isInvalidated).toBe(true);
});

it('reopens a closed stream, then refetches what it may have missed', () => {
  vi.useFakeTimers();
  const client = makeQueryClient();
  client.setQueryData(['audit'], 1);
  const { result, unmount } = renderHook(useLive, {
    wrapper: ({ children }) => <QueryClientProvider client={client}>{children}</QueryClientProvider>,
  });
  const [first] = FakeSource.made;
  act(() => first?.onopen?.());
  expect(result.current).toBe('live');
  act(() => {
    first!.readyState = 2;
    first?.onerror?.();
  });
  expect(result.current).toBe('offline');
  act(() => void vi.advanceTimersByTime(1_000));
  expect(FakeSource.made).toHaveLength(2);
  act(() => FakeSource.made[1]?.onopen?.());
  expect(result.current).toBe('live');
  expect(client.getQueryState(['audit'])?.isInvalidated).toBe(true);
  unmount();
  expect(FakeSource.made[1]?.readyState).toBe(2);
  vi.useRealTimers();
});
