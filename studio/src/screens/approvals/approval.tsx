import { useQuery } from '@tanstack/react-query';
import { createLazyRoute, Link } from '@tanstack/react-router';
import { type Approval as Data, governQueries } from '../../api/govern';
import { useMay } from '../../session';
import { Card, Page, ProblemView, Skeleton, Time } from '../../ui';
import { Changes } from './changes';
import { Comments } from './comments';
import { useCurrency } from './currency';
import { visible } from './diff';
import { History } from './history';
import { Rule } from './rule';
import { Standing } from './standing';
import { Votes } from './votes';
import { facts, KIND_TEXTS, who } from './words';
import './approvals.css';

export const Route = createLazyRoute('/app/approvals/$id')({ component: Approval });

function Approval() {
  const { id } = Route.useParams();
  const { state, sort, outcome } = Route.useSearch();
  const { data, error, refetch } = useQuery(governQueries.approval(id));
  const back = <Link to="/approvals" search={{ state, sort, outcome }}>Approvals</Link>;
  if (error && !data) {
    return <Page title="Request" crumbs={back}><ProblemView problem={error} onRetry={() => void refetch()} /></Page>;
  }
  if (!data) {
    return <Page title="Request" crumbs={back} lead="Loading the request."><Skeleton lines={[100, 100, 100]} height={180} /></Page>;
  }
  return (
    <Page
      key={id} crumbs={back} title={visible(data.title)}
      lead={<>{data.kind === 'other' ? 'Asked' : `${KIND_TEXTS[data.kind]}, asked`} for by {who(data, data.requested_by)} <Time at={data.requested_at} />.</>}
    >
      <Standing approval={data} />
      <div className="approval-grid">
        <div className="stack">
          <Why approval={data} />
          <Stake approval={data} />
          <Changes before={data.before} after={data.after} />
          <Comments approval={data} />
        </div>
        <div className="stack">
          <Rule approval={data} />
          <Votes approval={data} />
          <History approval={data} />
        </div>
      </div>
    </Page>
  );
}

function Why({ approval }: { approval: Data }) {
  const may = useMay();
  const { kind, subject, reason } = approval;
  return (
    <Card title="Why it is asked for">
      <div className="stack-s">
        {reason === '' ? <p className="small muted">No reason was given.</p> : <p className="said">{visible(reason)}</p>}
        {kind === 'policy' && may('listDecisions') && (
          <p><Link to="/decisions" search={{ policy: subject }}>The decisions of the policy {visible(subject)}</Link></p>
        )}
      </div>
    </Card>
  );
}

/** All facts that the rules saw. What was before stands beside what it is compared with. */
function Stake({ approval }: { approval: Data }) {
  const currency = useCurrency();
  const shown = facts(approval, currency, true).filter(({ name }) => {
    const of = name.replace(/_before$/, '');
    return of === name || approval.facts[of] === undefined;
  });
  if (shown.length === 0) return null;
  return (
    <Card title="What is at stake" note="The facts that the rules saw when it was asked for.">
      <dl className="stake">
        {shown.map((fact) => (
          <div key={fact.name}>
            <dt>{fact.label}</dt>
            <dd>{fact.value}{fact.note && <small>{fact.note}</small>}</dd>
          </div>
        ))}
      </dl>
    </Card>
  );
}
