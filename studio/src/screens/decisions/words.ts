import type { DecisionRow } from '../../api/types';
import type { Interval } from '../../api/types';
import { humanise } from '../../format';
import type { Tone } from '../../ui';

/** Codes of the decide and activate stages in words; a code this version does not know keeps its name. */
const RATIONALE: Record<string, string> = {
  best_net_value: 'best expected net value of the actions allowed',
  explore: 'drawn at random to keep learning',
  holdout: 'held out, to measure what the policy is worth',
  budget_exhausted: 'a better action exists, but the budget buys more elsewhere',
  below_threshold: 'no action reaches the threshold of the policy',
  no_score: 'no usable score',
  not_eligible: 'ruled out by the policy',
  no_consent: 'a consent it needs is missing',
  frequency_cap: 'contacted as often as the cap allows',
  cooldown: 'taken too recently',
};

const INTERVAL_NOTES: Record<string, string> = {
  baseline: 'the baseline, so no interval',
  no_std_error: 'no interval: no standard error',
};

const DELIVERY_REASONS: Record<string, string> = {
  duplicate: 'another row carries the same identifier',
  holdout: 'held out',
  not_live: 'the policy is not live',
  filtered: 'the destination does not take this action',
  stale: 'the decision had expired',
  no_consent: 'consent was missing when it was due',
  no_identifier: 'no identifier of the kind the destination needs',
};

export interface Reason {
  text: string;
  /** The actions it kept out; none when it is about the decision itself. */
  actions: string[];
}

const plain = (code: string) => code.replaceAll('_', ' ');
export const actionName = (action: string) => (action === 'none' ? 'No action' : humanise(action));
export const noteText = (note: string | null | undefined) => (note ? (INTERVAL_NOTES[note] ?? plain(note)) : 'no interval');
export const deliveryReason = (reason: string) => DELIVERY_REASONS[reason] ?? plain(reason);

/** Reasons in their order; the same reason for several actions is said once. */
export function reasons(rationale: string[] | null | undefined): Reason[] {
  const found = new Map<string, Reason>();
  for (const entry of rationale ?? []) {
    const [code = '', action] = entry.split(/:(.*)/s);
    const key = action === undefined ? `=${code}` : code;
    const reason = found.get(key) ?? { text: RATIONALE[code] ?? plain(code), actions: [] };
    if (action !== undefined) reason.actions.push(action);
    found.set(key, reason);
  }
  return [...found.values()];
}

export const reasonText = ({ text, actions }: Reason) =>
  actions.length === 0 ? humanise(text) : `${actions.map(actionName).join(', ')}: ${text}`;

/** Why an action was kept out, from the reasons of the decision. */
export const keptOut = (rationale: string[] | null | undefined, action: string) =>
  reasons(rationale).filter(({ actions }) => actions.includes(action)).map(({ text }) => text).join('; ');

/** A JSON object in a text column; null when there is none or it is masked. */
export function parsed(text: string | undefined): Record<string, unknown> | null {
  if (!text) return null;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

export function netInterval({ expected_net_value_low: low, expected_net_value_high: high }: DecisionRow): Interval | null {
  return low !== undefined && high !== undefined ? [low, high] : null;
}

export interface Consent {
  purpose: string;
  state: string;
}

const PURPOSES = ['measurement', 'linking', 'personalisation', 'advertising', 'messaging'];

/** All purposes in one order; one that is not named is unknown, which is not permission. */
export function consents(text: string): Consent[] {
  const said = new Map(text.split(';').filter((pair) => pair.includes('=')).map((pair) => {
    const [purpose = '', state = ''] = pair.split('=');
    return [purpose, state];
  }));
  const others = [...said.keys()].filter((purpose) => !PURPOSES.includes(purpose));
  return [...PURPOSES, ...others].map((purpose) => ({ purpose, state: said.get(purpose) ?? 'unknown' }));
}

export const STATUS_TONES: Record<string, Tone> = { sent: 'good', planned: 'accent', rejected: 'bad', suppressed: 'warn' };
