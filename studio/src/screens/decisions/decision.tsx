import { useQuery } from '@tanstack/react-query';
import { createLazyRoute, Link } from '@tanstack/react-router';
import { decisionQueries } from '../../api/decisions';
import type { DecisionThread } from '../../api/types';
import { absoluteTime, count, humanise, percent, plural, shortId } from '../../format';
import { useMay } from '../../session';
import { Badge, Card, EvidenceTier, Id, Notice, Page, ProblemView, Skeleton } from '../../ui';
import { LastEvents } from '../persons/events';
import { Identifiers } from '../persons/identifiers';
import { DecisionPart } from './decision-part';
import { Deliveries } from './deliveries';
import { EvidenceBehind } from './evidence';
import { JourneyParts } from './journey-parts';
import { LineNav, Part } from './line';
import { Action, Expiry, NetValue } from './parts';
import { actionName, consents, netInterval, reasons, reasonText } from './words';
import './decisions.css';

export const Route = createLazyRoute('/app/decisions/$entityId')({ component: Decision });

function Decision() {
  const { entityId } = Route.useParams();
  const { cycle, ...filter } = Route.useSearch();
  const { data, error, refetch } = useQuery(decisionQueries.thread(entityId));
  const back = <Link to="/decisions" search={filter}>Decisions</Link>;
  if (error) {
    return <Page title="Decision" crumbs={back}><ProblemView problem={error} onRetry={() => void refetch()} /></Page>;
  }
  if (!data) {
    return <Page title="Decision" crumbs={back} lead="Loading the thread."><Skeleton lines={[100, 100, 100]} height={180} /></Page>;
  }
  const { decision } = data;
  const [reason] = reasons(decision.rationale);
  return (
    <Page
      key={entityId} crumbs={back} title={`${actionName(decision.action)} for ${shortId(decision.entity_id)}`}
      lead={`${reason ? `${reasonText(reason)}. ` : ''}Decided ${absoluteTime(decision.decided_at)} by ${humanise(decision.policy_id)}, version ${decision.policy_version}.`}
    >
      {cycle !== undefined && cycle !== decision.cycle_id && (
        <Notice tone="info">This is the latest decision about this person. You came from the cycle {cycle}.</Notice>
      )}
      <Answer thread={data} />
      <Thread thread={data} />
    </Page>
  );
}

/** The decision in figures, before the thread behind it. */
function Answer({ thread: { decision } }: { thread: DecisionThread }) {
  const probability = decision.action_probabilities?.[decision.action];
  return (
    <dl className="answer">
      <div><dt>Action</dt><dd><Action action={decision.action} arm={decision.arm} /></dd></div>
      <div>
        <dt>Expected net value</dt>
        <dd><NetValue value={decision.expected_net_value} interval={netInterval(decision)} note={decision.interval_note} currency={decision.currency} /></dd>
      </div>
      <div>
        <dt>Probability of this action</dt>
        <dd>
          {percent(probability, 1)}
          {decision.confidence !== undefined && <span className="muted small"> Net value above zero with {percent(decision.confidence)}.</span>}
        </dd>
      </div>
      <div><dt>Evidence</dt><dd><EvidenceTier tier={decision.evidence_tier} /></dd></div>
      <div><dt>Good until</dt><dd><Expiry at={decision.expires_at} /></dd></div>
    </dl>
  );
}

function Thread({ thread }: { thread: DecisionThread }) {
  const { decision, person } = thread;
  return (
    <>
      <LineNav />
      <div className="thread">
        <Part id="event">
          <Card title="Event" note={`The last ${plural(person.last_events.length, 'signal')} of ${count(person.events)}, up to the latest run.`}>
            <LastEvents
              events={person.last_events} currency={decision.currency} file={`events-${person.person_id}`}
              end={{ at: decision.decided_at, name: 'Decision' }}
            />
          </Card>
        </Part>
        <Part id="person"><PersonPart thread={thread} /></Part>
        <JourneyParts person={person.person_id} decidedAt={decision.decided_at} currency={decision.currency} />
        <Part id="evidence">
          <Card title="Evidence" note="What the experiment behind this policy found.">
            <EvidenceBehind evidence={thread.evidence} tier={decision.evidence_tier} />
          </Card>
        </Part>
        <Part id="decision"><DecisionPart thread={thread} /></Part>
        <Part id="delivery">
          <Card title="Delivery" note="What became of it at each destination.">
            <Deliveries decision={decision} deliveries={thread.deliveries} />
          </Card>
        </Part>
      </div>
    </>
  );
}

function PersonPart({ thread: { decision, person, masked } }: { thread: DecisionThread }) {
  const may = useMay();
  const id = <Id id={person.person_id} />;
  return (
    <Card title="Person" actions={masked ? <Badge>masked for your role</Badge> : undefined}>
      <div className="stack">
        <dl className="facts left">
          <dt>Id</dt><dd>{may('explainPerson') ? <Link to="/persons/$id" params={{ id: person.person_id }}>{id}</Link> : id}</dd>
          <dt>Known by</dt><dd><Identifiers kinds={person.identifiers} /></dd>
          <dt>Events</dt><dd>{count(person.events)}</dd>
        </dl>
        <div className="stack-s">
          <h3>Consent when it was decided</h3>
          <ul className="consents">
            {consents(decision.consent).map(({ purpose, state }) => (
              <li key={purpose}>
                <span>{humanise(purpose)}</span>{' '}
                <Badge tone={state === 'granted' ? 'good' : state === 'denied' ? 'bad' : 'plain'}>{state}</Badge>
              </li>
            ))}
          </ul>
        </div>
      </div>
    </Card>
  );
}
