import { useQuery } from '@tanstack/react-query';
import { createLazyRoute, Link, useNavigate } from '@tanstack/react-router';
import { type Comparison, type Experiment, evidenceQueries } from '../../api/evidence';
import { Assumptions, HealthBadge } from '../../evidence/parts';
import { anyNumber, isSuspect, reasons, verdictOf } from '../../evidence/words';
import { humanise, percent } from '../../format';
import { Badge, Card, EmptyState, EvidenceTier, Notice, Page, ProblemView, Segments, Skeleton } from '../../ui';
import { ArmsCard } from './arms';
import { EffectCard } from './effects';
import { HealthCard } from './health';

export const Route = createLazyRoute('/app/experiments/$name')({ component: ExperimentScreen });

function ExperimentScreen() {
  const { name } = Route.useParams();
  const { data, error, isPending, refetch } = useQuery(evidenceQueries.experiments());
  const experiment = data?.experiments.find((each) => each.name === name);
  return (
    <Page
      title={name} crumbs={<Link to="/experiments">Experiments</Link>}
      lead={experiment && (
        <span className="row">
          <HealthBadge health={experiment.reading.health} /> <EvidenceTier tier={experiment.reading.tier} />
          <span className="mono small wrap-anywhere">{experiment.file}</span>
        </span>
      )}
    >
      {error && <ProblemView problem={error} onRetry={() => void refetch()} />}
      {isPending && !error && <><Skeleton lines={[100]} height={280} /><Skeleton lines={[100]} height={420} /></>}
      {data && !experiment && (
        <div className="card">
          <EmptyState title="There is no experiment of this name" action={<Link to="/experiments">All experiments</Link>}>
            <p>It may have been renamed, or the last run did not read it.</p>
          </EmptyState>
        </div>
      )}
      {experiment && <Read experiment={experiment} />}
    </Page>
  );
}

function Read({ experiment }: { experiment: Experiment }) {
  const { effect } = Route.useSearch();
  const navigate = useNavigate({ from: '/experiments/$name' });
  const { comparisons } = experiment.reading;
  const suspect = isSuspect(experiment);
  const metrics = [...new Set(comparisons.map(({ metric }) => metric))];
  const assumptions = [...new Set(comparisons.flatMap(({ estimate }) => estimate?.assumptions ?? []))];
  return (
    <>
      {suspect && (
        <Notice tone="bad">
          <div className="stack-s">
            <strong>The differences of this experiment must not be used.</strong>
            {reasons(experiment).map((reason) => <span key={reason} className="wrap-anywhere">{reason}</span>)}
          </div>
        </Notice>
      )}
      <HealthCard experiment={experiment} />
      <Verdicts experiment={experiment} />
      {metrics.length > 0 && (
        <div className="row">
          <Segments
            label="How effects are told" value={effect ?? 'absolute'}
            options={[{ value: 'absolute', label: 'Per person' }, { value: 'relative', label: 'Relative to control' }]}
            onChange={(next) => void navigate({ search: (all) => ({ ...all, effect: next === 'relative' ? 'relative' : undefined }), replace: true })}
          />
        </div>
      )}
      {metrics.map((metric) => <EffectCard key={metric} experiment={experiment} metric={metric} relative={effect === 'relative'} />)}
      <ArmsCard reading={experiment.reading} />
      <Card title="What must hold" note="The effects mean what they say only while this is true.">
        <Assumptions texts={assumptions} none="The reading names no assumption beyond the random assignment, which the checks above look after." />
      </Card>
    </>
  );
}

/** Whether it is shown not to be worse than the margin that was set beforehand. */
export function marginText({ non_inferiority: margin }: Comparison): string {
  if (!margin) return '';
  const size = margin.relative ? `${percent(margin.margin, 1)} of the control` : anyNumber(margin.margin);
  return ` ${margin.shown ? 'Shown' : 'Not shown'} not to be worse by more than ${size}.`;
}

function Verdicts({ experiment }: { experiment: Experiment }) {
  const { comparisons } = experiment.reading;
  const arms = new Set(comparisons.map(({ arm }) => arm)).size;
  return (
    <Card title="What it says" note="Positive and harmful take more of a metric to be better, unless the experiment says that less is. Hold: the interval holds zero, so neither is shown.">
      {comparisons.length === 0 && <p className="small">There is nothing to compare: fewer than two arms, or no metric.</p>}
      <ul className="verdicts">
        {comparisons.map((comparison) => {
          const { word, tone, text } = verdictOf(comparison, isSuspect(experiment), comparisons.length);
          return (
            <li key={`${comparison.arm}/${comparison.metric}`}>
              <span><Badge tone={tone}>{word}</Badge></span>
              <span className="wrap-anywhere">{arms > 1 && <strong>{humanise(comparison.arm)}: </strong>}{text}{marginText(comparison)}</span>
            </li>
          );
        })}
      </ul>
    </Card>
  );
}
