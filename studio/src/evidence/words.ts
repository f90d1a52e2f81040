/** Effects, designs and standings in words, for the screens about experiments and about the ledger. */
import type { Comparison, Experiment, LedgerRecord, StandingName } from '../api/evidence';
import type { Estimate } from '../api/types';
import type { DotMark } from '../charts';
import { decimal, effect, exact, humanise, percent, setText } from '../format';
import type { Tone } from '../ui';

export type Contrast = LedgerRecord['estimand']['contrast'];

const present = (value: number | null | undefined): value is number => typeof value === 'number' && Number.isFinite(value);

/** How an effect is written: a difference per person, or a share of the control's mean. */
export const writer = (contrast: Contrast) => (contrast === 'relative' ? (value: number) => percent(value, 1) : (value: number) => (value === 0 ? '0' : effect(value)));

export const pText = (p: number | null | undefined): string => (!present(p) ? 'no p-value' : p < 0.001 ? 'p < 0.001' : `p = ${decimal(p, 3)}`);

/** A set in words; an empty one says that every effect is excluded. */
export function spread({ set, level }: Estimate, format: (x: number) => string): string {
  return set.length === 0 ? `an empty ${percent(level)} set: no effect fits the data` : `${setText(set, format)} (${percent(level)})`;
}

export const markOf = (estimate: Estimate): DotMark =>
  ({ value: estimate.value, outer: null, inner: null, set: estimate.set, note: 'an empty set: no effect fits the data' });

/** On which side of zero a whole set lies; null when zero is in it or between its pieces. */
export function side({ set }: Estimate): 1 | -1 | null {
  if (set.length === 0) return null;
  if (set.every(([low]) => present(low) && low > 0)) return 1;
  return set.every(([, high]) => present(high) && high < 0) ? -1 : null;
}

export interface Verdict {
  word: 'positive' | 'harmful' | 'hold' | 'not to be used' | 'no result';
  tone: Tone;
  text: string;
}

const VERDICTS: Record<Verdict['word'], Tone> = { positive: 'good', harmful: 'bad', hold: 'plain', 'not to be used': 'bad', 'no result': 'warn' };

const verdict = (word: Verdict['word'], text: string): Verdict => ({ word, tone: VERDICTS[word], text });

/** A metric within a sentence. */
export const inWords = (name: string) => humanise(name).toLowerCase();

/** What to take from a comparison, in one sentence. */
export function verdictOf(comparison: Comparison, suspect: boolean, compared: number): Verdict {
  const { estimate, estimate_absent: absent, adjusted_p_value: adjusted, significant } = comparison;
  const metric = inWords(comparison.metric);
  if (suspect) return verdict('not to be used', `Nothing about ${metric}: a check failed, so a difference may come from how people were assigned or measured.`);
  if (!estimate) return verdict('no result', `Nothing about ${metric}: ${absent ?? 'there is no estimate'}.`);
  const where = side(estimate);
  const ends = estimate.set.flat();
  if (where === null) {
    if (estimate.set.length === 0) return verdict('hold', `Says nothing about ${metric}: no effect fits the data.`);
    const open = ends.some((end) => !present(end));
    const range = ends.every((end) => !present(end)) ? 'at all' : `${open || estimate.set.length > 1 ? 'in' : 'from'} ${setText(estimate.set, writer('absolute'))} per person`;
    return verdict('hold', `The effect on ${metric} could be anything ${range}.`);
  }
  const sizes = where > 0 ? estimate.set : [...estimate.set].reverse().map(([low, high]): [number | null, number | null] => [turned(high), turned(low)]);
  const size = setText(sizes, effect);
  const does = where > 0 ? 'Raises' : 'Lowers';
  if (!significant && compared > 1) {
    return verdict('hold', `${does} ${metric} by ${size} per person when looked at alone, but among ${compared} comparisons that may be chance (${adjusted === null ? '' : 'adjusted '}${pText(adjusted ?? estimate.p_value)}).`);
  }
  const better = (where > 0) !== (comparison.lower_is_better ?? false);
  return verdict(better ? 'positive' : 'harmful', `${does} ${metric} by ${size} per person${ends.every(present) ? '' : ' as far as the data tell'}.`);
}

const turned = (end: number | null) => (end === null ? null : -end);

export const isSuspect = ({ reading }: Experiment) => reading.health !== 'healthy';

/** The reasons why an experiment's differences must not be used. */
export function reasons({ reading: { srm, diagnostics } }: Experiment): string[] {
  const told = diagnostics.filter(({ severity }) => severity === 'error').map(({ message }) => sentence(message));
  if (told.length > 0) return told;
  return srm.alarm ? ['The arms do not have the sizes that the plan promised.'] : ['A check of its design failed.'];
}

/** With a capital and a full stop; what a server says has neither. */
export const sentence = (text: string) => {
  const trimmed = text.trim();
  return trimmed === '' ? '' : `${trimmed.charAt(0).toUpperCase()}${trimmed.slice(1)}${/[.!?]$/.test(trimmed) ? '' : '.'}`;
};

const DESIGNS: Record<string, string> = {
  randomised_experiment: 'People assigned to arms at random',
  geo_experiment: 'Regions against a weighted mean of other regions',
  switchback: 'Switched between arms at random over time',
  difference_in_differences: 'Change over time against that of untreated units',
  synthetic_control: 'A treated unit against a weighted mean of untreated ones',
  synthetic_difference_in_differences: 'Weighted change over time against untreated units',
  interrupted_time_series: 'One series against what it would have been',
  instrumental_variable: 'A cause moved by something that moves nothing else',
  regression_discontinuity: 'Either side of a threshold',
  adjustment: 'Adjusted for what was observed',
};

export const designWords = (design: string) => DESIGNS[design] ?? humanise(design);

/** Their assumptions are kept by how people were assigned, so nobody has to answer for them. */
export const randomised = (design: string) => design === 'randomised_experiment' || design === 'switchback';

export const TIER_WORDS: Record<string, string> = {
  randomised: 'rests on the assignment, which checks look after',
  quasi_experiment: 'rests on assumptions that data can contradict but not prove',
  modelled: 'rests on nothing important being unobserved',
  associational: 'says who was there, not what caused it',
};

export const STANDING_WORDS: Record<StandingName, { name: string; tone: Tone; why: string }> = {
  standing: { name: 'Standing', tone: 'good', why: 'Decisions may rest on it.' },
  unapproved: { name: 'Not approved', tone: 'warn', why: 'Nobody answers for its assumptions yet, so no decision rests on it.' },
  suspect: { name: 'Suspect', tone: 'bad', why: 'A check of its design failed, so no decision rests on it.' },
  not_yet: { name: 'Not yet', tone: 'plain', why: 'It was observed later than the moment it is judged at.' },
  superseded: { name: 'Superseded', tone: 'plain', why: 'A later record of the same source answers the same question.' },
  expired: { name: 'Expired', tone: 'plain', why: 'It is too old to be used.' },
  retired: { name: 'Retired', tone: 'plain', why: 'Somebody took it out of use, for good.' },
};

/** Its source by name; older records carry it in their id. */
export const sourceName = ({ source, id }: LedgerRecord) => source?.name ?? id.split('/')[0] ?? id;

/** Whom it is about. */
export function scopeWords({ segment, geo }: LedgerRecord['scope']): string {
  return [segment ? `segment ${segment}` : 'everybody', geo ? `in ${geo}` : 'everywhere'].join(', ');
}

/** A number of any size, as it was found. */
export const anyNumber = (value: number) => (Number.isInteger(value) ? exact(value) : effect(value));
