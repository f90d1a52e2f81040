import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { createLazyRoute, Link, useNavigate } from '@tanstack/react-router';
import { Problem } from '../../api/client';
import { queries } from '../../api/queries';
import type { Attribution, PathItem, PathList } from '../../api/types';
import { DownloadCsv, IntervalMark, type Twin } from '../../charts';
import { type Axis, linearAxis } from '../../charts/scale';
import { count, humanise, interval, money, monthOf, percent, plural } from '../../format';
import { useMay } from '../../session';
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
  const { channel, geo, month, all } = Route.useSearch();
  const limit = all ? MOST : FIRST;
  const { data: found, error, isPending, refetch } = useQuery({
    ...queries.paths({ conversion: data.conversion, channel, geo, month, limit }), placeholderData: keepPreviousData,
  });
  return (
    <Card
      title={channel ? `Paths with ${humanise(channel)}` : 'Paths'} flush
      note={found && <>{summary(found)} A channel leads to the conversions that have it in their path.</>}
    >
      <div className="card-body stack">
        <Filters data={data} />
        {error && <ProblemView problem={error} onRetry={() => void refetch()} />}
        {isPending && !error && <Skeleton lines={Array<number>(12).fill(100)} height={28} />}
      </div>
      {found && !error && found.paths.length === 0 && <EmptyState title="No path fits"><p>No journey has all of this.</p></EmptyState>}
      {found && !error && found.paths.length > 0 && <PathTable found={found} channel={channel} more={!all && found.total > found.paths.length} />}
    </Card>
  );
}

/** How many journeys, and how many of them ended in a conversion. */
export function summary({ conversion, journeys, conversions, total }: Pick<PathList, 'conversion' | 'journeys' | 'conversions' | 'total'>): string {
  const rate = journeys > 0 ? ` (${percent(conversions / journeys, 1)})` : '';
  return `${plural(journeys, 'journey')} on ${plural(total, 'different path')}, ${count(conversions)}${rate} with the conversion “${humanise(conversion)}”.`;
}

function Filters({ data }: { data: Attribution }) {
  const { channel, geo, month } = Route.useSearch();
  const may = useMay();
  const navigate = useNavigate({ from: '/journeys/paths' });
  const set = (change: PathsSearch & { conversion?: string }) => void navigate({ search: (now) => ({ ...now, ...change }), replace: true });
  // Places and months are known where credit is broken down by them; without that there is nothing to choose from.
  const items = { conversion: data.conversion, channel: undefined, item: undefined, model: undefined };
  const places = useQuery({ ...queries.creditCells({ ...items, dimension: 'geo' }), enabled: may('listCreditCells') });
  const months = useQuery({ ...queries.creditCells({ ...items, dimension: 'month' }), enabled: may('listCreditCells') });
  const choices = (known: string[] | undefined, chosen: string | undefined, label = (item: string) => item) => {
    const names = [...new Set([...(known ?? []), ...(chosen === undefined ? [] : [chosen])])].filter((item) => item !== '');
    return names.length === 0 ? null : [{ value: ALL, label: 'all' }, ...names.map((value) => ({ value, label: label(value) }))];
  };
  const byPlace = choices(places.data?.items, geo);
  const byMonth = choices(months.data?.items, month, (item) => (Number.isNaN(Date.parse(item)) ? item : monthOf(Date.parse(item))));
  const chosen = (next: string) => (next === ALL ? undefined : next);
  return (
    <div className="row path-filters">
      {data.conversions.length > 1 && (
        <Select
          label="Conversion" inline value={data.conversion} options={data.conversions.map((value) => ({ value, label: humanise(value) }))}
          onChange={(next) => set({ conversion: next, geo: undefined, month: undefined })}
        />
      )}
      <Select
        label="Channel" inline value={channel ?? ALL}
        options={choices(data.channels.map((each) => each.channel), channel, humanise) ?? []}
        onChange={(next) => set({ channel: chosen(next) })}
      />
      {byPlace && <Select label="Place" inline value={geo ?? ALL} options={byPlace} onChange={(next) => set({ geo: chosen(next) })} />}
      {byMonth && <Select label="Month" inline value={month ?? ALL} options={byMonth} onChange={(next) => set({ month: chosen(next) })} />}
    </div>
  );
}

function PathTable({ found, channel, more }: { found: PathList; channel: string | undefined; more: boolean }) {
  const navigate = useNavigate({ from: '/journeys/paths' });
  const axis = linearAxis(found.paths.flatMap(({ rate_interval }) => rate_interval), 3);
  return (
    <DataTable
      caption="Paths" rows={found.paths} rowId={({ path }) => path.join('\n')} columns={columns(found, axis, channel)} stacked
      footer={(
        <>
          <span>{count(found.paths.length)} of {count(found.total)}, those with most conversions. Rates have 95% intervals, as if journeys of one person were of several.</span>
          <span className="row">
            <DownloadCsv twin={pathsTwin(found)} file={`paths-${found.conversion}`} />
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
