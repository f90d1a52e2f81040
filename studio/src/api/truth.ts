/**
 * What is true in a simulated market, beside what a run estimated: a part of the run's report. The API's document leaves
 * the inside of a report open, so its shapes are named, and its values looked at, here.
 */
import { queryOptions } from '@tanstack/react-query';
import { answer, api, Problem } from './client';
import type { Instant, RunItem } from './types';

/** What a channel caused: this market minus the same market without it. */
export interface TrueChannel {
  channel: string;
  true_conversions: number;
  cost: number | null;
}

/** One measure, or the reason why it has no value. */
export interface Measure {
  name: string;
  measure: string;
  value: number | null;
  /** Empty for a plain number. */
  unit: string;
  n: number | null;
  /** As the run gave it; null ends are infinite. */
  interval: [number | null, number | null] | null;
  coverage: { covered: number; total: number; nominal: number } | null;
  note: string;
}

/** How one part of the line is held against the truth. */
export interface TruthPart {
  part: string;
  about: string;
  /** Why there is nothing to score. */
  absent: string | null;
  rows: Measure[];
  /** Of a form of the part's own. */
  details: unknown[];
}

export interface Truth {
  run_seq: number;
  as_of: Instant;
  currency: string;
  channels: TrueChannel[];
  parts: TruthPart[];
  note: string;
}

/** The latest run whose report knows the truth, if any of those looked at does. */
export interface LatestTruth {
  truth: Truth | null;
  /** Finished runs after it, or all that were looked at. */
  without: RunItem[];
}

/** Runs looked back over: a run that the studio started is held against nothing. */
const LOOK_BACK = 10;

type Fields = Record<string, unknown>;

export const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {});
export const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
export const text = (value: unknown): string => (typeof value === 'string' ? value : '');
export const number = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null);

function measureOf(value: unknown): Measure {
  const row = fields(value);
  const ends = list(row.interval);
  const held = fields(row.coverage);
  const [covered, total, nominal] = [number(held.covered), number(held.total), number(held.nominal)];
  return {
    name: text(row.name), measure: text(row.measure), value: number(row.value), unit: text(row.unit), n: number(row.n),
    interval: ends.length === 2 ? [number(ends[0]), number(ends[1])] : null,
    coverage: covered !== null && total !== null && nominal !== null ? { covered, total, nominal } : null,
    note: text(row.note),
  };
}

function channelOf(value: unknown): TrueChannel[] {
  const { channel, true_conversions, cost } = fields(value);
  const caused = number(true_conversions);
  return caused === null ? [] : [{ channel: text(channel), true_conversions: caused, cost: number(cost) }];
}

/** The truth in the report of a run; null in that of a project whose market is real, or of a run held against nothing. */
export function truthOf(value: unknown): Truth | null {
  const report = fields(value);
  const run = number(report.run_seq);
  const { channels, scores, note } = fields(report.truth);
  if (run === null || !Array.isArray(channels)) return null;
  return {
    run_seq: run, as_of: text(report.as_of), currency: text(report.currency), note: text(note),
    channels: channels.flatMap(channelOf),
    parts: list(scores).map((value) => {
      const { part, about, absent, rows, details } = fields(value);
      return { part: text(part), about: text(about), absent: text(absent) || null, rows: list(rows).map(measureOf), details: list(details) };
    }),
  };
}

/** The report of a run; null while there is none. */
async function report(run_seq: number, signal: AbortSignal): Promise<unknown> {
  try {
    return await answer(api.GET('/api/v1/runs/{run_seq}', { params: { path: { run_seq } }, signal }));
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return null;
    throw error;
  }
}

export const truthQueries = {
  latest: () =>
    queryOptions({
      queryKey: ['runs', 'truth'],
      queryFn: async ({ signal }): Promise<LatestTruth> => {
        const { items } = await answer(api.GET('/api/v1/runs', { params: { query: { limit: LOOK_BACK } }, signal }));
        const finished = items.filter(({ status }) => status === 'succeeded');
        for (const [at, { run_seq }] of finished.entries()) {
          const truth = truthOf(await report(run_seq, signal));
          if (truth) return { truth, without: finished.slice(0, at) };
        }
        return { truth: null, without: finished };
      },
    }),
};
