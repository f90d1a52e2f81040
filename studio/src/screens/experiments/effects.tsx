import { getRouteApi, useNavigate } from '@tanstack/react-router';
import type { Comparison, Experiment, Look } from '../../api/evidence';
import { DotInterval, Paths } from '../../charts';
import { inWords, isSuspect, markOf, pText, spread, writer } from '../../evidence/words';
import { absoluteTime, count, dateOf, humanise, percent, plural, setText, timeTick } from '../../format';
import { Badge, Card, Select } from '../../ui';
import { BySegment } from './segments';

interface EffectCardProps {
  experiment: Experiment;
  metric: string;
  relative: boolean;
}

/** One metric: every arm against the control, then how each reading saw it. */
export function EffectCard({ experiment, metric, relative }: EffectCardProps) {
  const all = experiment.reading.comparisons.filter((each) => each.metric === metric);
  const control = all[0]?.control ?? 'control';
  return (
    <Card title={`Effect on ${inWords(metric)}`} note={<>Against {humanise(control).toLowerCase()}, {relative ? 'relative to its mean' : 'as a difference of means per person'}.</>}>
      <div className="stack">
        <Forest {...{ experiment, metric, relative }} comparisons={all} />
        {!relative && <BySegment experiment={experiment} metric={metric} />}
        {!relative && <OverTime experiment={experiment} metric={metric} />}
        {relative && <p className="small muted">Readings over time are kept as differences per person.</p>}
      </div>
    </Card>
  );
}

function Forest({ experiment, metric, relative, comparisons }: EffectCardProps & { comparisons: Comparison[] }) {
  const format = writer(relative ? 'relative' : 'absolute');
  const told = comparisons.flatMap((comparison) => {
    const estimate = relative ? comparison.relative : comparison.estimate;
    return estimate ? [{ comparison, estimate }] : [];
  });
  const untold = comparisons.filter((each) => !told.some(({ comparison }) => comparison === each));
  const level = told[0]?.estimate.level ?? 0.95;
  const adjusted = told.some(({ comparison }) => comparison.adjusted_p_value !== null && comparison.adjusted_p_value !== undefined);
  return (
    <>
      {told.length > 0 && (
        <DotInterval
          caption={`Effect on ${inWords(metric)} by arm`} file={`${experiment.name}-${metric}-${relative ? 'relative' : 'absolute'}`}
          unit={relative ? 'Relative effect' : 'Difference per person'} format={format} levels={{ outer: level }}
          titles={{ row: 'Arm', series: 'Estimate' }} series={[{ id: 'effect', title: 'Effect' }]} asideTitle={adjusted && !relative ? 'Adjusted' : 'Test'}
          rows={told.map(({ comparison, estimate }) => ({
            id: comparison.arm, name: humanise(comparison.arm), marks: { effect: markOf(estimate) },
            detail: isSuspect(experiment) ? <Badge tone="bad">not to be used</Badge> : undefined,
            aside: pText(relative ? estimate.p_value : comparison.adjusted_p_value ?? estimate.p_value),
          }))}
        />
      )}
      {told.map(({ comparison, estimate }) => (
        <p key={comparison.arm} className="small wrap-anywhere">
          {humanise(comparison.arm)}: <strong>{format(estimate.value)}</strong>, {spread(estimate, format)}, {pText(estimate.p_value)}
          {!relative && comparison.adjusted_p_value !== null && comparison.adjusted_p_value !== undefined && `, adjusted for all comparisons ${pText(comparison.adjusted_p_value)}`}
          , {plural(estimate.n, 'person', 'people')}, method {humanise(estimate.method)}
          {!relative && typeof comparison.variance_reduction === 'number' && `; adjustment removed ${percent(comparison.variance_reduction)} of the variance`}
          {!relative && comparison.band && `; with all comparisons at once ${setText([comparison.band], format)}`}.
        </p>
      ))}
      {untold.map((each) => (
        <p key={each.arm} className="small muted wrap-anywhere">
          {humanise(each.arm)}: no {relative ? 'relative ' : ''}effect, because {(relative ? each.relative_absent ?? each.estimate_absent : each.estimate_absent) ?? 'the data say nothing about it'}.
        </p>
      ))}
    </>
  );
}

const here = getRouteApi('/app/experiments/$name');

/** The same effect at each run that saw more data. */
function OverTime({ experiment, metric }: { experiment: Experiment; metric: string }) {
  const { arm: chosen } = here.useSearch();
  const navigate = useNavigate({ from: '/experiments/$name' });
  const of = (experiment.history ?? []).filter((look) => look.metric === metric);
  const arms = [...new Set(of.map(({ arm }) => arm))];
  const arm = arms.find((each) => each === chosen) ?? arms[0];
  if (arm === undefined) return <p className="small muted">No reading of it is kept yet, so there is nothing to show over time.</p>;
  const looks = of.filter((look) => look.arm === arm);
  const instants = looks.map(({ at }) => Date.parse(at));
  const format = writer('absolute');
  const comparison = experiment.reading.comparisons.find((each) => each.metric === metric && each.arm === arm);
  const sequential = comparison?.estimate?.inference === 'sequential';
  return (
    <section className="stack-s">
      <div className="row row-between">
        <h3>Over time{arms.length > 1 ? '' : `: ${humanise(arm)}`}</h3>
        {arms.length > 1 && (
          <Select
            label="Arm" inline value={arm} options={arms.map((value) => ({ value, label: humanise(value) }))}
            onChange={(value) => void navigate({ search: (all) => ({ ...all, arm: value }), replace: true })}
          />
        )}
      </div>
      <Paths
        caption={`Effect of ${humanise(arm).toLowerCase()} on ${inWords(metric)} at each reading`} file={`${experiment.name}-${metric}-${arm}-over-time`}
        xs={instants} level={comparison?.estimate?.level}
        x={{ title: 'Data until', time: true, format: (x) => dateOf(new Date(x).toISOString()), tick: timeTick(instants) }}
        y={{ title: 'Difference per person', format, zero: true }}
        lines={[lineOf(looks)]}
      />
      <p className="small muted">
        {plural(looks.length, 'reading')}, the last with data until {absoluteTime(looks.at(-1)?.at ?? '')} and {count(looks.at(-1)?.n)} people.
        {' '}{sequential
          ? 'The intervals hold at every look, however often one looks.'
          : 'Each interval is for one look at a time set in advance: stopping at the first that excludes zero finds effects that are not there.'}
      </p>
    </section>
  );
}

export function lineOf(looks: Look[]) {
  return {
    id: 'effect', title: 'Effect', values: looks.map(({ value }) => value),
    band: { low: looks.map(({ interval }) => interval[0]), high: looks.map(({ interval }) => interval[1]) },
    dots: looks.map(({ healthy }) => (healthy ? null : 'a check failed')),
  };
}
