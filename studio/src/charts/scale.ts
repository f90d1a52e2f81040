import { utcTicks } from 'd3-time';
import type { Interval } from '../api/types';

export interface Axis {
  domain: Interval;
  ticks: number[];
  /** Position of a value along the axis, in percent. */
  at: (value: number) => number;
}

/** A step of 1, 2 or 5 times a power of ten that divides a span into about so many parts. */
function roundStep(span: number, parts: number): number {
  const rough = span / parts;
  const power = 10 ** Math.floor(Math.log10(rough));
  const lead = rough / power;
  return power * (lead >= Math.sqrt(50) ? 10 : lead >= Math.sqrt(10) ? 5 : lead >= Math.SQRT2 ? 2 : 1);
}

/** Whole multiples of a step; a step below one divides, so that 3 × 0.1 is written 0.3. */
const multiple = (n: number, step: number) => (step < 1 ? n / Math.round(1 / step) : n * step);
/** A multiple that rounding put a hair off its place counts as there. */
const HAIR = 1e-9;

/**
 * A round axis that holds every value. Zero is on it where lengths are compared; where only positions are, `zero: false` leaves
 * it out.
 */
export function linearAxis(values: Iterable<number>, tickCount = 5, { zero = true } = {}): Axis {
  let low = zero ? 0 : Infinity;
  let high = zero ? 0 : -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) [low, high] = [0, 1];
  if (low === high) high = low + (Math.abs(low) > 1 ? Math.abs(low) : 1);
  // The rounded ends may ask for a wider step.
  let step = roundStep(high - low, tickCount);
  let [from, to] = [Math.floor(low / step + HAIR), Math.ceil(high / step - HAIR)];
  const wider = roundStep((to - from) * step, tickCount);
  if (wider > step) {
    step = wider;
    [from, to] = [Math.floor(low / step + HAIR), Math.ceil(high / step - HAIR)];
  }
  const domain: Interval = [multiple(from, step), multiple(to, step)];
  // The number of parts is a hint; more than six labels run into each other on a phone.
  const every = to - from > 5 ? 2 : 1;
  const ticks: number[] = [];
  for (let n = from; n <= to; n += 1) if (n % every === 0) ticks.push(multiple(n, step));
  return { domain, ticks, at: (value) => ((value - domain[0]) / (domain[1] - domain[0])) * 100 };
}

/** A time axis from the first to the last instant, with a margin so that no mark is cut. */
export function timeAxis(instants: number[], tickCount = 5): Axis {
  const first = Math.min(...instants);
  const last = Math.max(...instants);
  const margin = Math.max((last - first) * 0.02, 30 * 60_000);
  const domain: Interval = [first - margin, last + margin];
  const all = utcTicks(new Date(domain[0]), new Date(domain[1]), tickCount).map(Number);
  const ticks = all.length > 6 ? all.filter((_, index) => index % 2 === 0) : all;
  return { domain, ticks, at: (value) => ((value - domain[0]) / (domain[1] - domain[0])) * 100 };
}

/** Labels near an end turn inwards so that they stay on the chart. */
export const anchorAt = (percent: number) => (percent < 6 ? 'start' : percent > 94 ? 'end' : 'middle');

export const pct = (value: number) => `${Math.round(value * 1000) / 1000}%`;
