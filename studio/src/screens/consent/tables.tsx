import type { Consent, ConsentConflict, ForbiddenLink, Removed, SourceConsent, SourcePurpose } from '../../api/types';
import { count, humanise, percent } from '../../format';
import { Card, type Column, DataTable } from '../../ui';
import { share } from './figures';

type Documented = SourcePurpose & { source: string; known: number };

const figure = <T,>(id: string, header: string, of: (row: T) => number): Column<T> =>
  ({ id, header, accessorFn: of, meta: { numeric: true }, cell: ({ row }) => count(of(row.original)) });

const DOCUMENTED: Column<Documented>[] = [
  { id: 'source', header: 'Source', accessorFn: ({ source }) => source, meta: { rowHeader: true } },
  { id: 'purpose', header: 'Purpose', accessorFn: ({ purpose }) => humanise(purpose) },
  figure('people', 'People', ({ known }) => known),
  figure('granted', 'Granted', ({ people }) => people.granted),
  figure('denied', 'Denied', ({ people }) => people.denied),
  figure('unknown', 'Nothing said', ({ people }) => people.unknown),
  { id: 'share', header: 'Share granted', accessorFn: ({ granted }) => granted.value ?? -1, meta: { numeric: true }, cell: ({ row }) => share(row.original.granted) },
  { id: 'coverage', header: 'Coverage', accessorFn: ({ coverage }) => coverage.value ?? -1, meta: { numeric: true }, cell: ({ row }) => percent(row.original.coverage.value, 1) },
  figure('events', 'Events granted', ({ events }) => events.granted),
];

export function DocumentedCard({ sources }: { sources: SourceConsent[] }) {
  const rows = sources.flatMap(({ source, people, purposes }) => purposes.map((purpose) => ({ ...purpose, source, known: people })));
  return (
    <Card
      title="What each source documents" flush
      note="People of each source by what it last said of them. Coverage is the share of whom it says anything; events are counted by the consent they came with."
    >
      <DataTable caption="Documented consent by source and purpose" rows={rows} columns={DOCUMENTED} rowId={({ source, purpose }) => `${source}/${purpose}`} stacked />
    </Card>
  );
}

const CONFLICTS: Column<ConsentConflict>[] = [
  { id: 'purpose', header: 'Purpose', accessorFn: ({ purpose }) => humanise(purpose), meta: { rowHeader: true } },
  { id: 'granted_by', header: 'Last granted by', accessorFn: ({ granted_by }) => granted_by },
  { id: 'denied_by', header: 'Last denied by, wins', accessorFn: ({ denied_by }) => denied_by },
  figure('people', 'People', ({ people }) => people),
  figure('later', 'Grant is later', ({ grant_is_later }) => grant_is_later),
];

export function ConflictsCard({ conflicts }: Pick<Consent, 'conflicts'>) {
  return (
    <Card
      title="Contradictions" flush={conflicts.length > 0}
      note="People of whom one source says yes and another no. Across sources a denial outranks, also an older one."
    >
      {conflicts.length > 0
        ? <DataTable caption="Contradictions between sources" rows={conflicts} columns={CONFLICTS} rowId={(row) => `${row.purpose}/${row.granted_by}/${row.denied_by}`} stacked />
        : <p className="small">No two sources contradict each other.</p>}
    </Card>
  );
}

const FORBIDDEN: Column<ForbiddenLink>[] = [
  { id: 'sources', header: 'Sources', accessorFn: ({ sources }) => (sources.length === 1 ? `${sources[0]} with any other` : sources.join(' with ')), meta: { rowHeader: true } },
  { id: 'by', header: 'Forbidden by', accessorFn: ({ forbidden_by }) => forbidden_by.map(humanise).join(', ') },
];

export function LinkingCard({ linking }: Pick<Consent, 'linking'>) {
  return (
    <Card
      title="What may not be linked" flush={linking.length > 0}
      note="People are one graph for every purpose, so what one purpose forbids is linked for none."
    >
      {linking.length > 0
        ? <DataTable caption="Links that are forbidden" rows={linking} columns={FORBIDDEN} rowId={({ sources }) => sources.join('/')} stacked />
        : <p className="small">Nothing is forbidden.</p>}
    </Card>
  );
}

const REMOVED: Column<Removed>[] = [
  { id: 'stage', header: 'Stage', accessorFn: ({ stage, unit }) => (unit ? `${humanise(stage)}: ${unit}` : humanise(stage)), meta: { rowHeader: true } },
  { id: 'what', header: 'What', accessorFn: ({ what }) => what },
  { id: 'purpose', header: 'Purpose', accessorFn: ({ purpose }) => humanise(purpose) },
  figure('considered', 'Considered', ({ considered }) => considered),
  figure('unknown', 'Nothing said', ({ unknown }) => unknown),
  figure('denied', 'Denied', ({ denied }) => denied),
  figure('withdrawn', 'Withdrawn', ({ withdrawn }) => withdrawn),
];

export function RemovedCard({ removed }: Pick<Consent, 'removed'>) {
  return (
    <Card
      title="What consent removed" flush={removed.length > 0}
      note="Rows that each stage left out for want of consent, as of its last run. Withdrawn: it came with a grant, but the person denied it elsewhere or later."
    >
      {removed.length > 0
        ? <DataTable caption="Rows that consent removed, by stage" rows={removed} columns={REMOVED} rowId={(row) => `${row.stage}/${row.unit ?? ''}/${row.what}/${row.purpose}`} stacked />
        : <p className="small">No stage has run yet.</p>}
    </Card>
  );
}
