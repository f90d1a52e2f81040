import type { DecisionRow, Score } from '../../api/types';
import { Bars } from '../../charts';
import { effect, humanise, money, percent } from '../../format';
import { Badge, type Column, DataTable } from '../../ui';
import { actionName, keptOut, netInterval, noteText, parsed } from './words';

export interface Candidate {
  action: string;
  chosen: boolean;
  /** Null when nothing was written down about it. */
  allowed: boolean | null;
  why: string;
  net: number | null;
  effect: number | null;
  /** The outcome expected without it. */
  base: number | null;
  probability: number | null;
}

/** Every action that any part of the decision mentions, best first, then those without an expected value. */
export function candidates(decision: DecisionRow, scores: Score[]): Candidate[] {
  const allowed = parsed(decision.eligibility) ?? {};
  const top = decision.top_n ?? {};
  const odds = decision.action_probabilities ?? {};
  const byArm = new Map(scores.map((score) => [score.arm, score]));
  const names = new Set([...Object.keys(top), decision.action, ...Object.keys(allowed), ...Object.keys(odds), ...byArm.keys()]);
  const all = [...names].map((action): Candidate => ({
    action,
    chosen: action === decision.action,
    allowed: typeof allowed[action] === 'boolean' ? allowed[action] : null,
    why: keptOut(decision.rationale, action),
    net: top[action] ?? null,
    effect: byArm.get(action)?.effect ?? null,
    base: byArm.get(action)?.base ?? null,
    probability: odds[action] ?? null,
  }));
  return all.sort((a, b) => (b.net ?? -Infinity) - (a.net ?? -Infinity));
}

function Allowed({ candidate: { allowed, why } }: { candidate: Candidate }) {
  if (allowed === null) return <span className="muted">not written down</span>;
  return (
    <span className="row">
      <Badge tone={allowed ? 'good' : 'bad'}>{allowed ? 'allowed' : 'kept out'}</Badge>
      {why && <span className="small muted">{why}</span>}
    </span>
  );
}

const columns = (currency: string): Column<Candidate>[] => [
  {
    accessorKey: 'action', header: 'Action', enableSorting: false, meta: { rowHeader: true },
    cell: ({ row: { original: item } }) => (
      <span className="row action-cell">{actionName(item.action)}{item.chosen && <Badge tone="accent">decided</Badge>}</span>
    ),
  },
  { id: 'allowed', header: 'Rules', enableSorting: false, cell: ({ row }) => <Allowed candidate={row.original} /> },
  {
    accessorKey: 'effect', header: 'Predicted effect', enableSorting: false, meta: { numeric: true },
    cell: ({ row: { original: item } }) => (
      <span>{effect(item.effect)}{item.base !== null && <span className="small muted"> on {effect(item.base)}</span>}</span>
    ),
  },
  {
    accessorKey: 'net', header: 'Expected net value', enableSorting: false, meta: { numeric: true, label: 'Net value' },
    cell: ({ row }) => money(row.original.net, currency),
  },
  {
    accessorKey: 'probability', header: 'Probability', enableSorting: false, meta: { numeric: true },
    cell: ({ row }) => percent(row.original.probability, 1),
  },
];

/** What could have been done instead: as bars, and with everything known of each. */
export function Candidates({ decision, scores }: { decision: DecisionRow; scores: Score[] }) {
  const all = candidates(decision, scores);
  const ranked = all.filter(({ net }) => net !== null);
  const { currency } = decision;
  const interval = netInterval(decision);
  return (
    <div className="stack">
      {ranked.length === 0 && <p className="small muted">No action had an expected value to compare.</p>}
      {ranked.length > 0 && (
        <>
          <Bars
            caption="Expected net value by action" file={`candidates-${decision.entity_id}`} rowTitle="Action"
            series={[{ id: 'net', title: `Expected net value (${currency})` }]}
            format={(value) => money(value, currency)}
            rows={ranked.map(({ action, chosen, net }) => ({
              id: action, name: `${actionName(action)}${chosen ? ' (decided)' : ''}`,
              parts: [{ series: 'net', value: net ?? 0 }], interval: chosen ? interval : null,
            }))}
          />
          <p className="small muted">
            {interval
              ? 'The interval is kept for the decided action only.'
              : `${humanise(noteText(decision.interval_note))}. None is kept for the other actions.`}
          </p>
        </>
      )}
      <DataTable caption="Candidates" rows={all} columns={columns(currency)} rowId={(row) => row.action} stacked />
      <p className="small muted">
        Probability is that of the final rule, exploration included. The predicted effect is what the action adds to the outcome
        expected without it; net value takes its margin and takes off its cost.
      </p>
    </div>
  );
}
