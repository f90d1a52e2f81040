import { useQuery } from '@tanstack/react-query';
import { createLazyRoute, Link } from '@tanstack/react-router';
import { queries } from '../../api/queries';
import type { Consent } from '../../api/types';
import { Bars, DotInterval } from '../../charts';
import { humanise, percent, plural } from '../../format';
import { Card, EmptyState, Page, ProblemView, Skeleton } from '../../ui';
import { activation, granted, REACH, standing, STATES, whole, withdrawals } from './figures';
import { ConflictsCard, DocumentedCard, LinkingCard, RemovedCard } from './tables';

export const Route = createLazyRoute('/app/consent')({ component: ConsentScreen });

const WITHDRAWAL = {
  forward: 'A withdrawal stops use from then on.',
  recompute: 'A withdrawal stops use, and the next run leaves out what happened before, too.',
};

function ConsentScreen() {
  const { data, error, isPending, refetch } = useQuery(queries.consent());
  return (
    <Page
      title="Consent"
      lead={data && data.people > 0
        ? <>What {plural(data.people, 'person', 'people')} agreed to, in {plural(data.events, 'event')}. {WITHDRAWAL[data.withdrawal]}</>
        : 'What people agreed to, by source and purpose, and who may be activated where.'}
    >
      {error && <ProblemView problem={error} onRetry={() => void refetch()} />}
      {isPending && !error && <><Skeleton lines={[100]} height={300} /><Skeleton lines={[100]} height={400} /></>}
      {data && (data.people > 0 ? <Documented consent={data} /> : <Nothing />)}
    </Page>
  );
}

function Nothing() {
  return (
    <div className="card">
      <EmptyState title="Nobody is known yet" action={<Link to="/">Go to the line</Link>}>
        <p>Once the line has run, what its sources say about consent is counted here.</p>
      </EmptyState>
    </div>
  );
}

function Documented({ consent }: { consent: Consent }) {
  const weeks = withdrawals(consent);
  return (
    <>
      <Card
        title="What stands"
        note="People by purpose. Of one source the latest statement counts; across sources a denial outranks; nothing said is no permission."
      >
        <Bars
          caption="People by purpose and what stands" file="consent-standing" rowTitle="Purpose" format={whole}
          series={STATES} rows={standing(consent)}
        />
      </Card>
      <Card title="Who may be activated where" note="People by the purpose of each destination, and whether they have the address it needs.">
        {consent.activation.length > 0
          ? (
            <Bars
              caption="People who may be activated, by destination" file="consent-activation" rowTitle="Destination" format={whole}
              series={REACH} rows={activation(consent)}
            />
          )
          : <p className="small">The project has no destinations.</p>}
      </Card>
      <Card
        title="Share with a grant, by source"
        note={`Of the people each source knows, with ${percent(consent.level)} intervals. Sources that are silent about a purpose have no mark.`}
      >
        <DotInterval
          caption="Share of people with a grant, by purpose and source" file="consent-shares" unit="Share of people"
          format={(value) => percent(value, 1)} tickFormat={(value) => percent(value)} levels={{ outer: consent.level }}
          titles={{ row: 'Purpose', series: 'Source' }} rows={granted(consent)}
          series={consent.sources.map(({ source }) => ({ id: source, title: source }))}
        />
      </Card>
      <DocumentedCard sources={consent.sources} />
      <ConflictsCard conflicts={consent.conflicts} />
      <Card title="Withdrawals" note="Times that what stood went from granted to denied, by week (beginning Monday, UTC) and purpose.">
        {weeks.rows.length > 0
          ? (
            <Bars
              caption="Withdrawals by week and purpose" file="consent-withdrawals" rowTitle="Week from" format={whole}
              series={weeks.purposes.map((id) => ({ id, title: humanise(id) }))} rows={weeks.rows}
            />
          )
          : <p className="small">Nobody has withdrawn.</p>}
      </Card>
      <LinkingCard linking={consent.linking} />
      <RemovedCard removed={consent.removed} />
    </>
  );
}
