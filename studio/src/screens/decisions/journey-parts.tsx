import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { decisionQueries } from '../../api/decisions';
import { queries } from '../../api/queries';
import type { ConversionItem } from '../../api/types';
import { count, dateOf, humanise, money } from '../../format';
import { useMay } from '../../session';
import { Badge, Card, ProblemLine, Skeleton, Time } from '../../ui';
import { CreditSplit } from '../journeys/credit';
import { Path } from '../journeys/path';
import { Part } from './line';

const SHOWN = 5;

interface JourneyPartsProps {
  person: string;
  decidedAt: string;
  currency: string;
}

/** What the person did before converting, and which channels that is credited to. */
export function JourneyParts({ person, decidedAt, currency }: JourneyPartsProps) {
  const may = useMay();
  const { data, error } = useQuery({ ...decisionQueries.journeysOf(person), enabled: may('listConversions') });
  const journeys = data ?? [];
  // Credit that could have been known: the newest conversion before the decision, else the newest.
  const credited = journeys.find(({ ended_at }) => Date.parse(ended_at) <= Date.parse(decidedAt)) ?? journeys[0];
  return (
    <>
      <Part id="journey">
        <Card title="Journey" note="Conversions of this person, newest first. Open one to see every touch and the rule that kept it or left it out.">
          {!may('listConversions') && <p className="small muted">Your role does not include journeys.</p>}
          {error && <ProblemLine problem={error} />}
          {may('listConversions') && !data && !error && <Skeleton />}
          {data && journeys.length === 0 && <p className="small muted">This person has not converted.</p>}
          {journeys.length > 0 && (
            <ul className="thread-list">
              {journeys.slice(0, SHOWN).map((item) => <Journey key={item.id} item={item} decidedAt={decidedAt} currency={currency} />)}
            </ul>
          )}
          {journeys.length > SHOWN && <p className="small muted">And {count(journeys.length - SHOWN)} before those.</p>}
        </Card>
      </Part>
      <Part id="credit">
        <Card
          title="Credit"
          note={credited && `How each model splits the ${humanise(credited.conversion).toLowerCase()} of ${dateOf(credited.ended_at)} among the channels before it.`}
        >
          {credited && may('explainConversion')
            ? <Credit id={credited.id} />
            : <p className="small muted">{credited ? 'Your role does not include what is behind a conversion.' : 'Without a conversion there is nothing to credit.'}</p>}
        </Card>
      </Part>
    </>
  );
}

function Journey({ item, decidedAt, currency }: { item: ConversionItem; decidedAt: string; currency: string }) {
  const after = Date.parse(item.ended_at) > Date.parse(decidedAt);
  return (
    <li>
      <div className="row row-between">
        <Link to="/journeys/$id" params={{ id: item.id }}>{humanise(item.conversion)} <Time at={item.ended_at} absolute /></Link>
        <span className="numeric">{money(item.value, currency)}</span>
      </div>
      <div className="row small"><Path path={item.path} />{after && <Badge>after the decision</Badge>}</div>
    </li>
  );
}

function Credit({ id }: { id: string }) {
  const { data, error } = useQuery(queries.conversion(id));
  if (error) return <ProblemLine problem={error} />;
  return data ? <CreditSplit data={data} /> : <Skeleton />;
}
