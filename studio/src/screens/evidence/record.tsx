import { useQuery } from '@tanstack/react-query';
import { createLazyRoute, Link } from '@tanstack/react-router';
import { useState } from 'react';
import { evidenceQueries, type Ledger, type LedgerEntry } from '../../api/evidence';
import { IntervalMark } from '../../charts';
import { Assumptions, Findings, HealthBadge, StandingBadge, standingWhy, TierWords } from '../../evidence/parts';
import { designWords, inWords, pText, randomised, scopeWords, side, sourceName, spread, writer } from '../../evidence/words';
import { count, dateOf, effect, humanise, percent, plural } from '../../format';
import { Card, EmptyState, Notice, Outcome, Page, ProblemView, type Said, Skeleton } from '../../ui';
import { Actions } from './actions';
import { axes } from './ledger';
import { Notes } from './notes';
import { Details } from './results';

export const Route = createLazyRoute('/app/evidence/record')({ component: RecordScreen });

function RecordScreen() {
  const { id } = Route.useSearch();
  const [said, setSaid] = useState<Said | null>(null);
  const { data, error, isPending, refetch } = useQuery(evidenceQueries.ledger());
  const entry = data?.items.find(({ record }) => record.id === id);
  const title = entry ? `${humanise(entry.record.scope.action)} → ${humanise(entry.record.estimand.metric)}` : 'Evidence';
  return (
    <Page
      title={title} crumbs={<Link to="/evidence">Evidence</Link>}
      lead={entry && <span className="row"><StandingBadge standing={entry.standing} /><span className="wrap-anywhere">{sourceName(entry.record)}, until {dateOf(entry.record.scope.period_end)}</span></span>}
      actions={entry && <Actions entry={entry} onSaid={setSaid} />}
    >
      <Outcome said={said} onDismiss={() => setSaid(null)} />
      {error && <ProblemView problem={error} onRetry={() => void refetch()} />}
      {isPending && !error && <><Skeleton lines={[100]} height={240} /><Skeleton lines={[100]} height={240} /></>}
      {data && !entry && (
        <div className="card">
          <EmptyState title="There is no such record" action={<Link to="/evidence">All records</Link>}>
            <p>{id ? <span className="mono wrap-anywhere">{id}</span> : 'The address names none.'}</p>
          </EmptyState>
        </div>
      )}
      {data && entry && <Record entry={entry} ledger={data} />}
    </Page>
  );
}

function Record({ entry, ledger }: { entry: LedgerEntry; ledger: Ledger }) {
  const { record } = entry;
  const against = ledger.conflicts.filter(({ first, second }) => first === record.id || second === record.id);
  return (
    <>
      {record.health !== 'healthy' && (
        <Notice tone="bad"><span><strong>A check failed: this effect must not be used, and nobody can approve that away.</strong> The checks below say what happened.</span></Notice>
      )}
      {against.length > 0 && (
        <Notice>
          <span>
            {plural(against.length, 'other record')} about the same question {against.length === 1 ? 'says' : 'say'} something different.{' '}
            <Link to="/evidence">See the contradictions</Link>
          </span>
        </Notice>
      )}
      <div className="two-columns">
        <EffectCard entry={entry} ledger={ledger} />
        <AboutCard entry={entry} />
      </div>
      <Card title="What must hold" note={randomised(record.design) ? 'The assignment looks after the rest; checks look after the assignment.' : 'Whoever approves the record answers for these.'}>
        <Assumptions texts={record.assumptions} none="The record names no assumption." />
      </Card>
      <Card title="Checks" actions={<HealthBadge health={record.health} />}>
        <Findings findings={record.diagnostics} none="Nothing was found." />
      </Card>
      <Details record={record} />
      <Card title="What happened to it">
        <Notes entry={entry} />
      </Card>
    </>
  );
}

function EffectCard({ entry, ledger }: { entry: LedgerEntry; ledger: Ledger }) {
  const { estimand, estimate } = entry.record;
  const format = writer(estimand.contrast);
  const where = side(estimate);
  const says = where === 1 ? 'above zero' : where === -1 ? 'below zero' : 'not told from zero';
  return (
    <Card title="The effect" note={`${estimand.contrast === 'relative' ? 'Difference relative to the control’s mean' : 'Difference of means'} of ${inWords(estimand.metric)}: ${inWords(estimand.treatment)} against ${inWords(estimand.control)}.`}>
      <div className="stack">
        <div className="effect">
          <p><strong>{format(estimate.value)}</strong> <span className="muted small">{spread(estimate, format)}</span></p>
          <IntervalMark value={estimate.value} set={estimate.set} axis={axes(ledger.items)(entry)} />
        </div>
        <dl className="facts left">
          <dt>Says</dt><dd>{says}</dd>
          <dt>p-value</dt><dd>{pText(estimate.p_value)}: the chance to be at least so far from zero if there were no effect</dd>
          <dt>Standard error</dt><dd>{estimate.std_error === null ? 'the method gives none' : effect(estimate.std_error)}</dd>
          <dt>Level</dt><dd>{percent(estimate.level)}</dd>
          <dt>Observed</dt><dd>{plural(estimate.n, 'unit')}</dd>
          <dt>Method</dt><dd>{humanise(estimate.method)}, {inference(estimate.inference)}</dd>
        </dl>
      </div>
    </Card>
  );
}

const INFERENCE: Record<string, string> = {
  wald: 'with its standard error', inverted_test: 'all effects that a test does not reject', draws: 'from draws',
  rank: 'by its rank among placebos', sequential: 'valid at every look',
};
const inference = (kind: string) => INFERENCE[kind] ?? humanise(kind).toLowerCase();

function AboutCard({ entry }: { entry: LedgerEntry }) {
  const { record, notes } = entry;
  const { scope } = record;
  const used = notes.filter(({ kind }) => kind === 'used').length;
  return (
    <Card title="How it stands">
      <div className="stack">
        <p><StandingBadge standing={entry.standing} /> {standingWhy(entry)}</p>
        <dl className="facts left">
          <dt>About</dt><dd>{humanise(scope.action)}, {scopeWords(scope)}</dd>
          <dt>Period</dt><dd>{dateOf(scope.period_start)} to {dateOf(scope.period_end)}</dd>
          <dt>Design</dt><dd>{designWords(record.design)}</dd>
          <dt>Tier</dt><dd><TierWords tier={record.tier} /></dd>
          <dt>Expires</dt><dd>{record.expires_at ? dateOf(record.expires_at) : 'never'}</dd>
          <dt>Uses</dt><dd>{used === 0 ? 'nothing rested on it yet' : `${count(used)}, listed below`}</dd>
          <dt>Record</dt><dd className="mono">{record.id}</dd>
          {record.source?.data && <><dt>Data</dt><dd className="mono">{record.source.data}</dd></>}
        </dl>
      </div>
    </Card>
  );
}
