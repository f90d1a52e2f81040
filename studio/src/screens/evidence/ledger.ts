import { type Conflict, type Ledger, type LedgerEntry, STANDINGS } from '../../api/evidence';
import { linearAxis } from '../../charts/scale';
import { sourceName } from '../../evidence/words';
import { tierNumber } from '../../ui';
import type { EvidenceSearch } from './route';

/** What counts, or may come to count without a new record. */
const LIVE = new Set(['standing', 'unapproved', 'suspect', 'not_yet']);

export interface ActionGroup {
  action: string;
  entries: LedgerEntry[];
}

const rank = ({ standing }: LedgerEntry) => STANDINGS.indexOf(standing);
const tier = ({ record }: LedgerEntry) => tierNumber(record.tier) ?? -1;

/** The best standing first, then the highest tier, then the latest period. */
function better(a: LedgerEntry, b: LedgerEntry): number {
  return rank(a) - rank(b) || tier(b) - tier(a) || Date.parse(b.record.scope.period_end) - Date.parse(a.record.scope.period_end)
    || a.record.id.localeCompare(b.record.id);
}

export function chosen(items: LedgerEntry[], { action, standing }: EvidenceSearch): LedgerEntry[] {
  const kept = (entry: LedgerEntry) => (standing === undefined ? LIVE.has(entry.standing) : standing === 'all' || entry.standing === standing);
  return items.filter((entry) => kept(entry) && (action === undefined || entry.record.scope.action === action));
}

/** Records by action, in the order in which one would ask them. */
export function grouped(items: LedgerEntry[]): ActionGroup[] {
  const groups = new Map<string, LedgerEntry[]>();
  for (const entry of items) groups.set(entry.record.scope.action, [...(groups.get(entry.record.scope.action) ?? []), entry]);
  return [...groups].map(([action, entries]) => ({ action, entries: entries.sort(better) }))
    .sort((a, b) => better(a.entries[0]!, b.entries[0]!) || a.action.localeCompare(b.action));
}

/** Only effects on the same metric, told in the same way, share a scale. */
const scaleOf = ({ record: { estimand } }: LedgerEntry) => `${estimand.metric}/${estimand.contrast}`;

export function axes(items: LedgerEntry[]): (entry: LedgerEntry) => ReturnType<typeof linearAxis> {
  const values = new Map<string, number[]>();
  for (const entry of items) {
    const ends = entry.record.estimate.set.flat().filter((end): end is number => end !== null);
    values.set(scaleOf(entry), [...(values.get(scaleOf(entry)) ?? []), entry.record.estimate.value, ...ends]);
  }
  const made = new Map([...values].map(([key, all]) => [key, linearAxis(all, 3)]));
  return (entry) => made.get(scaleOf(entry)) ?? linearAxis([]);
}

/** Conflicts with both of their records. */
export function contradictions({ items, conflicts }: Ledger): { conflict: Conflict; first: LedgerEntry; second: LedgerEntry }[] {
  const known = new Map(items.map((entry) => [entry.record.id, entry]));
  return conflicts.flatMap((conflict) => {
    const [first, second] = [known.get(conflict.first), known.get(conflict.second)];
    return first && second ? [{ conflict, first, second }] : [];
  });
}

export const uses = ({ notes }: LedgerEntry) => notes.filter(({ kind }) => kind === 'used').length;

/** What tells a record from others of its source. */
export const titleOf = (entry: LedgerEntry) => `${sourceName(entry.record)}, ${entry.record.estimand.metric}`;
