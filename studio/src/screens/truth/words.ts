import type { Measure } from '../../api/truth';
import { count, decimal, effect, humanise, money, percent } from '../../format';

const PARTS: Record<string, string> = { roi: 'Return on spend', loop: 'Closed loop' };
const MEASURES: Record<string, string> = { b_cubed_f1: 'B-cubed F1', pehe: 'PEHE', pehe_of_mean: 'PEHE of mean' };
const ONE: Record<string, string> = { days: 'day', mails: 'mail', people: 'person' };

export const partName = (part: string) => PARTS[part] ?? humanise(part);
export const measureName = (measure: string) => MEASURES[measure] ?? humanise(measure);

interface Unit {
  write: (value: number) => string;
  /** What follows the number. */
  after: (value: number) => string;
}

const nothing = () => '';
/** Scores between 0 and 1 are compared to the third digit; expected counts are larger. */
const plain = (value: number) => decimal(value, Math.abs(value) < 10 ? 3 : 1);

function unitOf({ unit, coverage }: Measure): Unit {
  if (coverage || unit === 'share') return { write: (value) => percent(value, 1), after: nothing };
  if (unit === '') return { write: plain, after: nothing };
  const [, whole] = /^share of (.+)$/.exec(unit) ?? [];
  if (whole) return { write: (value) => percent(value, 1), after: () => ` of ${whole}` };
  const [, currency, per] = /^([A-Z]{3})( per [A-Z]{3})?$/.exec(unit) ?? [];
  if (currency) return { write: (value) => money(value, currency), after: () => per ?? '' };
  return {
    write: (value) => (Number.isInteger(value) ? count(value) : effect(value)),
    after: (value) => ` ${value === 1 ? (ONE[unit] ?? unit) : unit}`,
  };
}

/** A value with its unit; null where there is none, and the note says why. */
export function figure(row: Measure): string | null {
  if (row.value === null) return null;
  const { write, after } = unitOf(row);
  return write(row.value) + after(row.value);
}

/** The interval that the run gave, or how many intervals hold the truth; null for measures that have neither. */
export function spread(row: Measure): string | null {
  const { interval, coverage } = row;
  if (coverage) {
    const { covered, total, nominal } = coverage;
    return `${count(covered)} of ${count(total)} ${total === 1 ? 'interval holds' : 'intervals hold'} the truth, promised ${percent(nominal)}`;
  }
  if (!interval) return null;
  const { write } = unitOf(row);
  const [low, high] = interval;
  return `${low === null ? 'no lower limit' : write(low)} to ${high === null ? 'no upper limit' : write(high)}`;
}

/** A note may be a name alone: that of a channel, or of an action. */
export function noteText(note: string): string {
  if (note === 'none') return 'No action';
  return /^[a-z_]+$/.test(note) ? humanise(note) : note;
}

/** `a run` reads as "A run". */
export const sentence = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
