import { useInfiniteQuery } from '@tanstack/react-query';
import { createLazyRoute, useNavigate } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { type Approval, governQueries } from '../../api/govern';
import { count, humanise } from '../../format';
import { useMay } from '../../session';
import { Button, Page, ProblemView, Segments, Select, Skeleton, Tabs } from '../../ui';
import { AskDialog } from './ask';
import { Nothing } from './nothing';
import { isOpen } from './parts';
import { RequestList } from './request-list';
import { type ApprovalsSearch, type Outcome, OUTCOMES, type Sort, type TabName, TABS } from './route';
import { stake } from './words';
import './approvals.css';

export const Route = createLazyRoute('/app/approvals')({ component: Approvals });

const TITLES: Record<TabName, string> = { pending: 'Pending', approved: 'Approved, not in effect yet', done: 'Done' };
const SORT_TITLES: Record<Sort, string> = { stake: 'Most at stake', expiry: 'Expires first', newest: 'Newest' };
/** No state has this name. */
const ALL = '*';

function Approvals() {
  const may = useMay();
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
  const { state: tab = 'pending' } = Route.useSearch();
  const ask = may('requestApproval') ? <Button look="primary" onPress={() => setAsking(true)}>Ask for approval</Button> : undefined;
  return (
    <Page
      title="Approvals" actions={ask}
      lead="What people are asked to agree to before it takes effect: who asked, what is at stake, and what is still missing."
    >
      <Tabs
        label="Requests by state" selected={tab}
        onChange={(id) => {
          const state = TABS.find((each) => each === id);
          if (state !== undefined && state !== tab) {
            void navigate({ to: '/approvals', search: (all) => ({ ...all, state: state === 'pending' ? undefined : state, outcome: undefined }) });
          }
        }}
        tabs={TABS.map((id) => ({ id, title: TITLES[id], content: <Requests key={id} tab={id} /> }))}
      />
      {asking && <AskDialog onClose={() => setAsking(false)} />}
    </Page>
  );
}

const inTab = (approval: Approval, tab: TabName, outcome: Outcome | undefined) =>
  tab === 'done' ? !isOpen(approval) && (outcome === undefined || approval.state === outcome) : approval.state === tab;

function sorted(rows: Approval[], sort: Sort): Approval[] {
  const newest = (a: Approval, b: Approval) => Date.parse(b.requested_at) - Date.parse(a.requested_at);
  const by: Record<Sort, (a: Approval, b: Approval) => number> = {
    newest,
    expiry: (a, b) => Date.parse(a.expires_at) - Date.parse(b.expires_at) || newest(a, b),
    // What is about no money comes after all that is.
    stake: (a, b) => (stake(b) ?? -1) - (stake(a) ?? -1) || newest(a, b),
  };
  return [...rows].sort(by[sort]);
}

function Requests({ tab }: { tab: TabName }) {
  const search: ApprovalsSearch = Route.useSearch();
  const outcome = tab === 'done' ? search.outcome : undefined;
  // When something that is over would have expired tells nobody anything.
  const sorts: Sort[] = tab === 'done' ? ['newest', 'stake'] : ['stake', 'expiry', 'newest'];
  const sort = sorts.find((each) => each === search.sort) ?? sorts[0]!;
  const list = useInfiniteQuery(governQueries.approvals(tab === 'done' ? outcome : tab));
  const read = list.data?.pages.flatMap((page) => page.items) ?? [];
  // The server stores an expiry a little after it; until then the state that it shows is the right one.
  const rows = sorted(read.filter((approval) => inTab(approval, tab, outcome)), sort);
  const told = useRef<HTMLParagraphElement>(null);

  async function more() {
    const { hasNextPage } = await list.fetchNextPage();
    // The button goes with the last page and would take the focus with it.
    if (!hasNextPage) told.current?.focus();
  }

  if (list.error && !list.data) return <ProblemView problem={list.error} onRetry={() => void list.refetch()} />;
  if (!list.data) return <Skeleton lines={[100, 100, 100]} height={120} label="Loading the requests" />;
  return (
    <div className="stack">
      <Choices tab={tab} sort={sort} sorts={sorts} outcome={outcome} />
      {rows.length === 0 && !list.hasNextPage && <Nothing tab={tab} outcome={outcome} />}
      {rows.length > 0 && <RequestList rows={rows} search={search} />}
      {(rows.length > 0 || list.hasNextPage) && (
        <div className="requests-more">
          <p ref={told} tabIndex={-1} role="status">
            {list.hasNextPage ? partText(rows.length, read.length, sort) : `${count(rows.length)} in all.`}
          </p>
          {list.hasNextPage && (
            <Button isPending={list.isFetchingNextPage} onPress={() => void more()}>
              {list.isFetchingNextPage ? 'Loading…' : 'Load more'}
            </Button>
          )}
        </div>
      )}
      {list.error && <ProblemView problem={list.error} onRetry={() => void list.refetch()} />}
    </div>
  );
}

/** What is shown while there is more to read: an order of the newest is not yet an order of all. */
function partText(shown: number, read: number, sort: Sort): string {
  const what = shown === read ? `The newest ${count(read)}.` : `${count(shown)} that fit among the newest ${count(read)}.`;
  return sort === 'newest' ? what : `${what} Older ones are not in this order yet.`;
}

function Choices({ tab, sort, sorts, outcome }: { tab: TabName; sort: Sort; sorts: Sort[]; outcome: Outcome | undefined }) {
  const navigate = useNavigate();
  const change = (part: ApprovalsSearch) => void navigate({ to: '/approvals', search: (all) => ({ ...all, ...part }) });
  return (
    <div className="row">
      <Segments
        label="Order" value={sort} onChange={(next) => change({ sort: next === sorts[0] ? undefined : next })}
        options={sorts.map((value) => ({ value, label: SORT_TITLES[value] }))}
      />
      {tab === 'done' && (
        <Select
          inline label="Outcome" value={outcome ?? ALL}
          onChange={(next) => change({ outcome: OUTCOMES.find((each) => each === next) })}
          options={[{ value: ALL, label: 'All' }, ...OUTCOMES.map((value) => ({ value, label: humanise(value) }))]}
        />
      )}
    </div>
  );
}
