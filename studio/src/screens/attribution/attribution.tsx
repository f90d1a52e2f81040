import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { createLazyRoute, Link, useNavigate } from '@tanstack/react-router';
import type { Attribution as Data, ChannelCredit } from '../../api/types';
import { DotInterval, type DotRow } from '../../charts';
import { queries } from '../../api/queries';
import { busy, FilterBar, partFile, partWords } from '../../filters/filter-bar';
import { isPart, partOf } from '../../filters/search';
import { count, decimal, humanise, money, percent } from '../../format';
import { useMay } from '../../session';
import { Badge, Card, EmptyState, Page, ProblemView, Segments, Select, Skeleton, Tabs, Time } from '../../ui';
import { Breakdown } from './breakdown';
import { EvidenceCard } from './evidence-card';
import { columnsOf, isMarginal, markOf, marksOf, MEASURES, type Measure, measureWords, ofSpend, ordered, sharedBy, supportWords } from './figures';
import { BASELINE, HowToScale, IncrementalCard } from './incremental-card';
import { Missing } from './missing';
import { EmptyPart, NO_SPEND, PartNotes } from './part';
import { Platforms } from './platforms';
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
          onChange={(name) => void navigate({ search: (all) => ({ ...all, conversion: name, item: undefined }) })}
        />
      )}
      <Segments
        label="Measure" value={measure}
        options={MEASURES.map((value) => ({ value, label: measureWords(value, data.currency).label }))}
        onChange={(next) => void navigate({ search: (all) => ({ ...all, measure: next === 'conversions' ? undefined : next }) })}
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
      {data && data.channels.length > 0 && <Views data={data} measure={measure} />}
    </Page>
  );
}

/** Models beside each other, one of them broken down, and why platforms say otherwise. */
function Views({ data, measure }: { data: Data; measure: Measure }) {
  const { view = 'models' } = Route.useSearch();
  const may = useMay();
  const navigate = useNavigate({ from: '/attribution' });
  const tabs = [
    { id: 'models', title: 'By model', content: <ByModel whole={data} measure={measure} /> },
    ...(may('listCreditCells') ? [{ id: 'breakdown', title: 'Broken down', content: <Breakdown data={data} measure={measure} /> }] : []),
    ...(may('listBridges') ? [{ id: 'platforms', title: 'Why platforms differ', content: <Platforms of={sharedBy(measure)} models={data.models} /> }] : []),
  ];
  if (tabs.length === 1) return tabs[0]?.content;
  const open = (id: string) => (id === 'breakdown' || id === 'platforms' ? id : undefined);
  return (
    <Tabs
      label="Views of credit" tabs={tabs} selected={tabs.some(({ id }) => id === view) ? view : 'models'}
      onChange={(id) => void navigate({ search: (all) => ({ ...all, view: open(id) }) })}
    />
  );
}

/** The models beside each other, of all journeys or of the part that is asked for. */
function ByModel({ whole, measure }: { whole: Data; measure: Measure }) {
  const part = partOf(Route.useSearch());
  const navigate = useNavigate({ from: '/attribution' });
  const asked = isPart(part);
  const found = useQuery({ ...queries.attribution(whole.conversion, part), enabled: asked, placeholderData: (before: Data | undefined) => before ?? whole });
  const data = asked ? found.data : whole;
  // Figures that are still of something else are not said to be of the part.
  const told = asked && !found.isPlaceholderData ? data?.part : undefined;
  return (
    <div className="stack">
      <FilterBar
        part={part} choices={whole.filters} failed={found.isError}
        found={told ? { journeys: told.journeys, of: told.of_journeys, what: 'with a touch' } : null}
        onChange={(change) => void navigate({ search: (all) => ({ ...all, ...change }), replace: true })}
      />
      {told && told.journeys > 0 && <PartNotes part={told} whole={whole} />}
      {asked && found.error && <ProblemView problem={found.error} onRetry={() => void found.refetch()} />}
      {data && (
        <div className="of-part" {...busy(asked && found.isPlaceholderData)}>
          {data.part && data.channels.length === 0
            ? <div className="card"><EmptyPart part={data.part} unsplit={data.models.length === 0} /></div>
            : <Comparison data={data} measure={measure} file={partFile(part)} words={partWords(part)} />}
        </div>
      )}
    </div>
  );
}

interface ComparisonProps {
  data: Data;
  measure: Measure;
  /** The part in the name of a file, and in words. */
  file: string;
  words: string;
}

function Comparison({ data, measure, file, words }: ComparisonProps) {
  const navigate = useNavigate();
  const { label, unit, caption, write, tick } = measureWords(measure, data.currency);
  const { incremental, part } = data;
  const columns = columnsOf(data);
  // A key of one says nothing, so none is drawn.
  const only = columns.length === 1 ? columns[0] : undefined;
  const noSpend = part?.has_spend === false;
  const spendless = noSpend && ofSpend(measure);
  const of = sharedBy(measure);
  const told = ordered(data, of).map((channel) => ({ channel, ...marksOf(data, channel, measure) }));
  const baseline = incremental?.baseline ? markOf(incremental.baseline, measure) : null;
  // Most conversions may be caused by nobody; on an axis that holds them all, channels could not be told apart.
  const furthest = Math.max(...told.flatMap(({ marks }) => Object.values(marks).map(({ value }) => Math.abs(value))), 0);
  const rows: DotRow[] = [
    ...told.filter(({ marks }) => Object.keys(marks).length > 0).map(({ channel, marks }): DotRow => ({
      id: channel.channel, name: humanise(channel.channel), marks,
      detail: <Detail channel={channel} data={data} />,
      aside: channel.spend === null ? <span className="muted" title={noSpend ? `Not known: ${NO_SPEND}` : 'Spend is not known'}>–<span className="visually-hidden"> not known</span></span> : money(channel.spend, data.currency),
    })),
    ...(incremental && baseline && typeof baseline !== 'string' ? [{ id: BASELINE, name: BASELINE, marks: { [incremental.id]: baseline }, inert: true, beyond: Math.abs(baseline.value) > 1.5 * furthest, aside: <span className="muted">–</span> }] : []),
  ];
  const inner = told.some(({ marks }) => Object.values(marks).some((mark) => mark.inner !== null));

  return (
    <div className="stack attribution">
      <div className="attribution-grid">
        <EvidenceCard evidence={data.evidence} ofPart={part !== null} />
        <Card
          title="Credited by model"
          note={<>{only && `By “${only.title}”. `}{isMarginal(measure)
            ? <>Slopes of daily credit on daily spend, {percent(data.level)} intervals. Where spend follows demand, they hold the demand: an association, not an effect.</>
            : <>Intervals: {data.interval_method}, {inner && `${percent(data.inner_level)} and `}{percent(data.level)}. They show what other samples of journeys would have given, not whether a model is right.</>}{part && ' Models are fitted on all journeys, so that parts add up to the whole; intervals take that fit as given.'}</>}
        >
          <div className="stack">
            {rows.length === 0
              ? <p className="small">{label} is not known of any channel here{spendless && `: ${NO_SPEND}`}.</p>
              : (
                <DotInterval
                  caption={`${caption} to each channel by each model${words && `, ${words}`}`}
                  file={`attribution-${data.conversion}-${measure}-run-${data.run_seq ?? 0}${file}`}
                  rows={rows} series={columns} format={write} tickFormat={tick} unit={unit}
                  levels={{ outer: data.level, inner: inner ? data.inner_level : undefined }}
                  asideTitle="Spend"
                  onSelect={(channel, model) => void navigate({ to: '/journeys', search: { conversion: data.conversion, channel, model } })}
                />
              )}
            {!spendless && <Missing told={told.map(({ channel, missing }) => ({ channel: channel.channel, missing }))} columns={columns} />}
            {!incremental && !part && <HowToScale />}
          </div>
        </Card>
      </div>
      {incremental && <IncrementalCard data={data} incremental={incremental} of={of} />}
      <TotalsCard data={data} of={of} />
    </div>
  );
}

/** Under a channel's name: whether models disagree, and what its causal number rests on. */
function Detail({ channel, data: { incremental } }: { channel: ChannelCredit; data: Data }) {
  return (
    <>
      <Disagreement channel={channel} />
      {incremental && <span className="small muted wrap-anywhere">{supportWords(channel.credits[incremental.id]?.support)}</span>}
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
