import { useQuery } from '@tanstack/react-query';
import { createLazyRoute, Link } from '@tanstack/react-router';
import { type Experiment, evidenceQueries, type Experiments, type LedgerEntry, type Study } from '../../api/evidence';
import { Findings, HealthBadge, StandingBadge } from '../../evidence/parts';
import { isSuspect, reasons, spread, type Verdict, verdictOf, writer } from '../../evidence/words';
import { count, NONE, plural } from '../../format';
import { useMay } from '../../session';
import { Badge, Card, type Column, DataTable, EmptyState, EvidenceTier, Page, ProblemView, Skeleton, Time } from '../../ui';

export const Route = createLazyRoute('/app/experiments')({ component: ExperimentsScreen });

function ExperimentsScreen() {
  const { data, error, isPending, refetch } = useQuery(evidenceQueries.experiments());
  const empty = data && data.experiments.length === 0 && data.studies.length === 0;
  return (
    <Page
      title="Experiments"
      lead={data?.published_at
        ? <>What was tried and what it did, as the run read it <Time at={data.published_at} />. Those whose checks failed come first.</>
        : 'What was tried, whether it can be trusted, and what it did.'}
    >
      {error && <ProblemView problem={error} onRetry={() => void refetch()} />}
      {isPending && !error && <Skeleton lines={[100]} height={300} />}
      {empty && <Nothing read={data.published_at !== null} />}
      {data && data.experiments.length > 0 && <ExperimentTable experiments={data.experiments} />}
      {data && data.studies.length > 0 && <Studies studies={data.studies} />}
    </Page>
  );
}

function Nothing({ read }: { read: boolean }) {
  return (
    <div className="card">
      <EmptyState title={read ? 'The project declares no experiment' : 'No experiment was read yet'} action={<Link to="/">Go to the line</Link>}>
        <p>
          Experiments stand in <code>experiments/</code> and studies of what was not assigned at random in <code>studies/</code>. Every run
          reads them and keeps what they say as evidence.
        </p>
      </EmptyState>
    </div>
  );
}

/** How many comparisons say what, the word that asks for something to be done first. */
function tally(experiment: Experiment): { word: Verdict['word']; tone: Verdict['tone']; times: number }[] {
  const { comparisons } = experiment.reading;
  const all = comparisons.map((each) => verdictOf(each, isSuspect(experiment), comparisons.length));
  return (['harmful', 'positive', 'hold', 'no result'] as const).flatMap((word) => {
    const said = all.filter((each) => each.word === word);
    return said[0] ? [{ word, tone: said[0].tone, times: said.length }] : [];
  });
}

const units = ({ reading }: Experiment) => reading.arms.reduce((sum, arm) => sum + arm.units, 0);

const COLUMNS: Column<Experiment>[] = [
  {
    id: 'name', header: 'Experiment', accessorFn: ({ name }) => name, meta: { rowHeader: true },
    cell: ({ row: { original: { name, file } } }) => (
      <span className="item-name">
        <Link to="/experiments/$name" params={{ name }} className="wrap-anywhere">{name}</Link>
        <span className="mono small muted wrap-anywhere">{file}</span>
      </span>
    ),
  },
  {
    id: 'health', header: 'Health', accessorFn: (experiment) => (isSuspect(experiment) ? 0 : 1), sortDescFirst: false,
    cell: ({ row: { original } }) => (
      <span className="item-reason">
        <span><HealthBadge health={original.reading.health} /></span>
        {isSuspect(original) && <span className="small">{reasons(original)[0]}</span>}
      </span>
    ),
  },
  { id: 'units', header: 'People', accessorFn: units, meta: { numeric: true }, cell: ({ row }) => count(units(row.original)) },
  {
    id: 'says', header: 'Says', enableSorting: false,
    cell: ({ row: { original } }) => isSuspect(original)
      ? <span className="small">Nothing to be used</span>
      : <span className="row">{tally(original).map(({ word, tone, times }) => <Badge key={word} tone={tone}>{times} {word}</Badge>)}</span>,
  },
  { id: 'tier', header: 'Tier', enableSorting: false, cell: ({ row }) => <EvidenceTier tier={row.original.reading.tier} /> },
];

/** Those first whose checks failed, then by name. */
export const ordered = (experiments: Experiments['experiments']) =>
  [...experiments].sort((a, b) => Number(isSuspect(b)) - Number(isSuspect(a)) || a.name.localeCompare(b.name));

function ExperimentTable({ experiments }: { experiments: Experiment[] }) {
  return (
    <Card title="Experiments" flush note={`${plural(experiments.length, 'experiment')}. People were assigned to arms at random.`}>
      <DataTable caption="Experiments" rows={ordered(experiments)} columns={COLUMNS} rowId={({ name }) => name} stacked />
    </Card>
  );
}

function Studies({ studies }: { studies: Study[] }) {
  const may = useMay();
  const { data } = useQuery({ ...evidenceQueries.ledger(), enabled: may('listEvidence') });
  const known = new Map(data?.items.map((item) => [item.record.id, item]));
  const columns: Column<Study>[] = [
    {
      id: 'name', header: 'Study', accessorFn: ({ name }) => name, meta: { rowHeader: true },
      cell: ({ row: { original: { name, file } } }) => (
        <span className="item-name"><span>{name}</span><span className="mono small muted">{file}</span></span>
      ),
    },
    { id: 'result', header: 'Result', enableSorting: false, cell: ({ row }) => <Result study={row.original} entry={known.get(row.original.evidence ?? '')} /> },
    {
      id: 'standing', header: 'Standing', enableSorting: false,
      cell: ({ row: { original: { evidence } } }) => {
        const entry = known.get(evidence ?? '');
        return entry ? <StandingBadge standing={entry.standing} /> : NONE;
      },
    },
  ];
  return (
    <Card title="Studies" flush note="Effects of what was not assigned at random. Somebody has to answer for their assumptions before a decision rests on them.">
      <DataTable caption="Studies" rows={studies} columns={columns} rowId={({ name }) => name} stacked />
    </Card>
  );
}

function Result({ study: { evidence, diagnostics = [] }, entry }: { study: Study; entry: LedgerEntry | undefined }) {
  if (evidence === null) return <Findings findings={diagnostics} none="It could not be carried out." />;
  const found = diagnostics.filter(({ severity }) => severity !== 'info').length;
  return (
    <span className="stack-s">
      {entry && <span><strong>{writer(entry.record.estimand.contrast)(entry.record.estimate.value)}</strong> <span className="muted small">{spread(entry.record.estimate, writer(entry.record.estimand.contrast))}</span></span>}
      <Link to="/evidence/record" search={{ id: evidence }}>Open its record</Link>
      {found > 0 && <span className="small muted">{plural(found, 'finding')} to look at</span>}
    </span>
  );
}
