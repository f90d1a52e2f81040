import type { Source, SourceDrift } from '../../api/types';
import type { LinePoint } from '../../charts';
import { count, dateOf, duration, NONE, plural } from '../../format';

const DAY_MS = 86_400_000;
const HOUR_S = 3600;

/** Up to when a source has told anything. */
export function watermark({ last_event_at, last_spend_on }: Source): string {
  const told = [last_event_at, last_spend_on].filter((at) => at !== null && at !== undefined);
  return told.length > 0 ? told.map(dateOf).join(' and ') : NONE;
}

export function age({ age_hours }: Source): string {
  if (age_hours === null || age_hours === undefined) return NONE;
  if (age_hours === 0) return 'none';
  return age_hours >= 48 ? plural(Math.floor(age_hours / 24), 'day') : duration(age_hours * HOUR_S);
}

/** Rows by day, those without any between the first and the last as zero: a gap is what one looks for. */
export function volumes({ days }: Source): LinePoint[] {
  const of = new Map(days.map(({ day, events, spend_rows }) => [Date.parse(`${day}T00:00:00Z`), events + spend_rows]));
  const all = [...of.keys()].sort((a, b) => a - b);
  const points: LinePoint[] = [];
  for (let at = all[0] ?? 0; at <= (all.at(-1) ?? -1); at += DAY_MS) points.push({ x: at, y: of.get(at) ?? 0 });
  return points;
}

const HOLDS: Record<NonNullable<SourceDrift['now']>, string> = {
  nothing: 'nothing', bool: 'true and false', int: 'whole numbers', float: 'numbers', time: 'times', text: 'text',
};

/** What is different about a column, in words. */
export function change({ change, before, now }: SourceDrift): string {
  switch (change) {
    case 'missing': return 'is gone';
    case 'emptied': return 'has no values any more';
    case 'new': return `is new: ${now ? HOLDS[now] : NONE}`;
    case 'retyped': return `held ${before ? HOLDS[before] : NONE}, holds ${now ? HOLDS[now] : NONE}`;
  }
}

const MEANINGS: Record<string, string> = {
  TL201: 'wrong number of fields', TL202: 'not UTF-8', TL203: 'not a JSON object', TL204: 'too large',
  TL205: 'value of the wrong type', TL206: 'no id', TL207: 'seen before', TL208: 'one id used twice',
  TL209: 'time missing or unreadable', TL210: 'time outside 1990 to 2100', TL211: 'time in the future',
  TL212: 'no identifier', TL213: 'unknown kind of event', TL214: 'consent unreadable', TL215: 'amount unreadable',
  TL216: 'negative amount or count', TL217: 'amount without currency', TL218: 'not a whole number',
};

export const meaning = (code: string) => MEANINGS[code] ?? code;
export const whole = (value: number) => count(value);
