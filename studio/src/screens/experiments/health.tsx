import type { Experiment, SampleRatio, UnitChecks } from '../../api/evidence';
import { Findings, HealthBadge } from '../../evidence/parts';
import { inWords, pText } from '../../evidence/words';
import { count, decimal, humanise, NONE, percent, plural } from '../../format';
import { Badge, Card, type Column, DataTable } from '../../ui';

interface Size {
  arm: string;
  weight: number;
  observed: number;
  expected: number;
}

/** The sizes of arms in the order of the plan. */
export function sizes({ reading: { srm, arms } }: Experiment): Size[] {
  return arms.map(({ arm, weight, units }, at) => ({ arm, weight, observed: srm.observed[at] ?? units, expected: srm.expected[at] ?? 0 }));
}

const off = ({ observed, expected }: Size) => (expected > 0 ? observed / expected - 1 : null);
const signed = (share: number | null) => (share === null ? NONE : `${share > 0 ? '+' : ''}${percent(share, 2)}`);

const SIZES: Column<Size>[] = [
  { id: 'arm', header: 'Arm', accessorFn: ({ arm }) => arm, meta: { rowHeader: true }, cell: ({ row }) => <span className="item-name">{humanise(row.original.arm)}</span> },
  { id: 'observed', header: 'Observed', accessorFn: ({ observed }) => observed, meta: { numeric: true }, cell: ({ row }) => count(row.original.observed) },
  { id: 'expected', header: 'Expected', accessorFn: ({ expected }) => expected, meta: { numeric: true }, cell: ({ row }) => decimal(row.original.expected, Number.isInteger(row.original.expected) ? 0 : 1) },
  { id: 'off', header: 'Off by', accessorFn: off, meta: { numeric: true }, cell: ({ row }) => signed(off(row.original)) },
  { id: 'weight', header: 'Weight', accessorFn: ({ weight }) => weight, meta: { numeric: true }, cell: ({ row }) => decimal(row.original.weight, Number.isInteger(row.original.weight) ? 0 : 2) },
];

interface Values {
  arm: string;
  metric: string;
  n: number;
  missing: number;
  invalid: number;
}

const VALUES: Column<Values>[] = [
  { id: 'arm', header: 'Arm', accessorFn: ({ arm }) => arm, meta: { rowHeader: true }, cell: ({ row }) => <span className="item-name">{humanise(row.original.arm)}</span> },
  { id: 'metric', header: 'Metric', accessorFn: ({ metric }) => metric, cell: ({ row }) => <span className="wrap-anywhere">{humanise(row.original.metric)}</span> },
  { id: 'n', header: 'With a value', accessorFn: ({ n }) => n, meta: { numeric: true }, cell: ({ row }) => count(row.original.n) },
  { id: 'missing', header: 'Missing', accessorFn: ({ missing }) => missing, meta: { numeric: true }, cell: ({ row }) => count(row.original.missing) },
  { id: 'invalid', header: 'Not allowed', accessorFn: ({ invalid }) => invalid, meta: { numeric: true }, cell: ({ row }) => count(row.original.invalid) },
];

/** What to know before looking at any difference. */
export function HealthCard({ experiment }: { experiment: Experiment }) {
  const { srm, arms, diagnostics, health } = experiment.reading;
  const values = arms.flatMap(({ arm, metrics }) => metrics.map(({ metric, n, missing, invalid }) => ({ arm, metric, n, missing, invalid })));
  const absent = values.filter(({ missing, invalid }) => missing + invalid > 0);
  return (
    <Card title="Health checks" actions={<HealthBadge health={health} />} note="Read these first: where one failed, a difference says nothing about the treatment.">
      <div className="evidence-tables">
        <section className="stack-s">
          <h3>Sizes of the arms</h3>
          <p className="small">{srmWords(srm)}</p>
          <DataTable caption="Sizes of the arms" rows={sizes(experiment)} columns={SIZES} rowId={({ arm }) => arm} stacked />
        </section>
        <section className="stack-s">
          <h3>Missing values</h3>
          {absent.length === 0
            ? <p className="small">{values.length === 0 ? 'No metric was read.' : `None: every person has a value of ${values.length === arms.length ? 'the metric' : 'every metric'}.`}</p>
            : <DataTable caption="Missing values" rows={absent} columns={VALUES} rowId={({ arm, metric }) => `${arm}/${metric}`} stacked />}
        </section>
        {experiment.reading.checks && (
          <section className="stack-s">
            <h3>Single people</h3>
            <ul className="stack-s">{single(experiment.reading.checks).map((text) => <li key={text} className="small wrap-anywhere">{text}</li>)}</ul>
          </section>
        )}
        <section className="stack-s">
          <h3>Findings</h3>
          <Findings findings={diagnostics} none="Nothing: no check has anything to say." />
        </section>
      </div>
    </Card>
  );
}

/** What the checks that look at single people say, whether or not they found something. */
export function single({ crossover, outliers, trends, implausible }: UnitChecks): string[] {
  const about = ({ arm, metric }: { arm: string; metric: string }) => `${humanise(arm)} on ${inWords(metric)}`;
  const carried = outliers.filter(({ variance_share: share }) => share > 0.1);
  const changing = trends.filter(({ alarm }) => alarm);
  return [
    ...(crossover ? [crossover.crossed === 0 ? 'Nobody was assigned to two arms.' : `${count(crossover.crossed)} of ${plural(crossover.units, 'person', 'people')} ${crossover.crossed === 1 ? 'was' : 'were'} assigned to two arms${crossover.alarm ? ': too many' : ''}.`] : []),
    ...(outliers.length === 0 ? [] : carried.length === 0 ? ['No single person carries an effect.'] : carried.map((each) => `${about(each)}: one person brings ${percent(each.variance_share)} of the variance.`)),
    ...(trends.length === 0 ? ['People were assigned on too few days to see whether effects change with time.'] : changing.length === 0 ? ['No effect changes with the day of the assignment.'] : changing.map((each) => `${about(each)}: the effect changes with the day of the assignment (${pText(each.slope.p_value)}).`)),
    ...implausible.map((each) => `${about(each)}: a change of at least ${percent(Math.abs(each.at_least))} is more often a fault than a finding.`),
  ];
}

export function srmWords({ p_value, statistic, df, alarm }: SampleRatio) {
  const test = `χ² = ${decimal(statistic, 2)} with ${plural(df, 'degree')} of freedom, ${pText(p_value)}`;
  return alarm
    ? <><Badge tone="bad">✗ mismatch</Badge> The arms do not have the sizes that their weights promise ({test}): some people were lost or added in one arm more than in the other.</>
    : <><Badge tone="good">✓ as promised</Badge> The arms have the sizes that their weights promise ({test}; the alarm is below 0.001).</>;
}
