import { useQuery } from '@tanstack/react-query';
import { createLazyRoute, Link } from '@tanstack/react-router';
import { queries } from '../../api/queries';
import type { Conversion as Data, Touch } from '../../api/types';
import { Timeline } from '../../charts';
import { absoluteTime, count, humanise, money, monthOf, plural } from '../../format';
import { useMay } from '../../session';
import { Badge, Card, Id, Page, ProblemView, Skeleton, Time } from '../../ui';
import { CreditSplit } from './credit';
import { IdentityCard } from './identity';
import { ruleText } from './rules';
import './journeys.css';

export const Route = createLazyRoute('/app/journeys/$id')({ component: Conversion });

function Conversion() {
  const { id } = Route.useParams();
  const { channel, model } = Route.useSearch();
  const { data, error, refetch } = useQuery(queries.conversion(id));
  const back = (
    <>
      <Link to="/journeys" search={{ channel, model }}>Journeys</Link>
      {' · '}
      <Link to="/attribution">Attribution</Link>
    </>
  );
  if (error) {
    return <Page title="Journey" crumbs={back}><ProblemView problem={error} onRetry={() => void refetch()} /></Page>;
  }
  if (!data) {
    return <Page title="Journey" crumbs={back} lead="Loading the journey."><Skeleton lines={[100, 100]} height={300} /></Page>;
  }
  const { journey } = data;
  const worth = journey.value === undefined || journey.currency === undefined ? '' : ` worth ${money(journey.value, journey.currency)}`;
  return (
    <Page
      key={id} title={`${humanise(journey.conversion ?? 'no conversion')}${worth}`} crumbs={back}
      lead={`${absoluteTime(journey.ended_at)}, after ${plural(data.touches_kept.length, 'counted touch', 'counted touches')}; ${data.touches_dropped.length} left out.`}
    >
      <TouchCard data={data} />
      <div className="conversion-grid">
        <CreditCard data={data} model={model} />
        <PersonCard data={data} />
      </div>
      <IdentityCard identity={data.identity} />
    </Page>
  );
}

/** What a touch was: how the channel was met, and where. */
export function touchText({ channel, kind, interaction, campaign, ad, geo, device }: Touch): string {
  const met = interaction && interaction !== kind ? `${inWords(kind)} (${inWords(interaction)})` : inWords(kind);
  const parts = [met, campaign !== channel && campaign, ad && `advertisement ${ad}`, geo && `in ${geo}`, device && `on ${device}`];
  return `${humanise(channel)}: ${parts.filter(Boolean).join(', ')}`;
}

const inWords = (name: string) => humanise(name).toLowerCase();

function TouchCard({ data: { journey, touches_kept, touches_dropped } }: { data: Data }) {
  const touches = [...touches_kept, ...touches_dropped];
  const channels = [...new Set([...touches_kept, ...touches_dropped].map((touch) => touch.channel))];
  const dropped = new Map<string, number>();
  for (const touch of touches_dropped) dropped.set(touch.rule, (dropped.get(touch.rule) ?? 0) + 1);
  return (
    <Card title="Touches" note="Every touch of this person before the conversion, by channel.">
      {touches.length === 0
        ? <p className="small muted">No touch is known before this conversion.</p>
        : (
          <Timeline
            caption="Touches before the conversion" file={`journey-${journey.journey_id}`}
            lanes={channels.map((channel) => ({ id: channel, title: humanise(channel) }))}
            // Ids of events are the same dots for everyone who may not see them.
            events={touches.map((touch, at) => ({
              id: String(at), lane: touch.channel, at: touch.occurred_at,
              name: touchText(touch), solid: touch.kept, rule: ruleText(touch.rule),
            }))}
            end={{ at: journey.ended_at, name: humanise(journey.conversion ?? 'end') }}
          />
        )}
      {dropped.size > 0 && (
        <dl className="rules">
          {[...dropped].map(([rule, n]) => <div key={rule}><dt>{n}</dt> <dd>left out: {ruleText(rule)}</dd></div>)}
        </dl>
      )}
    </Card>
  );
}

function CreditCard({ data, model }: { data: Data; model?: string }) {
  return (
    <Card title="Credit by model" note="How each model splits this one conversion among the channels before it. Every row adds up to 100%.">
      <CreditSplit data={data} model={model} />
    </Card>
  );
}

function PersonCard({ data: { person, masked, journey } }: { data: Data }) {
  const may = useMay();
  const currency = journey.currency ?? 'EUR';
  const id = <Id id={person.person_id} />;
  return (
    <Card title="Person" actions={masked ? <Badge>masked for your role</Badge> : undefined}>
      <div className="stack">
        <dl className="facts">
          <dt>Id</dt><dd>{may('explainPerson') ? <Link to="/persons/$id" params={{ id: person.person_id }}>{id}</Link> : id}</dd>
          <dt>Known by</dt><dd>{person.identifiers.length > 0 ? [...new Set(person.identifiers)].map(humanise).join(', ') : 'no identifier'}</dd>
          <dt>Events</dt><dd>{count(person.events)}</dd>
          {journey.cohort && <><dt>First seen</dt><dd>{monthOf(Date.parse(journey.cohort))}</dd></>}
          {journey.geo && <><dt>Place</dt><dd>{journey.geo}</dd></>}
          {journey.device && <><dt>Device</dt><dd>{humanise(journey.device)}</dd></>}
          <dt>Journey</dt><dd><Id id={journey.journey_id} /></dd>
          {journey.config_id && <><dt title="Equal ids, equal rules: how touches became this journey">Configuration</dt><dd><Id id={journey.config_id} /></dd></>}
        </dl>
        <div className="stack-s">
          <h3>Last events</h3>
          <ul className="events">
            {person.last_events.map((event, at) => (
              <li key={at}>
                <span>{humanise(event.kind)}</span>
                <span className="numeric">{event.value !== null ? money(event.value, currency) : ''}</span>
                <small><Time at={event.at} absolute /> · {event.channel ? `${humanise(event.channel)}, ` : ''}{event.source}</small>
              </li>
            ))}
          </ul>
        </div>
      </div>
    </Card>
  );
}
