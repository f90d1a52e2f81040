import type { MatchAccuracy, Matches, MatchPair } from '../api/matches';

export const pair = (change: Partial<MatchPair> = {}): MatchPair => ({
  token: 'a1'.repeat(16), other_token: 'b2'.repeat(16), sources: ['crm', 'till'], probability: 0.62, weight_bits: 11.4, margin_bits: 3.25,
  levels: { last: 5, first: 3, street: 1, phone: 0 }, weights: { last: 8.1, first: 4.6, street: -1.5, phone: 0 },
  outcome: 'review', reason: 'between the thresholds', purchases: 2, value: 129.5, inclusion: 0.42, decided: null, said: null,
  ...change,
});

export const second = pair({ token: 'c3'.repeat(16), other_token: 'd4'.repeat(16), probability: 0.9999, margin_bits: null, outcome: 'linked', value: 20, purchases: 1 });

export const queue = (items: MatchPair[] = [pair(), second]): Matches => ({
  items, total: items.length, draw: { draw: 2, pairs: 7, population: { linked: 120, review: 9 }, drawn_at: '2026-03-01T00:00:00Z' },
});

export const undrawn: Matches = { items: [], total: 0, draw: null };

export const accuracy: MatchAccuracy = {
  level: 0.95, draw: 2, population: { linked: 120, review: 9 }, drawn: 7, labelled: 5,
  precision: { value: 0.97, low: 0.91, high: 0.99, labels: 4, effective: 3.2 },
  recall: null, note: 'of the pairs that were compared',
  calibration: {
    bins: [{ from: 0.5, to: 0.8, said: 0.66, found: { value: 0.5, low: 0.2, high: 0.8, labels: 4, effective: 4 } }],
    slope: null, intercept: null, note: 'not recalibrated: that needs 50 labels',
  },
  logins: { linked: 120, confirmed: 18, contradicted: 2, precision: 0.9, interval: [0.7, 0.97], note: 'it speaks for the people who were seen again' },
};
