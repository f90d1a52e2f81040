import type { Attribution, ChannelCredit, Credit } from '../../api/types';
import type { DotMark } from '../../charts';
import { count, decimal, money, moneyTick, percent } from '../../format';

export const MEASURES = ['conversions', 'value', 'share', 'cpa', 'roas', 'marginal_cpa', 'marginal_roas'] as const;
export type Measure = (typeof MEASURES)[number];

interface MeasureWords {
  /** On the switch. */
  label: string;
  /** Along the axis. */
  unit: string;
  /** Before "credited to each channel". */
  caption: string;
  write: (value: number) => string;
  tick: (value: number) => string;
}

/** A measure in words, and how its figures are written. */
export function measureWords(measure: Measure, currency: string): MeasureWords {
  const inMoney = { write: (value: number) => money(value, currency), tick: (value: number) => moneyTick(value, currency) };
  const times = { write: (value: number) => decimal(value, 2), tick: (value: number) => decimal(value, value % 1 === 0 ? 0 : 1) };
  const words: Record<Measure, MeasureWords> = {
    conversions: { label: 'Conversions', unit: 'Conversions', caption: 'Conversions credited', write: writeCount, tick: count },
    value: { label: `Value (${currency})`, unit: `Value, ${currency}`, caption: 'Value credited', ...inMoney },
    share: { label: 'Share', unit: 'Share of what the model credits', caption: 'Share credited', write: (value) => percent(value, 1), tick: percent },
    cpa: { label: 'Cost per conversion', unit: `Spend over conversions, ${currency}`, caption: 'Cost of a conversion credited', ...inMoney },
    roas: { label: 'Return on spend', unit: 'Value over spend', caption: 'Return on spend credited', ...times },
    marginal_cpa: { label: 'Marginal cost', unit: `Spend for one more conversion, ${currency}`, caption: 'Spend that goes along with one more conversion credited', ...inMoney },
    marginal_roas: { label: 'Marginal return', unit: 'Value for one more unit of spend', caption: 'Value credited that goes along with one more unit of spend', ...times },
  };
  return words[measure];
}

/** Credit is shared out in parts: a whole number needs no decimals. */
export const writeCount = (value: number) => decimal(value, Number.isInteger(value) ? 0 : 1);

/** Conversions and value are shared out; the other measures come from one of them. */
export type Shared = 'conversions' | 'value';
export const sharedBy = (measure: Measure): Shared => (measure === 'value' || measure === 'roas' || measure === 'marginal_roas' ? 'value' : 'conversions');

/** Measures that need spend. */
export const ofSpend = (measure: Measure) => measure !== 'conversions' && measure !== 'value' && measure !== 'share';

/** Measures that are slopes of days of credit on days of spend. */
export const isMarginal = (measure: Measure) => measure === 'marginal_cpa' || measure === 'marginal_roas';

/** The mark of a credit, or the reason why it has none. */
export function markOf(credit: Credit, measure: Measure): DotMark | string {
  switch (measure) {
    case 'conversions': return { value: credit.conversions, outer: credit.conversions_interval, inner: credit.conversions_inner };
    case 'value': return { value: credit.value, outer: credit.value_interval, inner: credit.value_inner };
    case 'share': return credit.share === null ? NO_SHARE : { value: credit.share, outer: credit.share_interval, inner: null, note: credit.share_interval ? undefined : 'a share of a part has no interval' };
    default: {
      const { value, interval, absent } = credit[measure];
      if (value === null) return absent ?? 'it is not known';
      return { value, outer: null, inner: null, set: interval ? [interval] : undefined };
    }
  }
}

/** What channels caused and what none did do not share out a whole. */
const NO_SHARE = 'what is scaled to evidence is no share of a whole';
export const UNKNOWN = 'no experiment says anything about it';

export interface Told {
  marks: Record<string, DotMark>;
  /** Reasons by model. */
  missing: Record<string, string>;
}

/** Every mark of a channel, and why others are not there. */
export function marksOf(data: Attribution, { channel, credits }: ChannelCredit, measure: Measure): Told {
  const told: Told = { marks: {}, missing: {} };
  for (const { id } of columnsOf(data)) {
    const credit = credits[id];
    const mark = credit ? markOf(credit, measure) : null;
    if (mark === null) {
      if (id === data.incremental?.id && data.incremental.without_number.includes(channel)) told.missing[id] = UNKNOWN;
    } else if (typeof mark === 'string') told.missing[id] = mark;
    else told.marks[id] = mark;
  }
  return told;
}

/** The models, the credit that is scaled to evidence first: it alone says what channels caused. */
export function columnsOf({ models, incremental }: Attribution): { id: string; title: string }[] {
  const scaled = models.filter(({ id }) => id === incremental?.id).map(({ id }) => ({ id, title: CAUSED }));
  return [...scaled, ...models.filter(({ id }) => id !== incremental?.id).map(({ id, title }) => ({ id, title: title || id }))];
}

export const CAUSED = 'Caused, by evidence';

export interface Reconciled {
  id: string;
  title: string;
  /** Over all channels, and what no channel caused. */
  sum: number;
  total: number;
  /** Beyond what adding rounded numbers explains. */
  off: number | null;
  /** It credits everyone in full, so it adds up to more on purpose. */
  exempt: boolean;
}

/** Whether two sums are the same but for rounding. */
export const same = (sum: number, total: number) => Math.abs(sum - total) <= Math.max(1e-6 * Math.abs(total), 1e-6);

const repeats = (model: string) => /(^|:)participation(:|$)/.test(model);

/**
 * Every model shares out the same total; here each is added up again and held against it. What is scaled to evidence adds up
 * with what no channel caused, and there conversions without a touch belong as well.
 */
export function reconcile(data: Attribution, of: Shared): Reconciled[] {
  const { incremental, totals } = data;
  return columnsOf(data).flatMap(({ id, title }) => {
    const scaled = id === incremental?.id;
    if (scaled && !incremental.baseline) return [];
    const channels = data.channels.reduce((all, channel) => all + (channel.credits[id]?.[of] ?? 0), 0);
    const sum = scaled ? channels + (incremental.baseline?.[of] ?? 0) : channels;
    const total = scaled && of === 'conversions' ? totals.conversions + totals.conversions_without_touch : totals[of];
    const exempt = repeats(id);
    return [{ id, title, sum, total, exempt, off: exempt || same(sum, total) ? null : sum - total }];
  });
}

/** Largest first, by the middle of the models' figures; what is scaled to evidence is not among them. */
export function ordered(data: Attribution, of: Shared): ChannelCredit[] {
  const middle = (channel: ChannelCredit) => {
    const values = data.models.filter(({ id }) => id !== data.incremental?.id).flatMap(({ id }) => channel.credits[id]?.[of] ?? []).sort((a, b) => a - b);
    return values[Math.floor(values.length / 2)] ?? 0;
  };
  return [...data.channels].sort((a, b) => middle(b) - middle(a) || a.channel.localeCompare(b.channel));
}

const SUPPORT: Record<string, string> = {
  own: 'own experiment',
  own_elsewhere: 'own experiment at another time or place',
  population: 'other channels’ experiments only',
};

/** What a credit that is scaled to evidence rests on. */
export const supportWords = (support: string | null | undefined) => (support ? SUPPORT[support] ?? support.replaceAll('_', ' ') : UNKNOWN);
