import { Link } from '@tanstack/react-router';
import { EmptyState } from '../../ui';
import type { Outcome, TabName } from './route';

/** An empty tab: what would bring something here. */
export function Nothing({ tab, outcome }: { tab: TabName; outcome: Outcome | undefined }) {
  return <div className="card"><Words tab={tab} outcome={outcome} /></div>;
}

function Words({ tab, outcome }: { tab: TabName; outcome: Outcome | undefined }) {
  if (outcome !== undefined) {
    return (
      <EmptyState
        title={`No request is ${outcome}`}
        action={<Link to="/approvals" search={(all) => ({ ...all, outcome: undefined })}>Show all outcomes</Link>}
      >
        <p>None of the requests that are over ended this way.</p>
      </EmptyState>
    );
  }
  if (tab === 'pending') {
    return (
      <EmptyState title="Nobody is asked for anything">
        <p>
          A request appears here when a rule of the project asks for agreement: before a policy delivers, before frozen
          deliveries are released, or before somebody's rights change. People can also ask by hand.
        </p>
        <p>The rules are the files in <code>approvals/</code>. Without any, only what people ask for by hand appears.</p>
      </EmptyState>
    );
  }
  if (tab === 'approved') {
    return (
      <EmptyState title="Nothing waits to take effect">
        <p>A policy that people agreed to stands here until the run that delivers its decisions is through. All else takes effect at once.</p>
      </EmptyState>
    );
  }
  return (
    <EmptyState title="No request is over yet">
      <p>Here stands what became of each request: put into effect, rejected, taken back, expired, or overtaken by a newer version.</p>
    </EmptyState>
  );
}
