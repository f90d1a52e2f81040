import { fields, list, number, text, type Truth } from '../../api/truth';
import type { Interval } from '../../api/types';
import type { DotMark, DotRow } from '../../charts';

/** The series of what is true, beside those of the models. */
export const CAUSED = 'caused';

interface Credit {
  model: string;
  channel: string;
  credited: number;
  interval: Interval | null;
  /** Whether the market has the channel at all. */
  known: boolean;
}

export interface Credits {
  models: string[];
  /** Of the models' intervals; null where no model promises any. */
  level: number | null;
  credits: Credit[];
}

/** What every model credits to every channel, from behind the score of attribution. */
export function creditsOf({ parts }: Truth): Credits {
  const part = parts.find(({ part }) => part === 'attribution');
  const credits = (part?.details ?? []).flatMap((detail): Credit[] => {
    const { model, channel, credited, interval, known_to_the_market } = fields(detail);
    const value = number(credited);
    const [low, high] = list(interval).map(number);
    if (value === null) return [];
    return [{
      model: text(model), channel: text(channel), credited: value,
      interval: typeof low === 'number' && typeof high === 'number' ? [low, high] : null,
      known: known_to_the_market !== false,
    }];
  });
  return {
    models: [...new Set(credits.map(({ model }) => model))],
    level: part?.rows.find(({ coverage }) => coverage)?.coverage?.nominal ?? null,
    credits,
  };
}

/** A channel with a mark for what it caused and one for each model's credit. */
export type CreditRow = Pick<DotRow, 'marks'> & { channel: string; caused: number; cost: number | null; known: boolean };

/** The channels of the market, by what they caused, and then those that it does not have. */
export function creditRows({ channels }: Truth, { credits }: Credits): CreditRow[] {
  const unknown = new Set(credits.filter(({ known }) => !known).map(({ channel }) => channel));
  const all = [
    ...[...channels].sort((a, b) => b.true_conversions - a.true_conversions)
      .map(({ channel, true_conversions, cost }) => ({ channel, caused: true_conversions, cost, known: true })),
    ...[...unknown].map((channel) => ({ channel, caused: 0, cost: null, known: false })),
  ];
  return all.map((row) => {
    const own = credits.filter(({ channel }) => channel === row.channel);
    const marks: Record<string, DotMark> = {
      [CAUSED]: { value: row.caused, outer: null, inner: null, note: row.known ? 'known, without an interval' : 'the market has no such channel' },
    };
    for (const { model, credited, interval } of own) marks[model] = { value: credited, outer: interval, inner: null };
    return { ...row, marks };
  });
}
