import type { RunItem } from '../api/types';

/** As the server tells a run of a simulated project, with fewer models and channels. */
export const simulated = {
  throughline: '0.1.0', project: 'demo', currency: 'EUR', run_seq: 3, as_of: '2026-04-05T00:00:00Z', stages: [], warnings: [],
  truth: {
    channels: [
      { channel: 'paid_search', true_conversions: 13.40459302467275, true_value: 858.0827384212745, cost: 854.15 },
      { channel: 'email', true_conversions: 37.295254928225134, true_value: 2060.676928107135, cost: 16.031 },
      { channel: 'direct', true_conversions: 0, true_value: 0, cost: 0 },
    ],
    policy: null,
    scores: [
      {
        part: 'attribution',
        about: 'Credited against caused. `share_error` is the part of the credit that lies with the wrong channel.',
        rows: [
          { part: 'attribution', name: 'first', measure: 'bias', value: 1.3877368992452686, unit: 'share of caused', n: 3 },
          { part: 'attribution', name: 'first', measure: 'share_error', value: 0.605977759143375, unit: 'share of credit', n: 3 },
          { part: 'attribution', name: 'first', measure: 'coverage', value: 0.125, n: 8, coverage: { covered: 1, total: 8, nominal: 0.9 } },
        ],
        details: [
          { model: 'markov:1', channel: 'email', credited: 91.25, interval: [82.5, 102], caused: 37.295254928225134, covered: false, known_to_the_market: true },
          { model: 'first', channel: 'email', credited: 140, interval: [119, 157.09999999999997], caused: 37.295254928225134, covered: false, known_to_the_market: true },
          { model: 'first', channel: 'paid_search', credited: 46, interval: [35.949999999999996, 56], caused: 13.40459302467275, covered: false, known_to_the_market: true },
          { model: 'first', channel: 'direct', credited: 0, interval: null, caused: 0, covered: null, known_to_the_market: true },
          { model: 'first', channel: 'fax', credited: 2, interval: [1, 3], caused: 0, covered: false, known_to_the_market: false },
        ],
      },
      {
        part: 'uplift',
        about: 'Person by person.',
        rows: [
          { part: 'uplift', name: 'email_offer', measure: 'pehe', value: 5.796547983796012, unit: 'EUR', n: 660 },
          { part: 'uplift', name: 'email_offer', measure: 'rank_correlation', value: null, n: 660, note: 'all predicted effects are equal' },
        ],
      },
      { part: 'loop', about: 'What was delivered.', absent: 'the market has not gone on (`throughline market step`)', rows: [] },
    ],
    note: 'simulated: the effect of a channel is this market minus the same market without it',
  },
};

/** As the server tells a run that was held against nothing. */
export const unscored = { throughline: '0.1.0', project: 'demo', currency: 'EUR', run_seq: 4, as_of: '2026-04-06T00:00:00Z', stages: [], warnings: [] };

export const runItem = (run_seq: number, status: RunItem['status'] = 'succeeded'): RunItem => ({
  run_seq, status, as_of: `2026-04-0${run_seq + 2}T00:00:00Z`, started_at: '2026-04-10T00:00:00Z',
  finished_at: '2026-04-10T00:00:05Z', resumed: 0, error: null,
});
