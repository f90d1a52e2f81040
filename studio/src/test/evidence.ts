import type { Comparison, Experiment, Experiments, Ledger, LedgerEntry, LedgerRecord, Look, OpenInterval, Segmentation, Study } from '../api/evidence';
import type { Estimate } from '../api/types';

export const estimate = (value: number, set: OpenInterval[], change: Partial<Estimate> = {}): Estimate => ({
  value, set, std_error: 0.005, level: 0.95, p_value: 0.0004, n: 42_613, inference: 'wald', method: 'welch', assumptions: [], ...change,
});

export const comparison = (change: Partial<Comparison> = {}): Comparison => ({
  arm: 'mens_email', control: 'no_email', metric: 'visit', estimate: estimate(0.0766, [[0.0695, 0.0836]], { assumptions: ['people were assigned independently of each other'] }),
  estimate_absent: null, relative: estimate(0.721, [[0.64, 0.802]]), relative_absent: null, adjusted_p_value: 0.0008, significant: true,
  band: null, variance_reduction: null, lower_is_better: false, non_inferiority: null, ...change,
});

const look = (arm: string, metric: string, day: number, value: number, half: number, change: Partial<Look> = {}): Look => ({
  arm, metric, at: `2026-03-${String(day).padStart(2, '0')}T00:00:00Z`, value, interval: [value - half, value + half], p_value: 0.01, n: day * 1500, healthy: true, ...change,
});

const finding = (severity: 'info' | 'warning' | 'error', code: string, message: string, help?: string) => ({ severity, code, message, help });

export const segment = (name: string, value: number, significant: boolean): Segmentation['effects'][number] => ({
  segment: name, estimate: estimate(value, [[value - 0.03, value + 0.03]]), adjusted_p_value: significant ? 0.001 : 0.3, significant,
  shrunk: estimate(value * 0.9, [[value * 0.9 - 0.02, value * 0.9 + 0.02]]),
});

export const segmentation = (arm: string, p: number | null, effects: Segmentation['effects']): Segmentation =>
  ({ column: 'customer_kind', arm, metric: 'visit', heterogeneity: p === null ? null : { p_value: p }, effects });

export const healthy: Experiment = {
  name: 'email', file: 'experiments/email.yaml',
  reading: {
    health: 'healthy', tier: 'randomised', srm: { p_value: 0.903, statistic: 0.204, df: 2, observed: [21_306, 21_307, 21_387], expected: [21_333.3, 21_333.3, 21_333.3], alarm: false },
    arms: [
      { arm: 'no_email', weight: 1, units: 21_306, metrics: [{ metric: 'visit', n: 21_306, missing: 0, invalid: 0, mean: 0.1062, std_error: 0.0021 }, { metric: 'spend', n: 21_306, missing: 0, invalid: 0, mean: 0.6528, std_error: 0.0796 }] },
      { arm: 'mens_email', weight: 1, units: 21_307, metrics: [{ metric: 'visit', n: 21_300, missing: 7, invalid: 0, mean: 0.1828, std_error: 0.0026 }, { metric: 'spend', n: 21_307, missing: 0, invalid: 0, mean: 1.4226, std_error: 0.1216 }] },
      { arm: 'womens_email', weight: 1, units: 21_387, metrics: [{ metric: 'visit', n: 21_387, missing: 0, invalid: 0, mean: 0.1514, std_error: 0.0025 }, { metric: 'spend', n: 21_387, missing: 0, invalid: 0, mean: 1.0772, std_error: 0.1043 }] },
    ],
    comparisons: [
      comparison(),
      comparison({ metric: 'spend', estimate: estimate(0.769, [[0.485, 1.055]]), relative: estimate(1.179, [[0.6, 1.75]]) }),
      comparison({ arm: 'womens_email', estimate: estimate(0.0452, [[0.0388, 0.0516]]), relative: estimate(0.425, [[0.352, 0.499]]) }),
      comparison({ arm: 'womens_email', metric: 'spend', estimate: estimate(0.0044, [[-0.012, 0.021]], { p_value: 0.61 }), relative: null, relative_absent: 'the control’s mean does not allow one', adjusted_p_value: 0.61, significant: false }),
    ],
    checks: {
      crossover: { units: 64_000, crossed: 12, alarm: false },
      outliers: [{ arm: 'mens_email', metric: 'visit', variance_share: 0.0002, effect_without: 0.0766 }, { arm: 'mens_email', metric: 'spend', variance_share: 0.31, effect_without: 0.52 }],
      trends: [{ arm: 'mens_email', metric: 'visit', periods: [[20_513, 0.07, 0.01], [20_518, 0.08, 0.01]], slope: estimate(0.001, [[-0.001, 0.003]], { p_value: 0.4 }), alarm: false }],
      implausible: [],
    },
    segments: [
      segmentation('mens_email', 0.002, [segment('new', 0.02, false), segment('returning', 0.11, true)]),
      segmentation('womens_email', null, [segment('new', 0.05, false)]),
    ],
    diagnostics: [finding('warning', 'TL303', '7 of 21,307 units of `mens_email` have no value of `visit`', 'find out why they are missing: people who are lost may differ')],
  },
  history: [
    ...[4, 9, 14, 19, 24].map((day, at) => look('mens_email', 'visit', day, [0.055, 0.082, 0.079, 0.075, 0.0766][at]!, [0.04, 0.022, 0.014, 0.01, 0.007][at]!, at === 1 ? { healthy: false } : {})),
    ...[4, 9, 14, 19, 24].map((day, at) => look('mens_email', 'spend', day, [0.2, 0.9, 0.8, 0.74, 0.769][at]!, [0.9, 0.6, 0.45, 0.35, 0.285][at]!)),
    look('womens_email', 'visit', 24, 0.0452, 0.0064),
    look('womens_email', 'spend', 24, 0.0044, 0.0165, { interval: [null, 0.021] }),
  ],
};

export const suspect: Experiment = {
  name: 'a_very_long_name_of_an_experiment_that_somebody_wrote_without_thinking_of_screens_2026_q1', file: 'experiments/spring/first_half/loyalty_programme_with_reminders.yaml',
  reading: {
    health: 'suspect', tier: 'associational', srm: { p_value: 0.0000021, statistic: 22.5, df: 1, observed: [1_204, 1_449], expected: [1_326.5, 1_326.5], alarm: true },
    arms: [
      { arm: 'control', weight: 1, units: 1_204, metrics: [{ metric: 'repeat_purchase', n: 1_204, missing: 0, invalid: 0, mean: 0.21, std_error: 0.012 }] },
      { arm: 'treatment_with_a_reminder_after_seven_days_and_a_voucher', weight: 1, units: 1_449, metrics: [{ metric: 'repeat_purchase', n: 1_449, missing: 0, invalid: 0, mean: null, std_error: null }] },
    ],
    comparisons: [comparison({ arm: 'treatment_with_a_reminder_after_seven_days_and_a_voucher', control: 'control', metric: 'repeat_purchase', estimate: estimate(-0.03, [[-0.06, -0.001]]), relative: null, adjusted_p_value: null })],
    checks: null,
    diagnostics: [
      finding('error', 'TL301', 'the arms do not have the sizes the plan promised (sample ratio mismatch)', 'compare what is logged at assignment with what is logged at exposure'),
      finding('info', 'TL309', 'fewer than 5 units are expected in an arm'),
    ],
  },
  history: [],
};

export const studies: Study[] = [
  { name: 'california', file: 'studies/california.yaml', evidence: 'california/tax/packs/2000-12-31', diagnostics: [] },
  { name: 'broken', file: 'studies/broken.yaml', evidence: null, diagnostics: [finding('error', 'TL039', 'the study cannot be answered: one treated unit has no untreated period', 'name a later treatment')] },
];

export const experiments = (all: Experiment[] = [healthy, suspect]): Experiments => ({ experiments: all, studies, published_at: '2026-03-24T06:00:00Z' });

export const record = (change: Partial<LedgerRecord> = {}): LedgerRecord => ({
  id: 'email/2026-03-24/mens_email/visit', source: { name: 'email', data: 'c0ffee' },
  estimand: { metric: 'visit', treatment: 'mens_email', control: 'no_email', contrast: 'absolute' },
  scope: { action: 'mens_email', period_start: '2026-03-01T00:00:00Z', period_end: '2026-03-24T00:00:00Z' },
  design: 'randomised_experiment', tier: 'randomised', health: 'healthy', estimate: estimate(0.0766, [[0.0695, 0.0836]]),
  assumptions: ['the treatment of one person does not change the outcome of another'], diagnostics: [], expires_at: '2027-03-24T00:00:00Z', ...change,
});

export const entry = (change: Partial<LedgerEntry> = {}, of: Partial<LedgerRecord> = {}): LedgerEntry =>
  ({ record: record(of), recorded_at: '2026-03-24T06:00:00Z', notes: [], standing: 'standing', ...change });

const years = Array.from({ length: 31 }, (_, at) => 1970 + at);
const path = (at: number) => 120 - at * 1.4 + Math.sin(at) * 2;
const gapAt = (at: number) => (at < 19 ? Math.cos(at * 1.7) * 1.5 : -2.4 * (at - 18));
const DONORS = ['Utah', 'Montana', 'Nevada', 'Connecticut', 'New Hampshire'];

export const panelDetails = {
  times: years.map(String), solver: 'exact', lambda: 0.34,
  cohorts: [{
    start: '1989', units: ['California'], pre_periods: 19,
    treated: years.map((_, at) => path(at) + gapAt(at)), synthetic: years.map((_, at) => path(at)), gaps: years.map((_, at) => gapAt(at)),
    weights: DONORS.map((unit, at) => ({ unit, weight: [0.334, 0.232, 0.201, 0.154, 0.079][at]! })),
    fit: { rmspe_pre: 1.656, rmspe_post: 20.4, ratio: 12.3, l2: 7.2, scaled_l2: 0.21 },
    placebo_gaps: Array.from({ length: 38 }, (_, unit) => ({ units: [`State ${unit + 1}`], gaps: years.map((_, at) => Math.sin(unit * 3 + at / 2) * (2 + unit / 10) + (at < 19 ? 0 : ((unit % 7) - 3) * (at - 18) * 0.3)), rmspe_pre: 2 + unit / 10 })),
  }],
};

export const didDetails = {
  event_study: {
    level: 0.95, critical_value: 2.6,
    points: [-3, -2, -1, 0, 1, 2, 3].map((event, at) => event === -1
      ? { event, base: true, value: 0, std_error: null, interval: null, band: null }
      : { event, base: false, value: [0.027, -0.004, 0, -0.02, -0.051, -0.137, -0.101][at]!, interval: [[-0.001, 0.055], [-0.03, 0.021], null, [-0.042, 0.002], [-0.084, -0.018], [-0.21, -0.066], [-0.17, -0.033]][at], band: [[-0.01, 0.064], [-0.039, 0.03], null, [-0.049, 0.009], [-0.095, -0.007], [-0.235, -0.04], [-0.19, null]][at], p_value: 0.1 }),
  },
  pre_test: { statistic: 6.84, df: 5, p_value: 0.233 },
  honest: { value: -0.07, interval: [-0.1, -0.03], breakdown_mbar: 0.62, relative_magnitudes: [{ mbar: 0, interval: [-0.1, -0.03] }, { mbar: 0.5, interval: [-0.14, -0.004] }, { mbar: 1, interval: [null, 0.05] }] },
  group_time: { level: 0.95, points: [{ group: '2004', time: '2004', base: '2003', event: 0, phase: 'after', treated: 20, controls: 309, value: -0.0105, interval: [-0.056, 0.035], band: [-0.075, 0.054], p_value: 0.65 }, { group: '2006', time: '2005', base: '2004', event: -1, phase: 'before', treated: 40, controls: 309, value: -0.0038, interval: [-0.06, 0.055], band: null, p_value: 0.9 }] },
  by_group: { level: 0.95, points: [{ group: '2004', value: -0.079, interval: [-0.13, -0.02], band: [-0.14, -0.01] }, { group: '2006', value: -0.023, interval: [-0.06, 0.01], band: null }] },
  groups: [{ group: '2004', units: 20 }, { group: '2006', units: 40 }], overall_simple: { value: -0.04, std_error: 0.012 },
};

const days = Array.from({ length: 40 }, (_, at) => new Date(Date.UTC(2026, 0, 1 + at)).toISOString().slice(0, 10));
export const seriesDetails = {
  windows: [{
    text: 'From 31 January to 9 February the outcome was 10.4 above what it would have been.',
    design: { learns_from: days[0], intervention: days[30], trend: 'level', seasons: [] }, summary: { actual: 117.2, predicted: 106.8, predicted_interval: [106.1, null] },
    before: { time: days.slice(0, 30), actual: days.slice(0, 30).map((_, at) => 100 + Math.sin(at) * 3), counterfactual: days.slice(0, 30).map((_, at) => 100 + Math.sin(at) * 2.5), low: days.slice(0, 30).map((_, at) => 97 + Math.sin(at) * 2.5), high: days.slice(0, 30).map((_, at) => 103 + Math.sin(at) * 2.5) },
    after: {
      time: days.slice(30), actual: days.slice(30).map((_, at) => 111 + at / 2), counterfactual: days.slice(30).map(() => 101), low: days.slice(30).map((_, at) => 98 - at / 4), high: days.slice(30).map((_, at) => 104 + at / 4),
      effect: days.slice(30).map((_, at) => 10 + at / 2), effect_low: days.slice(30).map((_, at) => 7 + at / 4), effect_high: days.slice(30).map((_, at) => 13 + at), cumulative: days.slice(30).map((_, at) => 10 * (at + 1)), cumulative_low: days.slice(30).map((_, at) => 7 * (at + 1)), cumulative_high: days.slice(30).map((_, at) => 13 * (at + 1)),
    },
    controls: [{ name: 'other_market', coefficient: 0.42, interval: [0.31, 0.53], inclusion: 0.97 }], placebos: [{ time: days[15], value: 0.4, interval: [-2, 2.8], p_value: 0.7 }],
  }],
};

const quasi: Partial<LedgerRecord> = {
  id: 'california/tax/packs/2000-12-31', source: { name: 'california' }, design: 'synthetic_control', tier: 'quasi_experiment',
  estimand: { metric: 'packs_per_capita', treatment: 'tax', control: 'no_tax', contrast: 'absolute' },
  scope: { action: 'tax', geo: 'California', period_start: '1989-01-01T00:00:00Z', period_end: '2000-12-31T00:00:00Z' },
  estimate: estimate(-19.62, [[-27.3, -4.1]], { std_error: null, inference: 'rank', method: 'synthetic_control', p_value: 0.026, n: 39 }), expires_at: undefined,
  assumptions: ['without the treatment, the treated unit would have gone on as the same mix of donors does', 'the treatment did not reach the donors, and nothing else happened to the treated unit alone'],
  diagnostics: [finding('warning', 'TL365', 'the synthetic control misses the treated unit by 1.656 before the treatment', 'compare changes (--method sdid)')],
};

export const unapproved = entry({ standing: 'unapproved' }, { ...quasi, details: panelDetails });
export const opposed = entry({ standing: 'standing', notes: [
  { kind: 'used', by: 'cycle-2026-03-20', at: '2026-03-20T08:00:00Z', text: 'policy spring_mail held tax' },
  { kind: 'approved', by: 'ada', at: '2026-03-19T08:00:00Z', text: 'parallel before; no other campaign' },
] }, { ...quasi, id: 'mpdta/tax/packs', source: { name: 'a_study_with_a_long_name_about_the_tax_in_other_states' }, design: 'difference_in_differences', estimate: estimate(6.2, [[1.1, 11.3]], { std_error: 2.6, n: 500, method: 'callaway_santanna_unadjusted' }), details: didDetails });
export const unbounded = entry({ standing: 'unapproved' }, {
  id: 'instrument/price/orders', source: { name: 'instrument' }, design: 'instrumental_variable', tier: 'quasi_experiment',
  estimand: { metric: 'orders', treatment: 'price_cut', control: 'full_price', contrast: 'relative' }, scope: { action: 'price_cut', segment: 'new customers', period_start: '2026-01-01T00:00:00Z', period_end: '2026-02-01T00:00:00Z' },
  estimate: estimate(0.14, [[null, -0.9], [0.02, null]], { inference: 'inverted_test', method: 'anderson_rubin', p_value: 0.04, n: 812 }), details: { tests: [{ name: 'Sargan', p_value: 0.4 }], weak_instruments: { effective_f: 4.2 }, kappa: null },
});
export const failed = entry({ standing: 'suspect' }, {
  id: 'series/radio/sales', source: { name: 'series' }, design: 'interrupted_time_series', tier: 'associational', health: 'suspect', estimand: { metric: 'sales', treatment: 'radio', control: 'none', contrast: 'absolute' },
  scope: { action: 'radio', period_start: '2026-01-01T00:00:00Z', period_end: '2026-02-09T00:00:00Z' }, estimate: estimate(10.4, [[8.1, 12.7]], { inference: 'draws', method: 'structural', n: 30 }),
  diagnostics: [finding('error', 'TL313', 'the model does not fit the time before the intervention', 'leave out the holidays')], details: seriesDetails,
});
export const old = entry({ standing: 'superseded' }, { id: 'email/2026-03-19/mens_email/visit', scope: { action: 'mens_email', period_start: '2026-03-01T00:00:00Z', period_end: '2026-03-19T00:00:00Z' }, estimate: estimate(0.075, [[0.065, 0.085]]) });
export const retired = entry({ standing: 'retired', notes: [{ kind: 'retired', by: 'ada', at: '2026-03-24T09:00:00Z', text: 'the price was wrong for a week' }] }, { ...quasi, id: 'gone', source: { name: 'gone' } });

export const ledger = (items: LedgerEntry[] = [entry(), old, unapproved, opposed, unbounded, failed, retired]): Ledger => ({
  items, at: '2026-03-24T10:00:00Z',
  conflicts: [{ first: 'california/tax/packs/2000-12-31', second: 'mpdta/tax/packs', difference: -25.82, p_value: null, opposed: true }],
});
