import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { url } from './client';
import { queries } from './queries';
import type { Line, RunState } from './types';

export type LiveState = 'connecting' | 'live' | 'offline';

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

/** Which cached queries a topic of the stream makes stale. Other topics are their own query key. */
const TOPICS: Record<string, string[]> = {
  line: ['line', 'runs', 'sources', 'attribution', 'consent', 'conversions', 'evidence', 'matches', 'persons'],
  // The line counts what is pending, and an approval may change somebody's rights.
  approvals: ['approvals', 'line', 'users'],
};

export function applyChanged(client: QueryClient, topics: string[]) {
  for (const topic of topics) {
    for (const key of TOPICS[topic] ?? [topic]) void client.invalidateQueries({ queryKey: [key] });
  }
}

export function applyRun(client: QueryClient, run: RunState) {
  client.setQueryData(queries.currentRun().queryKey, run);
  client.setQueryData<Line>(queries.line().queryKey, (line) => (line ? { ...line, run } : line));
  if (run.status !== 'running') applyChanged(client, ['line', 'decisions']);
}

/**
 * Follows the server's event stream for as long as the component lives. A browser retries a broken
 * connection by itself but gives up after an error answer, so closed streams are reopened here.
 */
export function useLive(): LiveState {
  const client = useQueryClient();
  const [state, setState] = useState<LiveState>('connecting');

  useEffect(() => {
    if (typeof EventSource === 'undefined') return;
    let source: EventSource;
    let timer: number | undefined;
    let wait = FIRST_WAIT_MS;
    let missedSome = false;

    const open = () => {
      source = new EventSource(url('/stream'));
      source.onopen = () => {
        wait = FIRST_WAIT_MS;
        setState('live');
        // Whatever happened while the line was down was not told.
        if (missedSome) void client.invalidateQueries();
        missedSome = false;
      };
      source.onerror = () => {
        missedSome = true;
        setState('offline');
        if (source.readyState !== EventSource.CLOSED) return;
        timer = window.setTimeout(open, wait);
        wait = Math.min(wait * 2, LONGEST_WAIT_MS);
      };
      source.addEventListener('run', (event) => applyRun(client, JSON.parse(event.data) as RunState));
      source.addEventListener('changed', (event) => {
        applyChanged(client, (JSON.parse(event.data) as { topics: string[] }).topics);
      });
    };

    open();
    return () => {
      window.clearTimeout(timer);
      source.close();
    };
  }, [client]);

  return state;
}
