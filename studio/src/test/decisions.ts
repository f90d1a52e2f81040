import type { DecisionItem, DecisionPage, DecisionThread } from '../api/types';
import type { Conversion, ConversionItem, Person, Touch } from '../api/types';
import { session } from './fixtures';

export const PERSON = '0420aaaaaaaaaaaaaaaaaaaaaaaa0815';
const EXPIRED = '2026-01-02T00:00:00Z';

/** A session that may also see decisions and persons. */
export const reader = { ...session, may: [...session.may, 'listDecisions', 'explainDecision', 'explainPerson'] };

export const decisionItem = (change: Partial<DecisionItem> = {}): DecisionItem => ({
  entity_id: PERSON, cycle_id: 'mail@2026-01-01', decided_at: '2026-01-01T00:00:00Z', action: 'email_offer', arm: 'policy',
  policy_id: 'spring_mail', policy_version: 2, score: 1.2, expected_net_value: 0.6, expected_net_value_interval: null,
  interval_note: 'no_std_error', evidence_tier: 3, expires_at: EXPIRED, rationale: ['best_net_value', 'no_consent:email_news'],
  currency: 'EUR', ...change,
});

export const decisionPage = (change: Partial<DecisionPage> = {}): DecisionPage => ({
  items: [
    decisionItem(),
    decisionItem({
      entity_id: 'ffff0000000000000000000000000001', action: 'none', arm: 'holdout', expected_net_value: 3,
      expected_net_value_interval: [-1, 7], interval_note: null, evidence_tier: 1, expires_at: '2999-01-01T00:00:00Z',
      rationale: ['holdout'],
    }),
  ],
  next_cursor: null, total: 2,
  facets: { policy: { spring_mail: 2 }, action: { email_offer: 1234, none: 7 }, arm: { policy: 1, holdout: 1 } },
  ...change,
});

export const person: Person = {
  person_id: PERSON, identifiers: ['email', 'cookie', 'cookie'], events: 40, masked: false,
  last_events: [
    { at: '2025-12-01T00:00:00Z', kind: 'click', channel: 'paid_search', source: 'web', event: 'e1', value: null },
    { at: '2025-12-02T00:00:00Z', kind: 'purchase', channel: null, source: 'shop', event: 'e2', value: 12.5 },
  ],
};

const { masked, ...facts } = person;

export const thread = (change: Partial<DecisionThread> = {}): DecisionThread => ({
  decision: {
    entity_id: PERSON, cycle_id: 'mail@2026-01-01', decided_at: '2026-01-01T00:00:00Z', action: 'email_offer',
    top_n: { email_offer: 0.6, none: 0, email_sms: -0.4 }, score: 1.2,
    eligibility: '{"email_news":false,"email_offer":true,"email_sms":true,"none":true}',
    rationale: ['best_net_value', 'no_consent:email_news'], expected_net_value: 0.6, expected_net_value_low: -0.1,
    expected_net_value_high: 1.3, action_probabilities: { none: 0.02, email_offer: 0.96, email_sms: 0.02 }, arm: 'policy',
    model_id: 'spring_mail', model_version: 1, feature_snapshot: 4, feature_values: '{"visits_14d":3,"region":"north","spend_60d":null}',
    policy_id: 'spring_mail', policy_version: 1, evidence_tier: 3, consent: 'linking=granted;messaging=granted;advertising=denied',
    scored_at: '2026-01-01T00:00:00Z', expires_at: EXPIRED, contract_version: '1.0.0', currency: 'EUR',
  },
  scores: [{ person_id: PERSON, model_id: 'spring_mail', model_version: 1, arm: 'email_offer', effect: 1.2, base: 2.5, fold: 'decide', scored_at: '2026-01-01T00:00:00Z', expires_at: EXPIRED }],
  evidence: [{
    id: 'mail/purchase/email_offer/1', estimand: { metric: 'purchase', treatment: 'email_offer', control: 'none', contrast: 'absolute' },
    scope: { action: 'email_offer', period_start: '2025-11-01T00:00:00Z', period_end: '2025-12-01T00:00:00Z' },
    design: 'randomised_experiment', tier: 'randomised', health: 'healthy', assumptions: ['assigned at random'], diagnostics: [],
    estimate: { value: 0.03, std_error: 0.01, set: [[0.01, 0.05]], level: 0.95, p_value: 0.003, n: 2719, inference: 'wald', method: 'welch', assumptions: [] },
  }],
  policy: { kind: 'policy', name: 'spring_mail', version: 2, content_hash: 'abc', metadata: { owner: 'lifecycle' }, created_at: '2026-01-01T00:00:00Z' },
  model: { kind: 'model', name: 'spring_mail', version: 1, content_hash: 'def', metadata: { outcome: 'spend' }, created_at: '2026-01-01T00:00:00Z' },
  person: facts,
  deliveries: [{ batch_id: '', idempotency_key: '', entity_id: PERSON, cycle_id: 'mail@2026-01-01', destination: 'email_service', action: 'email_offer', status: 'rejected', reason: 'no_identifier', planned_at: '2026-01-01T00:00:00Z' }],
  masked, ...change,
});

export const journey: ConversionItem = {
  id: 'j1', conversion: 'purchase', ended_at: '2025-12-02T00:00:00Z', value: 12.5, currency: 'EUR', touches: 1, person_id: PERSON, path: ['paid_search'],
};

const touch = (change: Partial<Touch>): Touch => ({
  journey_id: 'j1', person_id: PERSON, position: 0, source: 'shop', source_event_id: 'e1', kind: 'visit', channel: 'paid_search', campaign: 'spring',
  occurred_at: '2025-11-30T00:00:00Z', session: 0, kept: true, rule: 'kept', ...change,
});

export const conversion: Conversion = {
  journey: {
    journey_id: 'j1', person_id: PERSON, conversion: 'purchase', conversion_event_id: 'e2', converted: true, ended_at: '2025-12-02T00:00:00Z',
    value: 12.5, currency: 'EUR', touches: 1, path: ['paid_search'], started_at: '2025-11-30T00:00:00Z', cohort: '2025-11', geo: 'Bern', device: 'mobile',
    config_id: '5eed'.repeat(8),
  },
  credit: { 'markov:1': { paid_search: 1 } },
  touches_kept: [touch({ interaction: 'click', geo: 'Bern', device: 'mobile' })],
  touches_dropped: [touch({ channel: 'display', occurred_at: '2025-10-01T00:00:00Z', kept: false, rule: 'outside_lookback', interaction: 'view' })],
  identity: {
    links: [{ token: 'a1'.repeat(16), other_token: 'b2'.repeat(16), method: 'same_event', source: 'shop', observations: 3, first_seen_at: '2025-11-01T00:00:00Z' }],
    matches: [
      { token: 'a1'.repeat(16), other_token: 'c3'.repeat(16), source: 'crm', other_source: 'till', probability: 0.9997, weight_bits: 14.2, outcome: 'linked', reason: 'probable enough' },
      { token: 'a1'.repeat(16), other_token: 'd4'.repeat(16), source: 'crm', other_source: 'panel', probability: 0.62, weight_bits: 3.1, outcome: 'review', reason: 'between the thresholds' },
    ],
  },
  person: facts, masked,
};
