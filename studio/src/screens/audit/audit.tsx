import { useInfiniteQuery } from '@tanstack/react-query';
import { createLazyRoute, useNavigate } from '@tanstack/react-router';
import { useEffect, useMemo, useRef } from 'react';
import { type AuditItem, governQueries } from '../../api/govern';
import { count, plural } from '../../format';
import { Badge, Button, Card, type Column, DataTable, EmptyState, Page, ProblemView, Skeleton, Time } from '../../ui';
import { Filters } from './filters';
import { LogCard } from './log-card';
import { ActorName, RecordLink } from './parts';
import { type People, usePeople } from './people';
import { RecordDialog } from './record';
import { kindTitle, summary } from './words';
import './audit.css';

export const Route = createLazyRoute('/app/audit')({ component: Audit });

const linkId = (seq: number) => `record-${seq}`;

/** The server gives the newest first; sorting what happens to be loaded would look like an order of all. */
const columnsFor = (people: People): Column<AuditItem>[] => [
  {
    id: 'seq', header: 'Record', enableSorting: false, meta: { rowHeader: true },
    cell: ({ row: { original: { seq } } }) => <RecordLink seq={seq} id={linkId(seq)}><span className="record-word">Record </span>{count(seq)}</RecordLink>,
  },
  { id: 'when', header: 'When', enableSorting: false, cell: ({ row }) => <Time at={row.original.at} absolute /> },
  { id: 'who', header: 'Who', enableSorting: false, cell: ({ row }) => <ActorName actor={row.original.actor} people={people} /> },
  { id: 'what', header: 'What', enableSorting: false, cell: ({ row }) => <What record={row.original} /> },
];

function What({ record }: { record: AuditItem }) {
  const line = summary(record);
  return (
    <span className="what">
      <span className="row">
        <strong>{kindTitle(record.kind)}</strong>
        {record.sealed > 0 && <Badge tone="accent">{plural(record.sealed, 'part')} sealed</Badge>}
      </span>
      {line && <span className="audit-line">{line}</span>}
    </span>
  );
}

function Audit() {
  const { kind, actor, record } = Route.useSearch();
  const filter = { kind, actor };
  const navigate = useNavigate();
  const people = usePeople();
  // Made once: other functions would make other cells, and a link that is made anew loses the focus.
  const columns = useMemo(() => columnsFor(people), [people]);
  // The stream does not tell of sign-ins, accounts and tokens, so the list is read anew whenever it is opened.
  const list = useInfiniteQuery({ ...governQueries.audit(filter), staleTime: 0 });
  const rows = list.data?.pages.flatMap((page) => page.items) ?? [];
  useFocusAfterRecord(record);

  async function more() {
    const { data } = await list.fetchNextPage();
    const last = data?.pages.at(-1);
    // The button goes with the last page; the focus moves on to what it brought.
    const first = last?.next_cursor === null ? last.items[0] : undefined;
    if (first) window.setTimeout(() => document.getElementById(linkId(first.seq))?.focus());
  }

  return (
    <Page title="Audit" lead="Every change, run, delivery, sign-in and access to personal data, in the order in which they were recorded.">
      <LogCard />
      <Filters filter={filter} rows={rows} people={people} />
      {list.error && <ProblemView problem={list.error} onRetry={() => void list.refetch()} />}
      {!list.error && (
        <Card
          title="Records" flush
          note="Newest first. Sealed parts are about a person and can be read only with that person’s key: they end with the person’s erasure, and the record’s hash still holds."
        >
          {list.isPending && <div className="card-body"><Skeleton lines={Array<number>(12).fill(100)} height={28} /></div>}
          {list.data && rows.length === 0 && (
            <EmptyState title={kind ?? actor ? 'No record fits' : 'No records yet'}>
              <p>{kind ?? actor ? 'Clear a filter, or check how the actor is written: the whole name counts.' : 'The first one is made when the project is used.'}</p>
            </EmptyState>
          )}
          {rows.length > 0 && (
            <DataTable
              caption="Audit records" rows={rows} columns={columns} rowId={(row) => String(row.seq)} stacked
              footer={
                <>
                  <span role="status">{plural(rows.length, 'record')}{list.hasNextPage ? ', and older ones' : ''}</span>
                  {list.hasNextPage && (
                    <Button isPending={list.isFetchingNextPage} onPress={() => void more()}>
                      {list.isFetchingNextPage ? 'Loading…' : 'Load more'}
                    </Button>
                  )}
                </>
              }
            />
          )}
        </Card>
      )}
      <RecordDialog
        seq={record} loaded={rows.find((row) => row.seq === record)} people={people}
        onClose={() => void navigate({ to: '/audit', search: (all) => ({ ...all, record: undefined }) })}
      />
    </Page>
  );
}

/** How long the dialog may take to give the focus back to what opened it. */
const GIVING_BACK_MS = 60;

/** A record that was opened by its address was opened by nothing on the page: the title takes the focus then. */
function useFocusAfterRecord(record: number | undefined) {
  const before = useRef(record);
  useEffect(() => {
    const closed = before.current !== undefined && record === undefined;
    before.current = record;
    if (!closed) return;
    const timer = window.setTimeout(() => {
      if (document.activeElement === document.body) document.querySelector('h1')?.focus({ preventScroll: true });
    }, GIVING_BACK_MS);
    return () => window.clearTimeout(timer);
  }, [record]);
}
