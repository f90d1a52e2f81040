import type {
  Attribution, Bridges, Credit, CreditCell, CreditCells, FilterChoices, Line, PathList, Ratio, RunState, Session, Stage, StageName,
} from '../api/types';

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

export const absent = (why: string): Ratio => ({ value: null, interval: null, absent: why });
const ratio = (value: number, low: number, high: number | null): Ratio => ({ value, interval: [low, high], absent: null });

/** Credit of so many conversions worth ten each, of ten in all. */
export const credit = (n: number, change: Partial<Credit> = {}): Credit => ({
  conversions: n, conversions_interval: [n - 2, n + 2], conversions_inner: [n - 1, n + 1],
  value: n * 10, value_interval: [n * 8, n * 12], value_inner: [n * 9, n * 11], removal_effect: null,
  share: n / 10, share_interval: [(n - 2) / 10, (n + 2) / 10], cpa: absent('nothing is known of what was spent on it'), marginal_cpa: absent('fewer days than are needed'), marginal_roas: ratio(n / 4, n / 8, n / 2),
  roas: absent('nothing is known of what was spent on it'), support: null, tier: 0,
  identity_share: null, identity_share_interval: null, ...change,
});

const MODELS = [{ id: 'first', title: 'First touch' }, { id: 'markov:1', title: 'Markov, order 1' }];
const spent = (n: number) => ({ cpa: ratio(12 / n, 12 / (n + 2), n > 2 ? 12 / (n - 2) : null), roas: ratio((n * 10) / 12, (n * 8) / 12, n) });

export const filters: FilterChoices = {
  days: ['2025-12-20', '2026-01-12'], geos: ['Basel', 'Bern'], devices: ['desktop', 'mobile'], cohorts: ['2025-11', '2025-12'], segments: ['tier=basic', 'tier=gold'],
};

export const attribution: Attribution = {
  currency: 'EUR', conversion: 'purchase', conversions: ['purchase'], level: 0.9, inner_level: 0.5,
  interval_method: 'bootstrap', totals: { conversions: 10, value: 100, paths_without_conversion: 5, conversions_without_touch: 2 },
  models: MODELS,
  channels: ['email', 'search'].map((channel, at) => ({
    channel, spend: at === 0 ? 12 : null, disagreement: { lowest: 3, highest: 7, ratio: 2.3, disjoint: false },
    credits: Object.fromEntries(['first', 'markov:1'].map((model, m) => {
      const n = [[6, 4], [7, 3]][m]?.[at] ?? 0;
      return [model, credit(n, at === 0 ? spent(n) : {})];
    })),
  })),
  incremental: null, filters, part: null, evidence: [], run_seq: 3, published_at: '2026-01-01T00:00:00Z',
};

const SCALED = 'incremental:path:markov:1';

/** The same with credits scaled to an experiment on email; nothing is known of search. */
export const evidenced: Attribution = {
  ...attribution,
  models: [...MODELS, { id: SCALED, title: 'Markov, order 1, by path, scaled to evidence' }],
  channels: attribution.channels.map((of) => of.channel !== 'email' ? of : {
    ...of, credits: { ...of.credits, [SCALED]: credit(14, { share: null, share_interval: null, support: 'own', tier: 3, ...spent(14) }) },
  }),
  incremental: {
    id: SCALED, model: 'path:markov:1', used: ['mail/purchase/email/1'], without_number: ['search'], ratio_interval: [-0.2, 2.4],
    baseline: credit(-2, { value: -40, value_interval: [-60, -20], value_inner: null, share: null, share_interval: null, tier: 1 }),
    diagnostics: [{ severity: 'warning', code: 'TL491', message: 'nothing speaks of `search`', help: 'hold it out for some people' }],
  },
};

/** Credit of half the journeys, under the one model that splits paths; people of a segment, of whom spend does not know. */
export const partial: Attribution = {
  ...attribution,
  totals: { conversions: 5, value: 50, paths_without_conversion: 0, conversions_without_touch: 0 },
  models: MODELS.slice(0, 1),
  channels: attribution.channels.map((of, at) => ({
    ...of, spend: null, credits: { first: credit(3 - at, { share: (3 - at) / 5, share_interval: null }) },
  })),
  part: { journeys: 1204, of_journeys: 5310, without_parts: ['markov:1'], has_spend: false },
};

const DAYS = Array.from({ length: 12 }, (_, at) => `2026-01-${String(at + 1).padStart(2, '0')}`);
const ITEMS: Record<string, string[]> = {
  campaign: ['always_on', 'spring'], geo: ['', 'Bern'], device: ['desktop', 'mobile'], cohort: ['2025-11', '2025-12'], day: DAYS, month: ['2025-12', '2026-01'], 'segment:tier': ['basic', 'gold'],
};

/** Credit of the first model, spread evenly over items. */
export function cells(dimension: string, change: Partial<CreditCells> = {}): CreditCells {
  const items = ITEMS[dimension] ?? [];
  const all = attribution.channels.flatMap(({ channel, credits }) => items.map((item): CreditCell => {
    const n = credits.first!.conversions / items.length;
    return { item, channel, spend: null, credit: credit(n, { conversions_interval: [n / 2, n * 2], value_interval: [n * 5, n * 20] }) };
  }));
  return { dimension, dimensions: Object.keys(ITEMS).sort(), conversion: 'purchase', model: 'first', models: ['first', 'path:markov:1'], items, cells: all, total: all.length, conversions: 10, value: 100, level: 0.9, currency: 'EUR', ...change };
}

const CAUSES: [string, number][] = [['credit', 30], ['window', -4], ['view_through', 12.5], ['consent', 3], ['duplicate', 0], ['time_zone', -1], ['identity', 9.5]];

export function bridges(): Bridges {
  let at = 50;
  const lines = CAUSES.map(([cause, n]) => {
    at += n;
    return { cause, difference: { conversions: n, value: n * 20 }, so_far: { conversions: at, value: at * 20 } };
  });
  const empty = { platform: 'Social', conversion: 'purchase', model: 'first', days: null, ours: { conversions: 0, value: 0 }, lines: [], reported: { conversions: 0, value: 0 } };
  return {
    currency: 'EUR',
    platforms: [{
      platform: 'Search ads', conversion: 'purchase', model: 'first', days: ['2026-01-01', '2026-01-31'], ours: { conversions: 50, value: 1000 }, lines, reported: { conversions: 100, value: 2000 },
    }, empty],
  };
}

export const paths: PathList = {
  conversion: 'purchase', currency: 'EUR', total: 3, journeys: 115, conversions: 21,
  paths: [
    { path: ['email', 'search'], journeys: 40, conversions: 12, value: 480.5, rate: 0.3, rate_interval: [0.18, 0.45] },
    { path: ['search'], journeys: 70, conversions: 4, value: 99, rate: 0.0571, rate_interval: [0.0224, 0.1381] },
    { path: [], journeys: 5, conversions: 5, value: 60, rate: 1, rate_interval: [0.5655, 1] },
  ],
};
