import type { Approval } from '../../api/govern';
import { Badge, Card, Time } from '../../ui';
import { visible } from './diff';
import { listed, who } from './words';

export function Votes({ approval }: { approval: Approval }) {
  const { votes } = approval;
  return (
    <Card title="Votes">
      {votes.length === 0
        ? <p className="small muted">{approval.state === 'pending' ? 'Nobody has voted yet.' : 'Nobody voted.'}</p>
        : (
          <ol className="voices">
            {votes.map((vote) => (
              <li key={vote.by}>
                <p className="row">
                  <strong>{who(approval, vote.by)}</strong>
                  <Badge tone={vote.vote === 'approve' ? 'good' : 'bad'}>{vote.vote === 'approve' ? 'Approved' : 'Rejected'}</Badge>
                  {vote.as !== null && <Badge>signs for {vote.as}</Badge>}
                </p>
                {vote.reason && <p className="said">{visible(vote.reason)}</p>}
                <p className="muted">{vote.roles.length > 0 && `With the ${vote.roles.length > 1 ? 'roles' : 'role'} ${listed(vote.roles)}, `}<Time at={vote.at} /></p>
              </li>
            ))}
          </ol>
        )}
    </Card>
  );
}
