import { useQuery } from '@tanstack/react-query';
import { createLazyRoute, Link } from '@tanstack/react-router';
import { url } from '../../api/client';
import { queries } from '../../api/queries';
import { type LatestTruth, truthQueries } from '../../api/truth';
import type { RunItem } from '../../api/types';
import { absoluteTime, plural } from '../../format';
import { useMay } from '../../session';
import { CopyButton, EmptyState, Notice, Page, ProblemView, Skeleton } from '../../ui';
import { CreditChart } from './chart';
import { PartCard } from './parts';
import './truth.css';

export const Route = createLazyRoute('/app/truth')({ component: TruthScreen });

/** Makes a project whose market is simulated, and runs it. */
const COMMANDS = 'throughline init shop --example demo\nthroughline run shop\nthroughline serve shop';

function TruthScreen() {
  const may = useMay();
  const latest = useQuery(truthQueries.latest());
  // The titles of the models; without them their names do.
  const attribution = useQuery({ ...queries.attribution(), enabled: may('getAttribution') && Boolean(latest.data?.truth) });
  const titles = attribution.data?.models ?? [];
  const models = Object.fromEntries(titles.flatMap(({ id, title }) => (title ? [[id, title]] : [])));
  const truth = latest.data?.truth;
  const loading = latest.isPending || attribution.isLoading;

  return (
    <Page
      title="Truth"
      lead={truth
        ? <>Estimates of <a href={url(`/runs/${truth.run_seq}/report.html`)}>run {truth.run_seq}</a>, as of {absoluteTime(truth.as_of)}, beside what is true in the simulated market.</>
        : 'Estimates of a run beside what is true in its simulated market.'}
    >
      {latest.error && <ProblemView problem={latest.error} onRetry={() => void latest.refetch()} />}
      {loading && !latest.error && <Loading />}
      {latest.data && !truth && <Unknown {...latest.data} />}
      {latest.data && truth && !loading && (
        <>
          <Newer runs={latest.data.without} />
          <CreditChart truth={truth} models={models} order={titles.map(({ id }) => id)} />
          {truth.parts.map((part) => <PartCard key={part.part} part={part} models={models} />)}
        </>
      )}
    </Page>
  );
}

/** Runs that are newer than the one shown. */
function Newer({ runs }: { runs: RunItem[] }) {
  if (runs.length === 0) return null;
  return (
    <Notice tone="info">
      <span>
        {plural(runs.length, 'newer run')}, the last as of {absoluteTime(runs[0]!.as_of)}, {runs.length === 1 ? 'was' : 'were'} not
        held against the truth: only a run that <code>throughline run</code> makes is.
      </span>
    </Notice>
  );
}

/** A run of a simulated project that was held against nothing looks like that of a real one: this claims no more than it knows. */
function Unknown({ without }: LatestTruth) {
  if (without.length === 0) {
    return (
      <div className="card">
        <EmptyState title="No run has finished yet" action={<Link to="/">Go to the line</Link>}>
          <p>Once <code>throughline run</code> has run a project whose market is simulated, its estimates are held against the truth here.</p>
        </EmptyState>
      </div>
    );
  }
  return (
    <div className="card">
      <EmptyState title="No run was held against a truth" action={<CopyButton text={COMMANDS} label="Copy the commands" />}>
        <p>
          {without.length === 1 ? 'The one run that finished was not.' : `None of the last ${without.length} runs that finished was.`}
          {' '}Unless this project's market is simulated, nobody knows the truth, and experiments come closest to it.
        </p>
        <p>
          If it is simulated, run it with <code>throughline run</code>: a run that is started here, or by a step of the
          market, is held against nothing. These commands make a simulated project and run it:
        </p>
        <pre className="command" tabIndex={0} aria-label="Commands for a simulated project"><code>{COMMANDS}</code></pre>
      </EmptyState>
    </div>
  );
}

function Loading() {
  return (
    <>
      <Skeleton lines={[100]} height={900} />
      <Skeleton lines={[100]} height={400} />
    </>
  );
}
