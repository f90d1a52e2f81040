import { useInfiniteQuery } from '@tanstack/react-query';
import { createLazyRoute, Link } from '@tanstack/react-router';
import { decisionQueries, type DecisionFilter } from '../../api/decisions';
import type { DecisionItem } from '../../api/types';
import { count, humanise } from '../../format';
import { Button, Card, type Column, DataTable, EmptyState, EvidenceTier, Id, Page, ProblemView, Skeleton, Time } from '../../ui';
import { Filters } from './filters';
import { Action, Expiry, NetValue, Reasons } from './parts';
import './decisions.css';

export const Route = createLazyRoute('/app/decisions')({ component: Decisions });

/** The server gives the newest first; sorting what happens to be loaded would look like an order of all. */
const COLUMNS: Column<DecisionItem>[] = [
  {
    id: 'person', header: 'Person', enableSorting: false, meta: { rowHeader: true },
    cell: ({ row: { original: item } }) => (
      <Link to="/decisions/$entityId" params={{ entityId: item.entity_id }} search={(all) => ({ ...all, cycle: item.cycle_id })}>
        <Id id={item.entity_id} />
      </Link>
    ),
  },
  { id: 'action', header: 'Action', enableSorting: false, cell: ({ row: { original: item } }) => <Action {...item} /> },
  {
    id: 'net', header: 'Expected net value', enableSorting: false, meta: { numeric: true, label: 'Net value' },
    cell: ({ row: { original: item } }) => (
      <NetValue value={item.expected_net_value} interval={item.expected_net_value_interval} note={item.interval_note} currency={item.currency} />
    ),
  },
  { id: 'why', header: 'Why', enableSorting: false, cell: ({ row }) => <Reasons rationale={row.original.rationale} /> },
  { id: 'evidence', header: 'Evidence', enableSorting: false, cell: ({ row }) => <EvidenceTier tier={row.original.evidence_tier} /> },
  {
    id: 'when', header: 'Decided', enableSorting: false,
    cell: ({ row: { original: item } }) => (
      <span className="cell-lines"><Time at={item.decided_at} absolute /><span className="small muted"><Expiry at={item.expires_at} /></span></span>
    ),
  },
  {
    id: 'policy', header: 'Policy', enableSorting: false,
    cell: ({ row: { original: item } }) => <span className="policy-cell">{humanise(item.policy_id)} <span className="muted">v{item.policy_version}</span></span>,
  },
];

function Decisions() {
  const { policy, action, arm, entity } = Route.useSearch();
  const filter: DecisionFilter = { policy, action, arm, entity };
  const list = useInfiniteQuery(decisionQueries.list(filter));
  const rows = list.data?.pages.flatMap((page) => page.items) ?? [];
  const first = list.data?.pages[0];
  const filtered = Object.values(filter).some(Boolean);

  return (
    <Page title="Decisions" lead="What was decided for whom, what it is expected to be worth, and why. Open one to follow the thread behind it.">
      <Filters filter={filter} facets={first?.facets} />
      {list.error && <ProblemView problem={list.error} onRetry={() => void list.refetch()} />}
      {!list.error && (
        <Card title="Decisions" note="Newest cycle first." flush>
          {list.isPending && <div className="card-body"><Skeleton lines={Array<number>(12).fill(100)} height={28} /></div>}
          {list.data && rows.length === 0 && (
            <EmptyState title={filtered ? 'No decision fits' : 'No decisions yet'}>
              <p>{filtered ? 'Clear a filter, or check how the id begins.' : 'They appear after a run with a policy has decided about people.'}</p>
            </EmptyState>
          )}
          {rows.length > 0 && (
            <DataTable
              caption="Decisions" rows={rows} columns={COLUMNS} rowId={(row) => `${row.entity_id}/${row.cycle_id}`} stacked
              footer={
                <>
                  <span>{count(rows.length)}{first && first.total !== null && ` of ${count(first.total)}`}</span>
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
