import type { ReactNode } from 'react';
import type { Artefact, DecisionThread } from '../../api/types';
import { count, decimal, humanise, NONE } from '../../format';
import { Badge, Card, Id, Time } from '../../ui';
import { Candidates } from './candidates';
import { Reasons } from './parts';
import { parsed } from './words';

/** The decision itself: why this action, what else there was, what it rests on. */
export function DecisionPart({ thread }: { thread: DecisionThread }) {
  const { decision, scores, policy, model } = thread;
  const renewed = decision.scored_at !== undefined && scores.some(({ scored_at }) => Date.parse(scored_at) > Date.parse(decision.scored_at ?? ''));
  return (
    <div className="stack part-cards">
      <Card title="Decision" note="The reasons, then every action that was in question.">
        <div className="stack">
          <Reasons rationale={decision.rationale} />
          <Candidates decision={decision} scores={scores} />
          {renewed && (
            <p className="small muted">Predicted effects are the latest scores; they are newer than this decision.</p>
          )}
        </div>
      </Card>
      <div className="thread-grid">
        <Features text={decision.feature_values} masked={thread.masked} snapshot={decision.feature_snapshot} />
        <Card title="Made by" note="The policy and the model, as the registry holds them now.">
          <div className="stack">
            <Made what="Policy" name={decision.policy_id} version={decision.policy_version} artefact={policy} />
            <Made what="Model" name={decision.model_id} version={decision.model_version} artefact={model} />
            <p className="small muted">Cycle <span className="mono wrap-anywhere">{decision.cycle_id}</span>, scored <Time at={decision.scored_at} absolute />.</p>
          </div>
        </Card>
      </div>
    </div>
  );
}

function featureText(value: unknown): string {
  if (value === null || value === undefined) return 'unknown';
  if (typeof value === 'number') return Number.isInteger(value) ? count(value) : decimal(value, 2);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function Features({ text, masked, snapshot }: { text: string | undefined; masked: boolean; snapshot: number | undefined }) {
  const values = parsed(text);
  return (
    <Card
      title="What the model saw" actions={masked ? <Badge>masked for your role</Badge> : undefined}
      note={snapshot === undefined ? undefined : `Features as they stood in version ${count(snapshot)} of their table.`}
    >
      {values && (
        <dl className="facts">
          {Object.entries(values).map(([name, value]) => (
            <FactRow key={name} name={humanise(name)}>
              {value === null ? <span className="muted">unknown</span> : featureText(value)}
            </FactRow>
          ))}
        </dl>
      )}
      {!values && (
        <p className="small muted">{masked && text ? 'Feature values describe a person; your role does not include them.' : 'No feature values were written down.'}</p>
      )}
    </Card>
  );
}

const FactRow = ({ name, children }: { name: string; children: ReactNode }) => <><dt>{name}</dt><dd>{children}</dd></>;

interface MadeProps {
  what: string;
  name: string | undefined;
  version: number | undefined;
  artefact: Artefact | null;
}

/** An artefact of the registry; says when the decision was made by another version than the latest. */
function Made({ what, name, version, artefact }: MadeProps) {
  if (name === undefined) return <section className="stack-s"><h3>{what}</h3><p className="small muted">None.</p></section>;
  const facts = Object.entries(artefact?.metadata ?? {}).filter(([, value]) => typeof value !== 'object');
  const other = artefact && version !== undefined && artefact.version !== version;
  return (
    <section className="stack-s">
      <h3>{what}: {humanise(name)}, {version === undefined ? 'no version' : `version ${version}`}</h3>
      {!artefact && <p className="small muted">The registry has no entry of this name.</p>}
      {other && <p className="small muted">The latest is version {artefact.version}; the facts below are its own.</p>}
      {artefact && (
        <dl className="facts">
          {facts.map(([key, value]) => <FactRow key={key} name={humanise(key)}>{typeof value === 'string' && value === '' ? NONE : featureText(value)}</FactRow>)}
          <FactRow name="Registered"><Time at={artefact.created_at} absolute /></FactRow>
          <FactRow name="Content"><Id id={artefact.content_hash} /></FactRow>
        </dl>
      )}
    </section>
  );
}
