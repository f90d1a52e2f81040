import { Link } from '@tanstack/react-router';
import { count, plural } from '../../format';
import { useMay } from '../../session';
import { Badge, Card, Time, type Tone } from '../../ui';
import type { ShownStage } from './stages';

const STATES: Record<ShownStage['state'], { text: string; tone: Tone }> = {
  never: { text: 'Not run yet', tone: 'plain' },
  waiting: { text: 'Waiting', tone: 'plain' },
  running: { text: 'Running', tone: 'accent' },
  done: { text: 'Done', tone: 'good' },
  failed: { text: 'Failed', tone: 'bad' },
};

/** The ten stages, one under the other, on one line. */
export function LineCard({ stages }: { stages: ShownStage[] }) {
  return (
    <Card title="The line" note="From the first event to the outcome. Every stage reads what the ones above it published.">
      <ol className="line-stages">
        {stages.map((stage) => <StageRow key={stage.name} stage={stage} />)}
      </ol>
    </Card>
  );
}

function StageRow({ stage }: { stage: ShownStage }) {
  const { text, tone } = STATES[stage.state];
  return (
    <li className="stage" data-state={stage.state}>
      <StageNode state={stage.state} />
      <div className="stage-what">
        <h3>{stage.title}</h3>
        {stage.summary && <p>{stage.summary}</p>}
        {stage.state === 'running' && <Progress stage={stage} />}
        {stage.tables.length > 0 && (
          <ul className="stage-tables" aria-label={`Tables of ${stage.title}`}>
            {stage.tables.map((table) => (
              <li key={table.name} title={`Version ${table.version}`}>
                <span className="mono">{table.name}</span> {count(table.rows)}
              </li>
            ))}
          </ul>
        )}
      </div>
      <div className="stage-when">
        {stage.state !== 'done' ? <Badge tone={tone}>{text}</Badge>
          : <Held gate={stage.gate} />}
        {stage.published_at && <Time at={stage.published_at} />}
        {stage.units > 0 && <span>{plural(stage.units, 'unit')}{stage.run_seq !== null && `, run ${stage.run_seq}`}</span>}
      </div>
    </li>
  );
}

/** A stage that is done may hold back what it would deliver. */
function Held({ gate }: { gate: ShownStage['gate'] }) {
  const may = useMay();
  if (!gate || gate.state === 'open' || gate.state === 'agreed') return <span className="visually-hidden">Done</span>;
  const text = gate.state === 'waiting' ? 'Waiting for approval' : gate.state === 'frozen' ? 'Frozen' : `Held back: request ${gate.state}`;
  const badge = <Badge tone="warn">{text}</Badge>;
  return gate.approval !== undefined && may('getApproval')
    ? <Link to="/approvals/$id" params={{ id: gate.approval }}>{badge}</Link>
    : badge;
}

function Progress({ stage }: { stage: ShownStage }) {
  if (stage.progress === null) return <div className="progress indeterminate" role="progressbar" aria-label={stage.title}><span /></div>;
  const percent = Math.round(stage.progress * 100);
  return (
    <div className="progress" role="progressbar" aria-label={stage.title} aria-valuenow={percent} aria-valuemin={0} aria-valuemax={100}>
      <span style={{ width: `${percent}%` }} />
    </div>
  );
}

function StageNode({ state }: { state: ShownStage['state'] }) {
  return (
    <svg className="stage-node" width="22" height="22" viewBox="-11 -11 22 22" aria-hidden="true">
      <circle r="9" />
      {state === 'done' && <path d="M-4 .5l3 3 5.500-6.500" />}
      {state === 'failed' && <path d="M-3.500-3.500l7 7M3.500-3.500l-7 7" />}
      {state === 'running' && <circle className="core" r="4" />}
    </svg>
  );
}
