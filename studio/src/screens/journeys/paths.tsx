import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { createLazyRoute, Link, useNavigate } from '@tanstack/react-router';
import { Problem } from '../../api/client';
import { queries } from '../../api/queries';
import type { Attribution, PathItem, PathList } from '../../api/types';
import { DownloadCsv, IntervalMark, type Twin } from '../../charts';
import { type Axis, linearAxis } from '../../charts/scale';
import { busy, FilterBar, partFile } from '../../filters/filter-bar';
import { isPart, partOf } from '../../filters/search';
import { count, humanise, interval, money, percent, plural } from '../../format';
import { Button, Card, type Column, DataTable, EmptyState, Page, ProblemView, Select, Skeleton } from '../../ui';
import { Path } from './path';
import type { PathsSearch } from './route';
import './journeys.css';

export const Route = createLazyRoute('/app/journeys/paths')({ component: PathsScreen });

const FIRST = 50;
const MOST = 200;
/** No filter; a name that no channel has. */
const ALL = '\u0000all';

function PathsScreen() {
  const { conversion } = Route.useSearch();
  // It knows the conversions and the channels that there are.
  const { data, error, refetch } = useQuery({ ...queries.attribution(conversion), placeholderData: keepPreviousData });
  const none = error instanceof Problem && error.status === 404 && conversion === undefined;
  return (
    <Page
      title="Paths" crumbs={<Link to="/journeys">Journeys</Link>}
      lead="The channels that people met in turn, and how often that ended in a conversion. What stands on a path was there; it need not have caused anything."
    >
      {error && !none && <ProblemView problem={error} onRetry={() => void refetch()} />}
      {none && <div className="card"><EmptyState title="No journey yet" action={<Link to="/">Go to the line</Link>}><p>Paths appear after a run has built journeys.</p></EmptyState></div>}
      {!data && !error && <Skeleton lines={[100]} height={520} />}
      {data && !error && <Explorer data={data} />}
    </Page>
  );
}

function Explorer({ data }: { data: Attribution }) {
  const { channel, all, ...search } = Route.useSearch();
  const part = partOf(search);
  const limit = all ? MOST : FIRST;
  const wanted = { conversion: data.conversion, channel, limit };
  const { data: found, error, isPending, isPlaceholderData, refetch } = useQuery({ ...queries.paths({ ...wanted, ...part }), placeholderData: keepPreviousData });
  const { data: whole } = useQuery({ ...queries.paths(wanted), enabled: isPart(part) });
  return (
    <Card
      title={channel ? `Paths with ${humanise(channel)}` : 'Paths'} flush
      note={found && <>{summary(found)} A channel leads to the conversions that have it in their path.</>}
    >
      <div className="card-body stack">
        <Filters data={data} found={found && whole && !isPlaceholderData ? { journeys: found.journeys, of: whole.journeys } : null} failed={error !== null} />
        {error && <ProblemView problem={error} onRetry={() => void refetch()} />}
        {isPending && !error && <Skeleton lines={Array<number>(12).fill(100)} height={28} />}
      </div>
      {found && !error && (
        <div className="of-part" {...busy(isPlaceholderData)}>
          {found.paths.length === 0
            ? <EmptyState title="No path fits"><p>No journey has all of this.</p></EmptyState>
            : <PathTable found={found} channel={channel} file={partFile(part)} more={!all && found.total > found.paths.length} />}
        </div>
      )}
    </Card>
  );
}

/** How many journeys, and how many of them ended in a conversion. */
export function summary({ conversion, journeys, conversions, total }: Pick<PathList, 'conversion' | 'journeys' | 'conversions' | 'total'>): string {
  const rate = journeys > 0 ? ` (${percent(conversions / journeys, 1)})` : '';
  return `${plural(journeys, 'journey')} on ${plural(total, 'different path')}, ${count(conversions)}${rate} with the conversion “${humanise(conversion)}”.`;
}

interface FiltersProps {
  data: Attribution;
  found: { journeys: number; of: number } | null;
  failed: boolean;
}

function Filters({ data, found, failed }: FiltersProps) {
  const { channel, ...search } = Route.useSearch();
  const navigate = useNavigate({ from: '/journeys/paths' });
  const set = (change: PathsSearch & { conversion?: string }) => void navigate({ search: (now) => ({ ...now, ...change }), replace: true });
  const channels = [...new Set([...data.channels.map((each) => each.channel), ...(channel === undefined ? [] : [channel])])];
  return (
    <FilterBar part={partOf(search)} choices={data.filters} found={found} failed={failed} onChange={set}>
      {data.conversions.length > 1 && (
        <Select
          label="Conversion" value={data.conversion} options={data.conversions.map((value) => ({ value, label: humanise(value) }))}
          onChange={(next) => set({ conversion: next })}
        />
      )}
      <Select
        label="Channel" value={channel ?? ALL} options={[{ value: ALL, label: 'all' }, ...channels.map((value) => ({ value, label: humanise(value) }))]}
        onChange={(next) => set({ channel: next === ALL ? undefined : next })}
      />
    </FilterBar>
  );
}

interface PathTableProps {
  found: PathList;
  channel: string | undefined;
  /** The part in the name of a file. */
  file: string;
  more: boolean;
}

function PathTable({ found, channel, file, more }: PathTableProps) {
  const navigate = useNavigate({ from: '/journeys/paths' });
  const axis = linearAxis(found.paths.flatMap(({ rate_interval }) => rate_interval), 3);
  return (
    <DataTable
      caption="Paths" rows={found.paths} rowId={({ path }) => path.join('\n')} columns={columns(found, axis, channel)} stacked
      footer={(
        <>
          <span>{count(found.paths.length)} of {count(found.total)}, those with most conversions. Rates have 95% intervals, as if journeys of one person were of several.</span>
          <span className="row">
            <DownloadCsv twin={pathsTwin(found)} file={`paths-${found.conversion}${file}`} />
            {more && (
              <Button onPress={() => void navigate({ search: (now) => ({ ...now, all: true }), replace: true })}>
                {found.total > MOST ? `Show ${count(MOST)}` : 'Show all'}
              </Button>
            )}
          </span>
        </>
      )}
    />
  );
}

function columns({ conversion, currency }: PathList, axis: Axis, channel: string | undefined): Column<PathItem>[] {
  return [
    {
      id: 'path', header: 'Path', accessorFn: ({ path }) => path.length, sortDescFirst: false, meta: { rowHeader: true },
      cell: ({ row }) => <Path path={row.original.path} highlight={channel} conversion={conversion} />,
    },
    { accessorKey: 'journeys', header: 'Journeys', meta: { numeric: true }, cell: ({ row }) => count(row.original.journeys) },
    { accessorKey: 'conversions', header: 'Conversions', meta: { numeric: true }, cell: ({ row }) => count(row.original.conversions) },
    { accessorKey: 'value', header: 'Value', meta: { numeric: true }, cell: ({ row }) => money(row.original.value, currency) },
    {
      accessorKey: 'rate', header: 'Conversion rate',
      cell: ({ row: { original: { rate, rate_interval } } }) => (
        <span className="rate">
          <span>{percent(rate, 1)} <span className="muted small">{interval(rate_interval, (share) => percent(share, 1))}</span></span>
          <IntervalMark value={rate} set={[rate_interval]} axis={axis} />
        </span>
      ),
    },
  ];
}

/** Every number of the table, as it is. */
export function pathsTwin({ paths }: PathList): Twin {
  return {
    caption: 'Paths',
    columns: ['Path', 'Journeys', 'Conversions', 'Value', 'Conversion rate', 'Conversion rate, low', 'Conversion rate, high'].map((title) => ({ title })),
    rows: paths.map(({ path, journeys, conversions, value, rate, rate_interval }) => [path.join(' > '), journeys, conversions, value, rate, ...rate_interval]),
  };
}
