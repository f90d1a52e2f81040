import { useQuery } from '@tanstack/react-query';
import { createLazyRoute, Link, useNavigate } from '@tanstack/react-router';
import { queries } from '../../api/queries';
import type { Source, Sources } from '../../api/types';
import { Curve } from '../../charts';
import { absoluteTime, dayOf, plural } from '../../format';
import { useMay } from '../../session';
import { Card, EmptyState, Page, ProblemView, Select, Skeleton } from '../../ui';
import { RemovedCard } from '../consent/tables';
import { volumes, whole } from './figures';
import { DriftCard, QuarantineCard, SourcesCard, WarningsCard } from './tables';

export const Route = createLazyRoute('/app/sources')({ component: SourcesScreen });

function SourcesScreen() {
  const { data, error, isPending, refetch } = useQuery(queries.sources());
  const read = data?.sources.some(({ files }) => files > 0);
  return (
    <Page
      title="Sources"
      lead={data && read
        ? <>{plural(data.sources.length, 'source')}, as of {absoluteTime(data.as_of)}.</>
        : 'What was read of each source, up to when, and what could not be used.'}
    >
      {error && <ProblemView problem={error} onRetry={() => void refetch()} />}
      {isPending && !error && <><Skeleton lines={[100]} height={300} /><Skeleton lines={[100]} height={400} /></>}
      {data && (read ? <Read data={data} /> : <Nothing />)}
    </Page>
  );
}

function Nothing() {
  return (
    <div className="card">
      <EmptyState title="Nothing was read yet" action={<Link to="/">Go to the line</Link>}>
        <p>Once the line has run, the files of every source are counted here. <code>throughline check</code> looks at them before.</p>
      </EmptyState>
    </div>
  );
}

function Read({ data: { sources } }: { data: Sources }) {
  const may = useMay();
  const consent = useQuery({ ...queries.consent(), enabled: may('getConsent') });
  return (
    <>
      <SourcesCard sources={sources} />
      <WarningsCard sources={sources} />
      <VolumeCard sources={sources.filter(({ days }) => days.length > 0)} />
      <DriftCard sources={sources} />
      <QuarantineCard sources={sources} />
      {consent.data && <RemovedCard removed={consent.data.removed} />}
    </>
  );
}

function VolumeCard({ sources }: { sources: Source[] }) {
  const { source } = Route.useSearch();
  const navigate = useNavigate();
  const chosen = sources.find((item) => item.source === source) ?? sources[0];
  if (!chosen) return null;
  return (
    <Card
      title="Rows by day"
      note="Events by the day on which they happened (UTC) and spend by business date; the last 90 days that have any. Counts are exact and have no interval."
      actions={sources.length > 1 && (
        <Select
          label="Source" inline value={chosen.source} options={sources.map((item) => ({ value: item.source, label: item.source }))}
          onChange={(value) => void navigate({ to: '/sources', search: { source: value }, replace: true })}
        />
      )}
    >
      <Curve
        caption={`Rows of ${chosen.source} by day`} file={`volume-${chosen.source}`} points={volumes(chosen)}
        x={{ title: 'Day', time: true, format: (x) => dayOf(new Date(x)) }} y={{ title: 'Rows', format: whole }}
      />
    </Card>
  );
}
