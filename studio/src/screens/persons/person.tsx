import { useQuery } from '@tanstack/react-query';
import { createLazyRoute, Link } from '@tanstack/react-router';
import { useState } from 'react';
import { decisionCommands, decisionQueries } from '../../api/decisions';
import type { RevealedIdentifier } from '../../api/types';
import { queries } from '../../api/queries';
import type { Person as Data } from '../../api/types';
import { count, humanise, plural, shortId } from '../../format';
import { useMay } from '../../session';
import { Badge, Button, Card, Id, Notice, Page, ProblemView, ReasonDialog, Skeleton } from '../../ui';
import { LastEvents } from './events';
import { Identifiers } from './identifiers';
import './persons.css';

export const Route = createLazyRoute('/app/persons/$id')({ component: Person });

function Person() {
  const { id } = Route.useParams();
  const may = useMay();
  const line = useQuery({ ...queries.line(), enabled: may('getLine') });
  const { data, error, refetch } = useQuery(decisionQueries.person(id));
  const back = may('listDecisions') ? <Link to="/decisions">Decisions</Link> : undefined;
  if (error) {
    return <Page title="Person" crumbs={back}><ProblemView problem={error} onRetry={() => void refetch()} /></Page>;
  }
  if (!data) {
    return <Page title="Person" crumbs={back} lead="Loading the person."><Skeleton lines={[100, 100]} height={220} /></Page>;
  }
  return (
    <Page
      key={id} crumbs={back} title={`Person ${shortId(data.person_id)}`}
      lead={`${plural(data.events, 'event')}, known by ${plural(data.identifiers.length, 'identifier')}.`}
    >
      <Card title="Last events" note={`The last ${count(data.last_events.length)} of ${count(data.events)}.`}>
        <LastEvents events={data.last_events} currency={line.data?.project.currency ?? 'EUR'} file={`events-${data.person_id}`} />
      </Card>
      <IdentifierCard key={data.person_id} person={data} />
    </Page>
  );
}

/** Values stay in this component's state: they are in no cache and gone when the page is left. */
function IdentifierCard({ person }: { person: Data }) {
  const may = useMay();
  const [asking, setAsking] = useState(false);
  const [revealed, setRevealed] = useState<RevealedIdentifier[] | null>(null);
  return (
    <Card
      title="Identifiers"
      note="Values lie in the vault. What is known outside it are their kinds."
      actions={person.masked ? <Badge>masked for your role</Badge> : undefined}
    >
      <div className="stack">
        <dl className="facts left">
          <dt>Id</dt><dd><Id id={person.person_id} /></dd>
          <dt>Known by</dt><dd><Identifiers kinds={person.identifiers} /></dd>
          {may('explainDecision') && (
            <>
              <dt>Decided</dt>
              <dd><Link to="/decisions/$entityId" params={{ entityId: person.person_id }}>The latest decision about this person</Link></dd>
            </>
          )}
        </dl>
        {revealed && <Revealed identifiers={revealed} />}
        {!revealed && may('revealIdentifiers') && (
          <div><Button onPress={() => setAsking(true)}>Reveal identifiers</Button></div>
        )}
        <ReasonDialog
          title="Reveal identifiers" action="Reveal" open={asking} onClose={() => setAsking(false)}
          explanation={<p>The vault opens the identifiers of this person for you. Who asked, for whom, when and why is recorded before anything is shown.</p>}
          onSubmit={async (reason) => setRevealed((await decisionCommands.revealIdentifiers(person.person_id, reason)).identifiers)}
        />
      </div>
    </Card>
  );
}

function Revealed({ identifiers }: { identifiers: RevealedIdentifier[] }) {
  return (
    <div className="stack-s">
      <Notice tone="info">This access was recorded in the audit log. The values are shown until you leave this page.</Notice>
      <dl className="facts left revealed">
        {identifiers.map(({ kind, value }, at) => (
          <div key={at}>
            <dt>{kind === null ? 'Unknown kind' : humanise(kind)}</dt>
            <dd>{value === null ? <span className="muted">erased</span> : <span className="mono">{value}</span>}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
