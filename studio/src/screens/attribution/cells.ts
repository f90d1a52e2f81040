import type { Attribution, CreditCell, CreditCells } from '../../api/types';
import type { DotMark, PathLine, Twin } from '../../charts';
import { humanise, monthOf } from '../../format';
import { type Measure, markOf, type Shared } from './figures';

interface DimensionWords {
  /** On the switch. */
  label: string;
  /** What one item is. */
  item: string;
  /** Items are moments. */
  time?: boolean;
}

const WORDS: Record<string, DimensionWords> = {
  campaign: { label: 'Campaign', item: 'Campaign of the touch' },
  geo: { label: 'Place', item: 'Place of the conversion' },
  device: { label: 'Device', item: 'Device of the conversion' },
  cohort: { label: 'Cohort', item: 'Month the person was first seen', time: true },
  day: { label: 'Day', item: 'Day of the conversion (UTC)', time: true },
  month: { label: 'Month', item: 'Month of the conversion (UTC)', time: true },
};

const SEGMENT = 'segment:';

/** What credit is broken down by, in words. */
export function dimensionWords(dimension: string): DimensionWords {
  const known = WORDS[dimension];
  if (known) return known;
  if (!dimension.startsWith(SEGMENT)) return { label: humanise(dimension), item: humanise(dimension) };
  const name = dimension.slice(SEGMENT.length);
  return { label: `Segment: ${name}`, item: `Segment “${name}” of the person when the journey ended` };
}

/** In the middle of a sentence; a segment keeps its name as it is written. */
export const inSentence = (dimension: string) => dimensionWords(dimension).label.replace(/^./, (first) => first.toLowerCase());

/**
 * What credit can be broken down by: in the usual order, then segments. Until the server has told it, what every project has and the
 * segments that there are.
 */
export function dimensionsOf(told: string[] | undefined, segments: string[], chosen: string): string[] {
  const usual = Object.keys(WORDS);
  const all = told ?? [...usual, ...segments.map((segment) => SEGMENT + segment.slice(0, segment.indexOf('=')))];
  const place = (dimension: string) => (usual.includes(dimension) ? usual.indexOf(dimension) : usual.length);
  return [...new Set([...all, chosen])].sort((a, b) => place(a) - place(b) || a.localeCompare(b));
}

/** An item in words; some journeys have none. */
export function itemText(dimension: string, item: string): string {
  if (item === '') return 'not known';
  return /^\d{4}-\d{2}$/.test(item) && (dimension === 'month' || dimension === 'cohort') ? monthOf(Date.parse(item)) : item;
}

/** What the cells that were asked for have to add up to; null where nothing else says. */
export function expected({ channels }: Attribution, { model }: CreditCells, channel: string | undefined, item: string | undefined, of: Shared): number | null {
  if (item !== undefined) return null;
  const asked = channels.filter((each) => channel === undefined || each.channel === channel);
  if (!asked.some(({ credits }) => credits[model])) return null;
  return asked.reduce((sum, { credits }) => sum + (credits[model]?.[of] ?? 0), 0);
}

/** Lines drawn at once; more with their bands cannot be told apart. */
const MOST_LINES = 3;

/** A line for each of the channels with most credit. Where every cell is known, a day without one has no credit. */
export function linesOf({ cells, total, items }: CreditCells, of: Shared): { xs: number[]; lines: PathLine[]; others: number } {
  const dated = items.filter((item) => !Number.isNaN(Date.parse(item))).sort();
  const sums = new Map<string, number>();
  const known = new Map<string, CreditCell>();
  for (const cell of cells) {
    sums.set(cell.channel, (sums.get(cell.channel) ?? 0) + cell.credit[of]);
    known.set(`${cell.channel}\n${cell.item}`, cell);
  }
  const all = [...sums].sort(([a, x], [b, y]) => y - x || a.localeCompare(b)).map(([channel]) => channel);
  const none = total === cells.length ? 0 : null;
  const lines = all.slice(0, MOST_LINES).map((channel): PathLine => {
    const at = dated.map((item) => known.get(`${channel}\n${item}`)?.credit);
    return {
      id: channel, title: humanise(channel), values: at.map((credit) => credit?.[of] ?? none),
      band: { low: at.map((credit) => credit?.[`${of}_interval`][0] ?? null), high: at.map((credit) => credit?.[`${of}_interval`][1] ?? null) },
    };
  });
  return { xs: dated.map((item) => Date.parse(item)), lines, others: Math.max(all.length - MOST_LINES, 0) };
}

/** Rows of a chart, a mark for each channel, the items with most credit first. */
export function dotsOf({ cells }: CreditCells, measure: Measure, of: Shared, most: number): { rows: { item: string; marks: Record<string, DotMark> }[]; channels: string[]; more: number } {
  const items = new Map<string, CreditCell[]>();
  for (const cell of cells) items.set(cell.item, [...(items.get(cell.item) ?? []), cell]);
  const sum = (some: CreditCell[]) => some.reduce((all, { credit }) => all + credit[of], 0);
  const ordered = [...items].sort(([a, x], [b, y]) => sum(y) - sum(x) || a.localeCompare(b));
  const rows = ordered.slice(0, most).map(([item, some]) => ({
    item,
    marks: Object.fromEntries(some.flatMap(({ channel, credit }) => {
      const mark = markOf(credit, measure);
      return typeof mark === 'string' ? [] : [[channel, mark]];
    })),
  }));
  return { rows, channels: [...new Set(cells.map(({ channel }) => channel))].sort(), more: Math.max(ordered.length - most, 0) };
}

/** Every number of the cells, as they are. */
export function cellTwin({ dimension, cells }: CreditCells): Twin {
  const { label } = dimensionWords(dimension);
  const ends = ['Conversions', 'Value', 'Share', 'Cost per conversion', 'Return on spend'];
  return {
    caption: `Credit by ${inSentence(dimension)} and channel`,
    columns: [{ title: label }, { title: 'Channel' }, { title: 'Spend' }, ...ends.flatMap((title) => [{ title }, { title: `${title}, low` }, { title: `${title}, high` }])],
    rows: cells.map(({ item, channel, spend, credit: { conversions, conversions_interval, value, value_interval, share, share_interval, cpa, roas } }) => [
      item, channel, spend, conversions, ...conversions_interval, value, ...value_interval, share, ...(share_interval ?? [null, null]),
      cpa.value, ...(cpa.interval ?? [null, null]), roas.value, ...(roas.interval ?? [null, null]),
    ]),
  };
}
