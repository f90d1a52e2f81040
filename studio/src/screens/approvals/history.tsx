import type { Approval } from '../../api/govern';
import { humanise } from '../../format';
import { Card, Time } from '../../ui';
import { visible } from './diff';
import { who } from './words';

/** All that happened, oldest first. */
export function History({ approval }: { approval: Approval }) {
  return (
    <Card title="History">
      <ol className="history">
        {approval.history.map((step, at) => (
          <li key={at}>
            <p className="said">{visible(humanise(step.what))}</p>
            <p className="muted">{step.by === null ? 'Followed by itself' : who(approval, step.by)}, <Time at={step.at} /></p>
          </li>
        ))}
      </ol>
    </Card>
  );
}
