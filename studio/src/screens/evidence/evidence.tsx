import { useQuery } from '@tanstack/react-query';
import { createLazyRoute, Link, useNavigate } from '@tanstack/react-router';
import { evidenceQueries, type Ledger, type LedgerEntry, STANDINGS } from '../../api/evidence';
import { IntervalMark } from '../../charts';
import { StandingBadge, standingWhy, TierWords } from '../../evidence/parts';
import { designWords, inWords, scopeWords, sourceName, spread, STANDING_WORDS, writer } from '../../evidence/words';
import { count, dateOf, humanise, plural } from '../../format';
import { Button, Card, type Column, DataTable, EmptyState, Page, ProblemView, Select, Skeleton } from '../../ui';
import { ConflictsCard } from './conflicts';
import { type ActionGroup, axes, chosen, grouped, uses } from './ledger';
import type { EvidenceSearch } from './route';

export const Route = createLazyRoute('/app/evidence')({ component: EvidenceScreen });

function EvidenceScreen() {
  const { data, error, isPending, refetch } = useQuery(evidenceQueries.ledger());
  return (
    <Page
      title="Evidence"
      lead="Everything that was learned about effects, how it stands, and whether a decision may rest on it."
    >
      {error && <ProblemView problem={error} onRetry={() => void refetch()} />}
      {isPending && !error && <><Skeleton lines={[100]} height={120} /><Skeleton lines={[100]} height={360} /></>}
      {data && data.items.length === 0 && <Nothing />}
      {data && data.items.length > 0 && <Records ledger={data} />}
    </Page>
  );
}

function Nothing() {
  return (
    <div className="card">
      <EmptyState title="Nothing is recorded yet" action={<Link to="/">Go to the line</Link>}>
        <p>
          Every experiment and every study that a run reads leaves a record here. <code>throughline evidence record</code> adds an answer
          that was found by hand.
        </p>
      </EmptyState>
    </div>
  );
}

function Records({ ledger }: { ledger: Ledger }) {
  const search = Route.useSearch();
  const shown = chosen(ledger.items, search);
  const groups = grouped(shown);
  const axisOf = axes(shown);
  const hidden = chosen(ledger.items, { ...search, standing: 'all' }).length - shown.length;
  return (
    <>
      <ConflictsCard ledger={ledger} />
      <Filters items={ledger.items} search={search} />
      {groups.length === 0 && <p className="small">No record is like this. {hidden > 0 && `${plural(hidden, 'record')} stand otherwise.`}</p>}
      {groups.map((group) => <Group key={group.action} group={group} axisOf={axisOf} />)}
      {groups.length > 0 && search.standing === undefined && hidden > 0 && (
        <p className="small muted">
          {plural(hidden, 'record')} superseded, expired or retired {hidden === 1 ? 'is' : 'are'} left out.{' '}
          <Link to="/evidence" search={(all) => ({ ...all, standing: 'all' })}>Show all</Link>
        </p>
      )}
    </>
  );
}

/** No name in a list is a single asterisk. */
const ALL = '*';

function Filters({ items, search: { action, standing } }: { items: LedgerEntry[]; search: EvidenceSearch }) {
  const navigate = useNavigate();
  const change = (part: EvidenceSearch) => void navigate({ to: '/evidence', search: (all) => ({ ...all, ...part }), replace: true });
  const actions = [...new Set(items.map(({ record }) => record.scope.action))].sort();
  const many = (name: string) => items.filter((entry) => entry.standing === name).length;
  return (
    <div className="evidence-filters" role="search" aria-label="Evidence">
      <Select
        label="Action" value={action ?? ALL} onChange={(value) => change({ action: value === ALL ? undefined : value })}
        options={[{ value: ALL, label: 'All actions' }, ...actions.map((value) => ({ value, label: humanise(value) }))]}
      />
      <Select
        label="Standing" value={standing ?? ALL} onChange={(value) => change({ standing: value === ALL ? undefined : (value as EvidenceSearch['standing']) })}
        options={[
          { value: ALL, label: 'What counts or may count' }, { value: 'all', label: `All records · ${count(items.length)}` },
          ...STANDINGS.filter((name) => many(name) > 0 || name === standing).map((name) => ({ value: name, label: `${STANDING_WORDS[name].name} · ${count(many(name))}` })),
        ]}
      />
      {(action !== undefined || standing !== undefined) && (
        <Button look="quiet" onPress={() => change({ action: undefined, standing: undefined })}>Clear filters</Button>
      )}
    </div>
  );
}

function Group({ group: { action, entries }, axisOf }: { group: ActionGroup; axisOf: ReturnType<typeof axes> }) {
  const columns: Column<LedgerEntry>[] = [
    {
      id: 'metric', header: 'Effect on', accessorFn: ({ record }) => record.estimand.metric, meta: { rowHeader: true },
      cell: ({ row: { original: { record } } }) => (
        <span className="item-name">
          <Link to="/evidence/record" search={{ id: record.id }} className="wrap-anywhere" aria-label={`${humanise(record.estimand.metric)}, from ${sourceName(record)}, until ${dateOf(record.scope.period_end)}`}>
            {humanise(record.estimand.metric)}
          </Link>
          <span className="small muted wrap-anywhere">{sourceName(record)}, until {dateOf(record.scope.period_end)}</span>
          <span className="small muted wrap-anywhere">{scopeWords(record.scope)}</span>
        </span>
      ),
    },
    {
      id: 'effect', header: 'Effect', accessorFn: ({ record }) => record.estimate.value,
      cell: ({ row: { original } }) => {
        const { estimand: { contrast }, estimate } = original.record;
        return (
          <span className="effect-cell">
            <span><strong>{writer(contrast)(estimate.value)}</strong> <span className="muted small">{spread(estimate, writer(contrast))}</span></span>
            <IntervalMark value={estimate.value} set={estimate.set} axis={axisOf(original)} />
          </span>
        );
      },
    },
    {
      id: 'standing', header: 'Standing', enableSorting: false,
      cell: ({ row: { original } }) => (
        <span className="item-reason"><span><StandingBadge standing={original.standing} /></span><span className="small wrap-anywhere">{standingWhy(original)}</span></span>
      ),
    },
    {
      id: 'tier', header: 'How it was learned', enableSorting: false, meta: { label: 'Learned by' },
      cell: ({ row: { original: { record } } }) => <span className="item-reason"><span className="small">{designWords(record.design)}</span><TierWords tier={record.tier} short /></span>,
    },
    { id: 'expires', header: 'Expires', accessorFn: ({ record }) => record.expires_at ?? '9999', cell: ({ row: { original: { record } } }) => (record.expires_at ? dateOf(record.expires_at) : 'never') },
    { id: 'uses', header: 'Uses', accessorFn: uses, meta: { numeric: true }, cell: ({ row }) => count(uses(row.original)) },
  ];
  return (
    <Card title={humanise(action)} flush note={`${plural(entries.length, 'record')} about ${inWords(action)}, the best standing first. Marks of one metric share a scale.`}>
      <DataTable caption={`Evidence about ${humanise(action)}`} rows={entries} columns={columns} rowId={({ record }) => record.id} stacked />
    </Card>
  );
}
