import type { MatchPair, SampledShare } from '../../api/matches';
import { decimal, percent } from '../../format';

/** How far two values agree, by level. */
export function agreement(level: number): string {
  if (level === 0) return 'missing';
  if (level === 1) return 'different';
  return level >= 5 ? 'equal' : 'alike';
}

export const bits = (value: number | null | undefined): string =>
  value === null || value === undefined ? '–' : `${value >= 0 ? '+' : '−'}${decimal(Math.abs(value), 1)} bits`;

/** Near 0 and 1 a rounded share would claim certainty. */
export function probability(value: number): string {
  if (value > 0.9995 && value < 1) return 'above 99.9%';
  if (value < 0.0005 && value > 0) return 'below 0.1%';
  return percent(value, 1);
}

export function sampled(share: SampledShare | null): string {
  return share === null ? 'not known' : `${percent(share.value, 1)} (${percent(share.low, 1)} to ${percent(share.high, 1)})`;
}

export interface Field {
  name: string;
  agreement: string;
  weight: number | null;
  said: [string, string] | null;
}

/** The fields of a pair, those first that weigh most, whichever way. */
export function fieldsOf(pair: MatchPair, said: MatchPair['said']): Field[] {
  const fields = Object.entries(pair.levels).map(([name, level]): Field => ({
    name,
    agreement: agreement(level),
    weight: level === 0 ? null : pair.weights[name] ?? null,
    said: said ? [said[0]?.[name] ?? '', said[1]?.[name] ?? ''] : null,
  }));
  return fields.sort((a, b) => Math.abs(b.weight ?? 0) - Math.abs(a.weight ?? 0));
}

export const keyOf = ({ token, other_token }: Pick<MatchPair, 'token' | 'other_token'>) => `${token}~${other_token}`;
