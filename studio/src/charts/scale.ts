import { scaleLinear, scaleUtc } from 'd3-scale';
import type { Interval } from '../api/types';

export interface Axis {
  domain: Interval;
  ticks: number[];
  /** Position of a value along the axis, in percent. */
  at: (value: number) => number;
}

/** A round axis that holds every value; zero is on it, because lengths are compared. */
export function linearAxis(values: Iterable<number>, tickCount = 5): Axis {
  let low = 0;
  let high = 0;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low === high) high = 1;
  const scale = scaleLinear([low, high], [0, 100]).nice(tickCount);
  const [from = 0, to = 1] = scale.domain();
  // `ticks` takes its count as a hint; more than six labels run into each other on a phone.
  const all = scale.ticks(tickCount);
  const ticks = all.length > 6 ? all.filter((tick) => Math.round(tick / ((all[1] ?? 1) - (all[0] ?? 0))) % 2 === 0) : all;
  return { domain: [from, to], ticks, at: scale };
}

/** A time axis from the first to the last instant, with a margin so that no mark is cut. */
export function timeAxis(instants: number[], tickCount = 5): Axis {
  const first = Math.min(...instants);
  const last = Math.max(...instants);
  const margin = Math.max((last - first) * 0.02, 30 * 60_000);
  const domain: Interval = [first - margin, last + margin];
  const scale = scaleUtc(domain, [0, 100]);
  const all = scale.ticks(tickCount).map(Number);
  const ticks = all.length > 6 ? all.filter((_, index) => index % 2 === 0) : all;
  return { domain, ticks, at: (value) => scale(value) };
}

/** Labels near an end turn inwards so that they stay on the chart. */
export const anchorAt = (percent: number) => (percent < 6 ? 'start' : percent > 94 ? 'end' : 'middle');

export const pct = (value: number) => `${Math.round(value * 1000) / 1000}%`;
