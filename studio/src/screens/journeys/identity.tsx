import type { Identity, IdentityLink, IdentityMatch } from '../../api/types';
import { count, dateOf, decimal, humanise, percent } from '../../format';
import { Badge, Card, type Column, DataTable, Id, type Tone } from '../../ui';

const METHODS: Record<string, string> = {
  same_event: 'seen in the same event',
  probabilistic: 'compared and probable enough',
};

export const methodWords = (method: string) => METHODS[method] ?? humanise(method).toLowerCase();

const OUTCOMES: Record<string, { name: string; tone: Tone }> = {
  linked: { name: 'of one person', tone: 'good' },
  review: { name: 'to be looked at', tone: 'warn' },
  apart: { name: 'kept apart', tone: 'plain' },
};

export const outcomeWords = (outcome: string) => OUTCOMES[outcome] ?? { name: humanise(outcome).toLowerCase(), tone: 'plain' as Tone };

/** Near 0 and 1 a rounded share would claim certainty. */
export function chance(value: number): string {
  if (value > 0.9995 && value < 1) return 'above 99.9%';
  return value < 0.0005 && value > 0 ? 'below 0.1%' : percent(value, 1);
}

/** A pair of identifiers. They are dots for everyone who may not see them, so a pair is named by its place as well. */
const pair = ({ token, other_token }: { token: string; other_token: string }) => <span className="pair"><Id id={token} /> <Id id={other_token} /></span>;

const LINKS: Column<IdentityLink>[] = [
  { id: 'pair', header: 'Identifiers', enableSorting: false, meta: { rowHeader: true }, cell: ({ row }) => pair(row.original) },
  { id: 'method', header: 'How', accessorFn: ({ method }) => method, cell: ({ row }) => methodWords(row.original.method) },
  { accessorKey: 'source', header: 'Source' },
  { accessorKey: 'observations', header: 'Times seen', meta: { numeric: true }, cell: ({ row }) => count(row.original.observations) },
  { id: 'first', header: 'First', accessorFn: ({ first_seen_at }) => first_seen_at, cell: ({ row }) => dateOf(row.original.first_seen_at) },
];

const MATCHES: Column<IdentityMatch>[] = [
  { id: 'pair', header: 'Records', enableSorting: false, meta: { rowHeader: true }, cell: ({ row }) => pair(row.original) },
  { id: 'sources', header: 'Sources', accessorFn: ({ source, other_source }) => `${source}, ${other_source}` },
  { accessorKey: 'probability', header: 'Probability', meta: { numeric: true }, cell: ({ row }) => chance(row.original.probability) },
  { id: 'weight', header: 'Weight', accessorFn: ({ weight_bits }) => weight_bits, meta: { numeric: true }, cell: ({ row }) => `${decimal(row.original.weight_bits, 1)} bits` },
  {
    id: 'outcome', header: 'Outcome', accessorFn: ({ outcome }) => outcome,
    cell: ({ row: { original: { outcome, reason } } }) => {
      const { name, tone } = outcomeWords(outcome);
      return <span className="row"><Badge tone={tone}>{name}</Badge> <span className="small muted">{reason}</span></span>;
    },
  },
];

const numbered = <T,>(rows: T[]) => {
  const at = new Map(rows.map((row, index) => [row, String(index)]));
  return (row: T) => at.get(row) ?? '';
};

/** Why touches and conversion are taken to be of one person. */
export function IdentityCard({ identity: { links, matches } }: { identity: Identity }) {
  return (
    <Card title="Identity" note="Why these touches and this conversion are taken to be of one person. A wrong link gives the conversion to somebody else’s touches.">
      <div className="stack">
        {links.length + matches.length === 0 && <p className="small">Nothing had to be linked: everything carries the same identifier.</p>}
        {links.length > 0 && (
          <section className="stack-s">
            <h3>Links that events showed</h3>
            <DataTable caption="Links that events showed" rows={links} columns={LINKS} rowId={numbered(links)} stacked />
          </section>
        )}
        {matches.length > 0 && (
          <section className="stack-s">
            <h3>Records that were compared</h3>
            <DataTable caption="Records that were compared" rows={matches} columns={MATCHES} rowId={numbered(matches)} stacked />
          </section>
        )}
      </div>
    </Card>
  );
}
