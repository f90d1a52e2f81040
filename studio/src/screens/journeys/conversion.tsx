import { useQuery } from '@tanstack/react-query';
import { createLazyRoute, Link } from '@tanstack/react-router';
import { queries } from '../../api/queries';
import type { Conversion as Data, Person, Touch } from '../../api/types';
import { Bars, Timeline } from '../../charts';
import { absoluteTime, count, humanise, money, percent, plural } from '../../format';
import { useMay } from '../../session';
import { Badge, Card, Id, Page, ProblemView, Skeleton, Time } from '../../ui';
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
  const worth = journey.value === null || journey.currency === null ? '' : ` worth ${money(journey.value, journey.currency)}`;
  return (
    <Page
      key={id} title={`${humanise(journey.conversion)}${worth}`} crumbs={back}
      lead={`${absoluteTime(journey.ended_at)}, after ${plural(data.touches_kept.length, 'counted touch', 'counted touches')}; ${data.touches_dropped.length} left out.`}
    >
      <TouchCard data={data} />
      <div className="conversion-grid">
        <CreditCard data={data} model={model} />
        <PersonCard person={data.person} currency={journey.currency ?? 'EUR'} journeyId={journey.journey_id} />
      </div>
    </Page>
  );
}

function TouchCard({ data: { journey, touches_kept, touches_dropped } }: { data: Data }) {
  const touches = [...touches_kept, ...touches_dropped];
  const channels = [...new Set([...touches_kept, ...touches_dropped].map((touch) => touch.channel))];
  const dropped = new Map<string, number>();
  for (const touch of touches_dropped) dropped.set(touch.rule, (dropped.get(touch.rule) ?? 0) + 1);
  const name = (touch: Touch) =>
    `${humanise(touch.channel)}: ${humanise(touch.kind).toLowerCase()}${touch.campaign && touch.campaign !== touch.channel ? `, ${touch.campaign}` : ''}`;

  return (
    <Card title="Touches" note="Every touch of this person before the conversion, by channel.">
      {touches.length === 0
        ? <p className="small muted">No touch is known before this conversion.</p>
        : (
          <Timeline
            caption="Touches before the conversion" file={`journey-${journey.journey_id}`}
            lanes={channels.map((channel) => ({ id: channel, title: humanise(channel) }))}
            events={touches.map((touch) => ({
              id: `${touch.source}/${touch.source_event_id}`, lane: touch.channel, at: touch.occurred_at,
              name: name(touch), solid: touch.kept, rule: ruleText(touch.rule),
            }))}
            end={{ at: journey.ended_at, name: humanise(journey.conversion) }}
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

function CreditCard({ data: { credit, journey }, model }: { data: Data; model?: string }) {
  const may = useMay();
  // Names of models, and one colour for a channel on every journey.
  const { data: all } = useQuery({ ...queries.attribution(journey.conversion), enabled: may('getAttribution') });
  const slots = (all?.channels ?? []).map(({ channel }) => channel).sort();
  const title = (id: string) => all?.models.find((known) => known.id === id)?.title ?? humanise(id);
  const models = Object.keys(credit).sort((a, b) => Number(b === model) - Number(a === model));
  const channels = [...new Set(models.flatMap((id) => Object.keys(credit[id] ?? {})))];
  return (
    <Card title="Credit by model" note="How each model splits this one conversion among the channels before it. Every row adds up to 100%.">
      {models.length === 0 && <p className="small muted">No model credits this conversion: it has no counted touch.</p>}
      {models.length > 0 && (
        <Bars
          caption="Share of credit by model and channel" file="credit-split" rowTitle="Model"
          series={channels.map((id) => ({ id, title: humanise(id), slot: slots.includes(id) ? slots.indexOf(id) : undefined }))}
          format={(share) => percent(share)}
          rows={models.map((id) => ({
            id, name: title(id),
            parts: channels.flatMap((series) => {
              const value = credit[id]?.[series] ?? 0;
              return value > 0 ? [{ series, value }] : [];
            }),
          }))}
        />
      )}
    </Card>
  );
}

function PersonCard({ person, currency, journeyId }: { person: Person; currency: string; journeyId: string }) {
  return (
    <Card title="Person" actions={person.masked ? <Badge>masked for your role</Badge> : undefined}>
      <div className="stack">
        <dl className="facts">
          <dt>Id</dt><dd><Id id={person.person_id} /></dd>
          <dt>Known by</dt><dd>{person.identifiers.length > 0 ? [...new Set(person.identifiers)].map(humanise).join(', ') : 'no identifier'}</dd>
          <dt>Events</dt><dd>{count(person.events)}</dd>
          <dt>Journey</dt><dd><Id id={journeyId} /></dd>
        </dl>
        <div className="stack-s">
          <h3>Last events</h3>
          <ul className="events">
            {person.last_events.map((event) => (
              <li key={`${event.source}/${event.event}`}>
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
