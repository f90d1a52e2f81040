import type { Attribution, ChannelCredit, Credit } from '../../api/types';
import type { DotMark } from '../../charts';

export type Measure = 'conversions' | 'value';

export function markOf(credit: Credit, measure: Measure): DotMark {
  return measure === 'value'
    ? { value: credit.value, outer: credit.value_interval, inner: credit.value_inner }
    : { value: credit.conversions, outer: credit.conversions_interval, inner: credit.conversions_inner };
}

export interface Reconciled {
  id: string;
  title: string;
  /** Over all channels. */
  sum: number;
  total: number;
  /** Beyond what adding rounded numbers explains. */
  off: number | null;
}

/** Every model shares out the same total; here each is added up again and held against it. */
export function reconcile(data: Attribution, measure: Measure): Reconciled[] {
  const total = data.totals[measure];
  return data.models.map(({ id, title }) => {
    const sum = data.channels.reduce((all, channel) => all + (channel.credits[id]?.[measure] ?? 0), 0);
    const off = sum - total;
    return { id, title, sum, total, off: Math.abs(off) > Math.max(1e-6 * Math.abs(total), 1e-6) ? off : null };
  });
}

/** Largest first, by the middle of the models' figures. */
export function ordered(data: Attribution, measure: Measure): ChannelCredit[] {
  const middle = (channel: ChannelCredit) => {
    const values = data.models.flatMap(({ id }) => channel.credits[id]?.[measure] ?? []).sort((a, b) => a - b);
    return values[Math.floor(values.length / 2)] ?? 0;
  };
  return [...data.channels].sort((a, b) => middle(b) - middle(a) || a.channel.localeCompare(b.channel));
}
