import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { createLazyRoute, Link, useNavigate } from '@tanstack/react-router';
import type { Attribution as Data, ChannelCredit } from '../../api/types';
import { DotInterval, type DotRow } from '../../charts';
import { queries } from '../../api/queries';
import { count, decimal, humanise, money, moneyTick, percent } from '../../format';
import { Badge, Card, EmptyState, Page, ProblemView, Segments, Select, Skeleton, Time } from '../../ui';
import { EvidenceCard } from './evidence-card';
import { type Measure, markOf, ordered } from './figures';
import { TotalsCard } from './totals-card';
import './attribution.css';

export const Route = createLazyRoute('/app/attribution')({ component: Attribution });

function Attribution() {
  const { conversion, measure: chosen } = Route.useSearch();
  const navigate = useNavigate({ from: '/attribution' });
  const measure: Measure = chosen ?? 'conversions';
  const { data, error, refetch } = useQuery({ ...queries.attribution(conversion), placeholderData: keepPreviousData });

  const controls = data && (
    <>
      {data.conversions.length > 1 && (
        <Select
          label="Conversion" inline value={data.conversion}
          options={data.conversions.map((name) => ({ value: name, label: humanise(name) }))}
          onChange={(name) => void navigate({ search: (all) => ({ ...all, conversion: name }) })}
        />
      )}
      <Segments
        label="Measure" value={measure}
        options={[{ value: 'conversions', label: 'Conversions' }, { value: 'value', label: `Value (${data.currency})` }]}
        onChange={(next) => void navigate({ search: (all) => ({ ...all, measure: next === 'value' ? 'value' : undefined }) })}
      />
    </>
  );

  return (
    <Page
      title="Attribution"
      lead={data ? <>Credit for “{humanise(data.conversion)}”, {data.run_seq !== null && <>from <Link to="/">run {data.run_seq}</Link>, published <Time at={data.published_at} /></>}.</> : 'Credit of every channel, by every model, with its uncertainty.'}
      actions={controls}
    >
      {error && <ProblemView problem={error} onRetry={() => void refetch()} />}
      {!data && !error && <Loading />}
      {data && data.channels.length === 0 && (
        <div className="card">
          <EmptyState title="No conversion has a path yet" action={<Link to="/">Go to the line</Link>}>
            <p>Credit appears once a run has found conversions with touches before them.</p>
          </EmptyState>
        </div>
      )}
      {data && data.channels.length > 0 && <Comparison data={data} measure={measure} />}
    </Page>
  );
}

function Comparison({ data, measure }: { data: Data; measure: Measure }) {
  const navigate = useNavigate();
  const write = (value: number) => (measure === 'value' ? money(value, data.currency) : decimal(value, Number.isInteger(value) ? 0 : 1));
  const rows = ordered(data, measure).map((channel): DotRow => ({
    id: channel.channel,
    name: humanise(channel.channel),
    detail: <Disagreement channel={channel} />,
    aside: channel.spend === null ? <span className="muted" title="Spend is not known">–<span className="visually-hidden"> not known</span></span> : money(channel.spend, data.currency),
    marks: Object.fromEntries(data.models.flatMap(({ id }) => {
      const credit = channel.credits[id];
      return credit ? [[id, markOf(credit, measure)]] : [];
    })),
  }));

  return (
    <>
      <div className="attribution-grid">
        <EvidenceCard evidence={data.evidence} />
        <Card title="Credited by model" note={<>Intervals: {data.interval_method}, {percent(data.inner_level)} and {percent(data.level)}. They show what other samples of journeys would have given, not whether a model is right.</>}>
          <DotInterval
            caption={`${measure === 'value' ? 'Value' : 'Conversions'} credited to each channel by each model`}
            file={`attribution-${data.conversion}-${measure}-run-${data.run_seq ?? 0}`}
            rows={rows} series={data.models.map(({ id, title }) => ({ id, title: title || id }))} format={write}
            tickFormat={(value) => (measure === 'value' ? moneyTick(value, data.currency) : count(value))}
            unit={measure === 'value' ? `Value, ${data.currency}` : 'Conversions'}
            levels={{ outer: data.level, inner: data.inner_level }}
            asideTitle="Spend"
            onSelect={(channel, model) => void navigate({ to: '/journeys', search: { conversion: data.conversion, channel, model } })}
          />
        </Card>
      </div>
      <TotalsCard data={data} measure={measure} />
    </>
  );
}

/** Where the choice of a model changes the answer by more than chance does. */
function Disagreement({ channel: { disagreement } }: { channel: ChannelCredit }) {
  if (!disagreement?.disjoint) return null;
  const { ratio, lowest, highest } = disagreement;
  return (
    <span title={`From ${count(lowest)} to ${count(highest)} conversions; at least two models' intervals do not overlap`}>
      <Badge tone="warn">disagree{ratio !== null && Number.isFinite(ratio) ? ` ×${decimal(ratio, ratio < 10 ? 1 : 0)}` : ''}</Badge>
    </span>
  );
}

function Loading() {
  return (
    <div className="attribution-grid">
      <Skeleton lines={[100]} height={620} />
      <Skeleton lines={[100]} height={1000} />
    </div>
  );
}
