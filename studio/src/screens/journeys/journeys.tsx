import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { createLazyRoute, Link } from '@tanstack/react-router';
import { queries } from '../../api/queries';
import type { ConversionItem } from '../../api/types';
import { NotOfPart } from '../../filters/filter-bar';
import { partOf } from '../../filters/search';
import { count, humanise, money } from '../../format';
import { useMay } from '../../session';
import { Button, Card, type Column, DataTable, EmptyState, Id, Page, ProblemView, Skeleton, Time } from '../../ui';
import { Path } from './path';
import './journeys.css';

export const Route = createLazyRoute('/app/journeys')({ component: Journeys });

/** The server gives the newest first; sorting what happens to be loaded would look like an order of all. */
function columns(currency: string, search: { channel?: string; model?: string }): Column<ConversionItem>[] {
  return [
    {
      accessorKey: 'ended_at', header: 'Converted', enableSorting: false, meta: { rowHeader: true },
      cell: ({ row }) => (
        <Link to="/journeys/$id" params={{ id: row.original.id }} search={(all) => ({ ...all, ...search })}>
          <Time at={row.original.ended_at} absolute />
        </Link>
      ),
    },
    { accessorKey: 'conversion', header: 'Conversion', enableSorting: false, cell: ({ row }) => humanise(row.original.conversion) },
    { accessorKey: 'value', header: 'Value', enableSorting: false, meta: { numeric: true }, cell: ({ row }) => money(row.original.value, currency) },
    { accessorKey: 'touches', header: 'Touches', enableSorting: false, meta: { numeric: true } },
    { id: 'path', header: 'Path', enableSorting: false, cell: ({ row }) => <Path path={row.original.path} highlight={search.channel} /> },
    { accessorKey: 'person_id', header: 'Person', enableSorting: false, cell: ({ row }) => <Id id={row.original.person_id} /> },
  ];
}

function Journeys() {
  const { conversion, channel, model, ...search } = Route.useSearch();
  const may = useMay();
  const line = useQuery(queries.line());
  const list = useInfiniteQuery(queries.conversions({ conversion, channel }));
  const rows = list.data?.pages.flatMap((page) => page.items) ?? [];
  const total = list.data?.pages.at(-1)?.total ?? null;
  const filtered = Boolean(conversion || channel);

  return (
    <Page
      title="Journeys" lead="Every conversion with the touches before it. Open one to see what was counted, what was left out, and why."
      actions={may('listPaths') && <Link to="/journeys/paths" search={{ channel }} className="button">Explore paths</Link>}
    >
      <NotOfPart part={partOf(search)}>This list is of all conversions.</NotOfPart>
      {filtered && <Filters conversion={conversion} channel={channel} />}
      {list.error && <ProblemView problem={list.error} onRetry={() => void list.refetch()} />}
      {!list.error && (
        <Card title={channel ? `Conversions with ${humanise(channel)} in the path` : 'Conversions'} flush>
          {list.isPending && <div className="card-body"><Skeleton lines={Array<number>(12).fill(100)} height={28} /></div>}
          {list.data && rows.length === 0 && !list.hasNextPage && (
            <EmptyState title={filtered ? 'No conversion fits' : 'No conversions yet'}>
              <p>{filtered ? 'None of the conversions has this in its path.' : 'They appear after a run has built journeys.'}</p>
            </EmptyState>
          )}
          {list.data && (rows.length > 0 || list.hasNextPage) && (
            <DataTable
              caption="Conversions" rows={rows} rowId={(row) => row.id} stacked
              columns={columns(line.data?.project.currency ?? 'EUR', { channel, model })}
              footer={
                <>
                  <span>
                    {count(rows.length)}
                    {total !== null && ` of ${count(total)}`}
                  </span>
                  {list.hasNextPage && (
                    <Button isPending={list.isFetchingNextPage} onPress={() => void list.fetchNextPage()}>
                      {list.isFetchingNextPage ? 'Loading…' : 'Load more'}
                    </Button>
                  )}
                </>
              }
            />
          )}
        </Card>
      )}
    </Page>
  );
}

function Filters({ conversion, channel }: { conversion?: string; channel?: string }) {
  return (
    <ul className="row filters" aria-label="Filters">
      {conversion && (
        <li><Link to="/journeys" search={(all) => ({ ...all, conversion: undefined })} className="filter">Conversion: {humanise(conversion)} <span aria-hidden="true">×</span><span className="visually-hidden">, remove</span></Link></li>
      )}
      {channel && (
        <li><Link to="/journeys" search={(all) => ({ ...all, channel: undefined, model: undefined })} className="filter">Channel: {humanise(channel)} <span aria-hidden="true">×</span><span className="visually-hidden">, remove</span></Link></li>
      )}
      <li><Link to="/attribution">Back to attribution</Link></li>
    </ul>
  );
}
