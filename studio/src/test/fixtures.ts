import type { Attribution, Line, RunState, Session, Stage, StageName } from '../api/types';

const NAMES: StageName[] = ['ingest', 'link', 'journeys', 'attribute', 'prove', 'features', 'model', 'decide', 'activate', 'observe'];
const title = (name: string) => name.charAt(0).toUpperCase() + name.slice(1);

export const session: Session = {
  user: { id: 'u1', name: 'ada', display_name: 'Ada Example', roles: ['analyst'], sign_offs: ['finance'], methods: ['password'] },
  csrf_token: 'csrf-1',
  expires_at: '2030-01-01T00:00:00Z',
  may: ['getLine', 'listRuns', 'getCurrentRun', 'startRun', 'freeze', 'getAttribution', 'listConversions', 'explainConversion'],
};

export const stages = (state: Stage['state']): Stage[] =>
  NAMES.map((name) => ({
    name, title: title(name), state,
    summary: state === 'done' ? `${name} summary` : null,
    units: state === 'done' ? 1 : 0, run_seq: state === 'done' ? 3 : null, gate: null,
    tables: state === 'done' ? [{ name: `${name}_table`, rows: 1234, version: 1 }] : [],
    published_at: state === 'done' ? '2026-01-01T00:00:00Z' : null,
  }));

export const line = (change: Partial<Line> = {}): Line => ({
  project: { name: 'shop', currency: 'EUR', questions: ['Which channels pay?'], success_metrics: ['profit'], as_of: '2026-01-01T00:00:00Z' },
  stages: stages('done'),
  run: null,
  last_run: {
    run_seq: 3, status: 'succeeded', as_of: '2026-01-01T00:00:00Z', started_at: '2026-01-01T00:00:00Z',
    finished_at: '2026-01-01T00:00:05Z', resumed: 0, error: null,
  },
  next_run_at: null, frozen: null, approvals_pending: 2, quarantined: 17, alarms: 0,
  ...change,
});

export const run: RunState = {
  requested_by: 'ada', started_at: '2026-01-01T00:00:00Z', status: 'running', error: null,
  stages: NAMES.map((name, at) => ({ name, state: at < 2 ? 'done' : at === 2 ? 'running' : 'waiting', done: at === 2 ? 1 : 0, total: 4, summary: null })),
};

export const attribution: Attribution = {
  currency: 'EUR', conversion: 'purchase', conversions: ['purchase'], level: 0.9, inner_level: 0.5,
  interval_method: 'bootstrap', totals: { conversions: 10, value: 100, paths_without_conversion: 5, conversions_without_touch: 0 },
  models: [{ id: 'first', title: 'First touch' }, { id: 'markov:1', title: 'Markov, order 1' }],
  channels: ['email', 'search'].map((channel, at) => ({
    channel, spend: at === 0 ? 12 : null, disagreement: { lowest: 3, highest: 7, ratio: 2.3, disjoint: false },
    credits: Object.fromEntries(['first', 'markov:1'].map((model, m) => {
      const n = [[6, 4], [7, 3]][m]?.[at] ?? 0;
      return [model, {
        conversions: n, conversions_interval: [n - 2, n + 2], conversions_inner: [n - 1, n + 1],
        value: n * 10, value_interval: [n * 8, n * 12], value_inner: [n * 9, n * 11], removal_effect: null,
      }];
    })),
  })),
  evidence: [], run_seq: 3, published_at: '2026-01-01T00:00:00Z',
};
