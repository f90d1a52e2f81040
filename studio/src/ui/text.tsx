import { useSyncExternalStore } from 'react';
import type { Interval } from '../api/types';
import * as format from '../format';

// One clock for all relative times on the page.
const listeners = new Set<() => void>();
let now = new Date();
let ticking: number | undefined;

function subscribe(listener: () => void) {
  listeners.add(listener);
  ticking ??= window.setInterval(() => {
    now = new Date();
    for (const each of listeners) each();
  }, 20_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    window.clearInterval(ticking);
    ticking = undefined;
  };
}

export function useNow(): Date {
  return useSyncExternalStore(subscribe, () => now);
}

/** An instant: how long ago, with the exact time for pointer, keyboard copy and screen reader. */
export function Time({ at, absolute }: { at: string | null | undefined; absolute?: boolean }) {
  const current = useNow();
  if (!at) return <span>{format.NONE}</span>;
  const exact = format.absoluteTime(at);
  if (absolute) return <time dateTime={at}>{exact}</time>;
  return <time dateTime={at} title={exact} className="time">{format.relativeTime(at, current)}</time>;
}

/** A long id, shortened in the middle; the whole of it is in the title. */
export function Id({ id }: { id: string }) {
  return <span className="mono id" title={id}>{format.shortId(id)}</span>;
}

export function Money({ value, currency }: { value: number | null | undefined; currency: string }) {
  return <span>{format.money(value, currency)}</span>;
}

interface IntervalTextProps {
  value: Interval | null | undefined;
  level?: number;
  format: (x: number) => string;
  /** Why there is none. */
  note?: string | null;
}

/** An interval in words, or the reason why there is none. */
export function IntervalText({ value, level, format: write, note }: IntervalTextProps) {
  if (!value) return <span className="muted small">{note ?? 'no interval'}</span>;
  return (
    <span className="muted small">
      {write(value[0])} to {write(value[1])}
      {level !== undefined && ` (${format.percent(level)})`}
    </span>
  );
}
