import { useQuery } from '@tanstack/react-query';
import { createLazyRoute, Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { queries } from '../../api/queries';
import type { Line, RunState } from '../../api/types';
import { absoluteTime, count, humanise } from '../../format';
import { useMay } from '../../session';
import { asOfOf } from '../../shell/as-of';
import { FreezeButton } from '../../shell/freeze';
import { Card, EmptyState, Notice, Page, ProblemView, Skeleton, Time } from '../../ui';
import { LineCard } from './line-card';
import { RunControls } from './run-controls';
import { RunsCard } from './runs-card';
import { runText, withRun } from './stages';
import './overview.css';

export const Route = createLazyRoute('/app/')({ component: Overview });

function Overview() {
  const may = useMay();
  const line = useQuery(queries.line());
  const current = useQuery({ ...queries.currentRun(), enabled: may('getCurrentRun') });

  if (line.error) {
    return <Page title="Overview"><ProblemView problem={line.error} onRetry={() => void line.refetch()} /></Page>;
  }
  if (!line.data) return <Loading />;
  const run = current.data ?? line.data.run;
  const never = line.data.stages.every(({ state }) => state === 'never') && run?.status !== 'running';
  const { project } = line.data;
  const asOf = asOfOf(line.data);

  return (
    <Page
      title="Overview"
      lead={asOf ? <>Data as of {absoluteTime(asOf)}.</> : 'No data published yet.'}
      actions={
        <>
          {!line.data.frozen && <FreezeButton />}
          {!never && <RunControls run={run} />}
        </>
      }
    >
      <RunNotice run={run} />
      {never
        ? <FirstRun run={run} questions={project.questions} />
        : (
          <>
            <Figures line={line.data} />
            <div className="overview-grid">
              <LineCard stages={withRun(line.data.stages, run)} />
              <div className="stack">
                <Purpose project={project} />
                {may('listRuns') && <RunsCard />}
              </div>
            </div>
          </>
        )}
    </Page>
  );
}

function RunNotice({ run }: { run: RunState | null }) {
  if (run?.status === 'running') {
    return (
      <Notice tone="info">
        <span>Run started by {run.requested_by} <Time at={run.started_at} />: {runText(run)}.</span>
      </Notice>
    );
  }
  if (run?.status === 'failed') {
    return <Notice tone="bad"><span className="wrap-anywhere">The last run failed: {run.error ?? 'no reason given'}. What was published before it stands.</span></Notice>;
  }
  return null;
}

function FirstRun({ run, questions }: { run: RunState | null; questions: string[] }) {
  return (
    <div className="card">
      <EmptyState title="Run the line once to see it here" action={<RunControls run={run} />}>
        <p>
          A run reads the project's sources, links events to people, builds journeys, credits channels, reads experiments,
          decides and hands over what is to be delivered. Each stage shows its counts here as it finishes.
        </p>
        {questions.length > 0 && <p>It sets out to answer:</p>}
        <ul className="questions">{questions.map((question) => <li key={question}>{question}</li>)}</ul>
      </EmptyState>
    </div>
  );
}

function Figures({ line }: { line: Line }) {
  const may = useMay();
  return (
    <dl className="figures">
      <Figure name="Last run">
        {line.last_run ? <><Time at={line.last_run.finished_at ?? line.last_run.started_at} /><small>{humanise(line.last_run.status)}</small></> : 'None'}
      </Figure>
      <Figure name="Next run">{line.next_run_at ? <Time at={line.next_run_at} /> : <>By hand<small>No schedule</small></>}</Figure>
      <Figure name="Approvals waiting" attention={line.approvals_pending > 0}>
        {may('listApprovals') ? <Link to="/approvals">{count(line.approvals_pending)}</Link> : count(line.approvals_pending)}
      </Figure>
      <Figure name="Quarantined rows" attention={line.quarantined > 0}>{count(line.quarantined)}<small>Kept out, with a reason each</small></Figure>
      <Figure name="Alarms" attention={line.alarms > 0}>{count(line.alarms)}</Figure>
    </dl>
  );
}

function Figure({ name, attention, children }: { name: string; attention?: boolean; children: ReactNode }) {
  return (
    <div className="figure" data-attention={attention || undefined}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Purpose({ project }: { project: Line['project'] }) {
  if (project.questions.length + project.success_metrics.length === 0) return null;
  return (
    <Card title="What this project answers">
      <div className="stack">
        <ul className="questions">{project.questions.map((question) => <li key={question}>{question}</li>)}</ul>
        {project.success_metrics.length > 0 && (
          <div className="stack-s">
            <h3 className="muted">Measured by</h3>
            <ul className="questions">{project.success_metrics.map((metric) => <li key={metric}>{metric}</li>)}</ul>
          </div>
        )}
      </div>
    </Card>
  );
}

function Loading() {
  return (
    <Page title="Overview" lead="Loading the line.">
      <Skeleton lines={[100]} height={84} />
      <div className="overview-grid">
        <Skeleton lines={[100]} height={900} />
        <Skeleton lines={[100, 100]} height={220} />
      </div>
    </Page>
  );
}
