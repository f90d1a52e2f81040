import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { queries } from '../../api/queries';
import type { Attribution, Bridge } from '../../api/types';
import { Waterfall } from '../../charts';
import { NotOfPart } from '../../filters/filter-bar';
import { partOf } from '../../filters/search';
import { dateOf, humanise } from '../../format';
import { Badge, Button, Card, EmptyState, ProblemView, Select, Skeleton } from '../../ui';
import { measureWords, same, type Shared } from './figures';

const here = getRouteApi('/app/attribution');

const CAUSES: Record<string, { name: string; text: string }> = {
  credit: { name: 'Shared credit', text: 'We share a conversion among the channels before it; the platform claims all of it for itself.' },
  window: { name: 'Window', text: 'It credits touches for another time after they happened than we do.' },
  view_through: { name: 'Views', text: 'It counts people who only saw an advertisement otherwise than we do.' },
  consent: { name: 'Consent', text: 'We leave out touches of people who did not permit measurement; it counts under a consent of its own.' },
  duplicate: { name: 'Repeats', text: 'It counts repeated conversions after one touch otherwise than we do.' },
  time_zone: { name: 'Days', text: 'It reports under another day: in its own time zone, or on the day of the touch.' },
  identity: { name: 'Not explained', text: 'What is left: people and devices that could not be linked, conversions it models, and what only one side saw.' },
};

export const causeWords = (cause: string) => CAUSES[cause] ?? { name: humanise(cause), text: 'This version of the studio does not know this cause.' };

/** Whether the lines lead from our credit to what is reported. */
export const addsUp = ({ ours, lines, reported }: Bridge, of: Shared) =>
  same(lines.reduce((sum, { difference }) => sum + difference[of], ours[of]), reported[of]);

/** Why platforms report other numbers than we credit, line by line. */
export function Platforms({ of, models }: { of: Shared; models: Attribution['models'] }) {
  const { model, ...search } = here.useSearch();
  const navigate = useNavigate({ from: '/attribution' });
  const choose = (next: string | undefined) => void navigate({ search: (all) => ({ ...all, model: next }), replace: true });
  const { data, error, isPending, refetch } = useQuery({ ...queries.bridges(model), placeholderData: keepPreviousData });
  if (error) {
    return (
      <div className="stack">
        <ProblemView problem={error} onRetry={() => void refetch()} />
        {model && <div className="row"><Button onPress={() => choose(undefined)}>Compare the project’s first model</Button></div>}
      </div>
    );
  }
  if (isPending) return <Skeleton lines={[100]} height={420} />;
  const [first] = data.platforms;
  if (!first) return <Undeclared />;
  const choices = models.filter(({ id }) => splits(id) || id === first.model);
  return (
    <div className="stack attribution">
      <NotOfPart part={partOf(search)}>The comparison with platforms is of all journeys.</NotOfPart>
      {choices.length > 1 && (
        <div className="row">
          <Select
            label="Our credit by" inline value={first.model} onChange={choose}
            options={choices.map(({ id, title }) => ({ value: id, label: title || id }))}
          />
        </div>
      )}
      {data.platforms.map((bridge) => <BridgeCard key={`${bridge.platform}/${bridge.conversion}`} bridge={bridge} of={of} currency={data.currency} models={models} />)}
    </div>
  );
}

/** Models that look at all paths at once split none, so there is nothing to compare conversion by conversion. */
const splits = (id: string) => !/^(incremental|markov|shapley|shapley_simplified|shapley_ordered|shao_li|hazard|logistic)(:|$)/.test(id);

function BridgeCard({ bridge, of, currency, models }: { bridge: Bridge; of: Shared; currency: string; models: Attribution['models'] }) {
  const { platform, days, lines, ours, reported } = bridge;
  const { write, tick } = measureWords(of, currency);
  const model = models.find(({ id }) => id === bridge.model)?.title ?? bridge.model;
  const exact = addsUp(bridge, of);
  return (
    <Card
      title={platform} actions={days && (exact ? <Badge tone="good">✓ adds up</Badge> : <Badge tone="bad">does not add up</Badge>)}
      note={days
        ? <>“{humanise(bridge.conversion)}” from {dateOf(days[0])} to {dateOf(days[1])}, the days that it reports. Each line turns one more setting from ours to the platform’s, in this order.</>
        : <>“{humanise(bridge.conversion)}”.</>}
    >
      {!days && <p className="small">It reports nothing yet: no row of spend from its sources carries conversions.</p>}
      {days && (
        <Waterfall
          caption={`From our credit to what ${platform} reports`} file={`bridge-${platform}-${of}`}
          unit={of === 'value' ? `Value, ${currency}` : 'Conversions'} format={write} tick={tick}
          start={{ name: 'Our credit', text: `What “${model}” credits to its channels on these days.`, value: ours[of] }}
          steps={lines.map(({ cause, difference, so_far }) => ({ id: cause, ...causeWords(cause), difference: difference[of], after: so_far[of] }))}
          end={{ name: 'Reported', text: `What ${platform} reports.`, value: reported[of] }}
        />
      )}
    </Card>
  );
}

const EXAMPLE = `platforms:
  - name: Search ads
    like: google_ads
    sources: [google_ads]
    channels: [paid_search]
    conversion: purchase
    time_zone: Europe/Berlin`;

function Undeclared() {
  return (
    <div className="card">
      <EmptyState title="No platform is declared">
        <p>
          Platforms report conversions of their own, and they differ from ours. Say under <code>platforms:</code> in <code>attribution.yaml</code> how
          each of them counts, and every difference is told by its cause. <code>like</code> takes the habits of <code>google_ads</code>, <code>meta</code> or <code>ga4</code>; what
          differs can be said beside it.
        </p>
        <pre className="command"><code>{EXAMPLE}</code></pre>
      </EmptyState>
    </div>
  );
}
