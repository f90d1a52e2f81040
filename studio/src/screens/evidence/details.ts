/**
 * What belongs to the method of a record: paths, weights, placebos, coefficients. The API leaves its inside open, so its shapes
 * are named and its values looked at here; what is absent is absent, and what is unknown is listed as it is.
 */
import type { OpenInterval } from '../../api/evidence';
import { fields, list, number, text } from '../../api/truth';
import { dateOf, monthOf, timeTick } from '../../format';

export type Figures = (number | null)[];

const figures = (value: unknown): Figures => list(value).map(number);
const label = (value: unknown): string => (typeof value === 'number' ? String(value) : text(value));
const labels = (value: unknown): string[] => list(value).map(label);

/** Two ends, of which one may be infinite. */
export function ends(value: unknown): OpenInterval | null {
  const [low, high] = list(value).map(number);
  return low === undefined || high === undefined || (low === null && high === null) ? null : [low, high];
}

/** Where times stand on an axis: dates by date, years and numbers by size, anything else in its order. */
export interface TimeLine {
  xs: number[];
  x: { title: string; format: (x: number) => string; tick: (x: number) => string; time: boolean };
}

const DATE = /^\d{4}-\d{2}(-\d{2}|$)/;
const MONTH = /^\d{4}-\d{2}$/;

export function timeLine(times: string[]): TimeLine {
  if (times.length > 0 && times.every((time) => DATE.test(time) && !Number.isNaN(Date.parse(time)))) {
    const xs = times.map((time) => Date.parse(time));
    const months = times.every((time) => MONTH.test(time));
    const format = months ? monthOf : (x: number) => dateOf(new Date(x).toISOString());
    return { xs, x: { title: months ? 'Month' : 'Date', format, tick: months ? monthOf : timeTick(xs), time: true } };
  }
  const numbers = times.map(Number);
  const rising = numbers.every((value, at) => Number.isFinite(value) && (at === 0 || value > numbers[at - 1]!));
  const format = rising ? String : (x: number) => times[x] ?? '';
  return { xs: rising ? numbers : times.map((_, at) => at), x: { title: 'Period', format, tick: format, time: false } };
}

/** Between the last period before and the first after. */
export const startsAt = ({ xs }: TimeLine, before: number): number | null => {
  const [last, first] = [xs[before - 1], xs[before]];
  return last === undefined || first === undefined ? null : (last + first) / 2;
};

export interface Weight {
  name: string;
  weight: number;
}

const weights = (value: unknown, ...names: string[]): Weight[] => list(value).flatMap((each) => {
  const row = fields(each);
  const [weight, name] = [number(row.weight), names.map((key) => label(row[key])).find(Boolean)];
  return weight === null || name === undefined ? [] : [{ name, weight }];
});

export interface Cohort {
  start: string;
  units: string[];
  times: string[];
  /** Periods before the treatment. */
  before: number;
  treated: Figures;
  synthetic: Figures;
  gaps: Figures;
  weights: Weight[];
  timeWeights: Weight[];
  fit: [string, unknown][];
  placebos: { name: string; gaps: Figures }[];
}

/** Everything is optional but the path of the treated. */
function cohortOf(value: unknown, times: string[]): Cohort[] {
  const row = fields(value);
  const [treated, synthetic] = [figures(row.treated), figures(row.synthetic)];
  const told = figures(row.gaps);
  const gaps = told.length > 0 ? told : treated.map((actual, at) => (actual === null || synthetic[at] == null ? null : actual - synthetic[at]));
  const length = Math.max(treated.length, gaps.length);
  if (length === 0) return [];
  const known = times.length === length ? times : Array.from({ length }, (_, at) => String(at + 1));
  const start = label(row.start);
  return [{
    start, units: labels(row.units), times: known, treated, synthetic, gaps,
    before: number(row.pre_periods) ?? Math.max(known.indexOf(start), 0),
    weights: weights(row.weights, 'unit', 'name'), timeWeights: weights(row.time_weights, 'time'),
    fit: [...Object.entries(fields(row.fit)), ...(['att', 'noise', 'zeta'] as const).flatMap((name) => (name in row ? [[name, row[name]] as [string, unknown]] : []))],
    placebos: list(row.placebo_gaps).flatMap((each) => {
      const { units, gaps } = fields(each);
      const path = figures(gaps);
      return path.length === length ? [{ name: labels(units).join(', ') || 'placebo', gaps: path }] : [];
    }),
  }];
}

export interface Coefficient {
  value: number;
  interval: OpenInterval | null;
  band: OpenInterval | null;
  event: number | null;
  base: boolean;
  group: string;
  time: string;
  phase: string;
  treated: number | null;
  controls: number | null;
}

export interface Coefficients {
  level: number | null;
  points: Coefficient[];
}

function coefficients(value: unknown): Coefficients | null {
  const { level, points } = fields(value);
  const found = list(points).flatMap((each) => {
    const row = fields(each);
    const at = number(row.value);
    return at === null ? [] : [{
      value: at, interval: ends(row.interval), band: ends(row.band), event: number(row.event), base: row.base === true,
      group: label(row.group), time: label(row.time), phase: label(row.phase), treated: number(row.treated), controls: number(row.controls),
    }];
  });
  return found.length > 0 ? { level: number(level), points: found } : null;
}

export interface Honest {
  /** The effect if trends are parallel. */
  value: number | null;
  rows: { bound: number; interval: OpenInterval }[];
  breakdown: number | null;
}

function honestOf(value: unknown): Honest | null {
  const row = fields(value);
  const rows = list(row.relative_magnitudes).flatMap((each) => {
    const { mbar, interval } = fields(each);
    const [bound, spread] = [number(mbar), ends(interval)];
    return bound === null || spread === null ? [] : [{ bound, interval: spread }];
  });
  return rows.length > 0 ? { rows, value: number(row.value), breakdown: number(row.breakdown_mbar) } : null;
}

export interface Series {
  text: string;
  times: string[];
  before: number;
  actual: Figures;
  predicted: Figures;
  band: { low: Figures; high: Figures } | null;
  /** From the intervention on. */
  after: { times: string[]; effect: Figures; effectBand: { low: Figures; high: Figures }; cumulative: Figures; cumulativeBand: { low: Figures; high: Figures } };
  controls: { name: string; coefficient: number | null; interval: OpenInterval | null; inclusion: number | null }[];
  placebos: { time: string; value: number; interval: OpenInterval | null }[];
  facts: [string, unknown][];
}

function seriesOf(value: unknown): Series[] {
  const row = fields(value);
  const [before, after] = [fields(row.before), fields(row.after)];
  const [known, later] = [labels(before.time), labels(after.time)];
  if (later.length === 0) return [];
  const both = (name: string) => [...padded(figures(before[name]), known.length), ...padded(figures(after[name]), later.length)];
  const low = both('low');
  const of = (name: string) => padded(figures(after[name]), later.length);
  return [{
    text: text(row.text), times: [...known, ...later], before: known.length,
    actual: both('actual'), predicted: both('counterfactual'),
    band: low.some((end) => end !== null) ? { low, high: both('high') } : null,
    after: {
      times: later, effect: of('effect'), effectBand: { low: of('effect_low'), high: of('effect_high') },
      cumulative: of('cumulative'), cumulativeBand: { low: of('cumulative_low'), high: of('cumulative_high') },
    },
    controls: list(row.controls).flatMap((each) => {
      const control = fields(each);
      const name = label(control.name);
      return name ? [{ name, coefficient: number(control.coefficient), interval: ends(control.interval), inclusion: number(control.inclusion) }] : [];
    }),
    placebos: list(row.placebos).flatMap((each) => {
      const placebo = fields(each);
      const at = number(placebo.value);
      return at === null ? [] : [{ time: label(placebo.time), value: at, interval: ends(placebo.interval) }];
    }),
    facts: [...Object.entries(fields(row.design)), ...Object.entries(fields(row.summary)), ...Object.entries(fields(row.checks))],
  }];
}

const padded = (values: Figures, length: number): Figures => Array.from({ length }, (_, at) => values[at] ?? null);

export interface Fitted {
  times: string[];
  actual: Figures;
  fitted: Figures;
}

function fittedOf(value: unknown): Fitted | null {
  const rows = list(value).map(fields);
  if (rows.length === 0) return null;
  return { times: rows.map(({ time }) => label(time)), actual: rows.map(({ actual }) => number(actual)), fitted: rows.map(({ fitted }) => number(fitted)) };
}

export interface Found {
  cohorts: Cohort[];
  series: Series[];
  fitted: Fitted | null;
  eventStudy: Coefficients | null;
  byGroup: Coefficients | null;
  byTime: Coefficients | null;
  groupTime: Coefficients | null;
  honest: Honest | null;
  preTest: { statistic: number | null; df: number | null; p: number } | null;
  predictors: Weight[];
  placeboEffects: number[];
  /** All that has no place of its own. */
  rest: [string, unknown][];
}

const PLACED = new Set([
  'times', 'cohorts', 'windows', 'line', 'event_study', 'by_group', 'by_time', 'group_time', 'honest', 'pre_test', 'predictors', 'placebo_effects',
]);

/** What a record's details hold; null when there are none. */
export function found(details: unknown): Found | null {
  const row = fields(details);
  if (Array.isArray(details) || Object.keys(row).length === 0) return null;
  const times = labels(row.times);
  const test = fields(row.pre_test);
  const p = number(test.p_value);
  return {
    cohorts: list(row.cohorts).flatMap((each) => cohortOf(each, times)),
    series: list(row.windows).flatMap(seriesOf),
    fitted: fittedOf(row.line),
    eventStudy: coefficients(row.event_study), byGroup: coefficients(row.by_group), byTime: coefficients(row.by_time), groupTime: coefficients(row.group_time),
    honest: honestOf(row.honest),
    preTest: p === null ? null : { statistic: number(test.statistic), df: number(test.df), p },
    predictors: weights(row.predictors, 'predictor', 'name'),
    placeboEffects: figures(row.placebo_effects).filter((value): value is number => value !== null),
    rest: Object.entries(row).filter(([name]) => !PLACED.has(name)),
  };
}

export type Scalar = string | number | boolean | null;
export type Flat = Record<string, Scalar>;

const scalar = (value: unknown): value is Scalar => value === null || ['string', 'boolean'].includes(typeof value) || (typeof value === 'number' && Number.isFinite(value));

/** A short list in words; an end of an interval may be infinite. */
const inLine = (value: unknown): string | null =>
  Array.isArray(value) && value.length > 0 && value.length <= 6 && value.every((each) => scalar(each)) ? value.map((each) => each ?? 'no limit').join(', ') : null;

/** Plain values by name, those within an object under both names. Longer lists are left out. */
export function plain(entries: [string, unknown][], depth = 2): [string, Scalar][] {
  return entries.flatMap(([name, value]): [string, Scalar][] => {
    if (value === null || value === undefined) return [];
    if (scalar(value)) return [[name, value]];
    const told = inLine(value);
    if (told !== null) return [[name, told]];
    if (typeof value === 'object' && !Array.isArray(value) && depth > 0) return plain(Object.entries(value).map(([key, each]) => [`${name}: ${key}`, each]), depth - 1);
    return [];
  });
}

const MOST_ROWS = 100;

/** Lists of objects whose fields are plain: they are rows of a table. */
export function tables(entries: [string, unknown][]): { name: string; rows: Flat[] }[] {
  return entries.flatMap(([name, value]) => {
    if (!Array.isArray(value) || value.length === 0 || !value.every((each) => typeof each === 'object' && each !== null && !Array.isArray(each))) return [];
    const rows = value.slice(0, MOST_ROWS).map((each): Flat => Object.fromEntries(
      Object.entries(fields(each)).flatMap(([key, cell]): [string, Scalar][] => (scalar(cell) ? [[key, cell]] : inLine(cell) === null ? [] : [[key, inLine(cell)]])),
    ));
    return rows.some((row) => Object.keys(row).length > 0) ? [{ name, rows }] : [];
  });
}
