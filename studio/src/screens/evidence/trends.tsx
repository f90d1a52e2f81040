import { DotInterval, Whiskers } from '../../charts';
import { anyNumber, pText } from '../../evidence/words';
import { count, decimal, effect, humanise, NONE, percent, plural, setText } from '../../format';
import { Card, type Column, DataTable } from '../../ui';
import type { Coefficient, Coefficients, Found, Honest } from './details';

const ALARM = 0.05;

/** Effects by time since the treatment; those before it test whether trends were parallel. */
export function EventStudyCard({ study: { level, points }, preTest }: { study: Coefficients; preTest: Found['preTest'] }) {
  const events = points.filter((point) => point.event !== null);
  if (events.length === 0) return null;
  return (
    <Card title="Event study" note="Effects by the number of periods since the treatment began. Before it, treated and untreated units should have moved alike: points should hold zero.">
      <div className="stack">
        <Whiskers
          caption="Effects by periods since the treatment" file="event-study" level={level}
          x={{ title: 'Periods since treatment', format: anyNumber }} y={{ title: 'Effect', format: anyNumber }}
          words={{ solid: 'From the treatment on', hollow: 'Before the treatment' }}
          points={events.map(({ event, value, interval, band, base }) => ({
            x: event ?? 0, value, interval, band, hollow: (event ?? 0) < 0, note: base ? 'what the others are compared with, zero by definition' : undefined,
          }))}
        />
        <p className="small">
          {preTest === null
            ? 'Whether trends were parallel before the treatment was not tested.'
            : <>Before the treatment{preTest.statistic !== null && preTest.df !== null && <>: χ² = {decimal(preTest.statistic, 2)} with {plural(preTest.df, 'degree')} of freedom</>}, {pText(preTest.p)}. {preTest.p < ALARM
              ? 'The trends of treated and untreated units differed, so the effect may be their difference going on.'
              : 'No sign that trends differed; that does not prove that they would have stayed alike.'}</>}
        </p>
      </div>
    </Card>
  );
}

/** What is left of the effect when trends were not parallel. */
export function HonestCard({ honest: { rows, value, breakdown }, level }: { honest: Honest; level: number }) {
  return (
    <Card
      title="When trends were not parallel"
      note={<>
        Intervals of the mean effect if, after the treatment, trends parted by as much as the largest change before it, times a factor.
        {breakdown !== null && <> Zero comes into the interval at a factor of {decimal(breakdown, 2)}.</>}
      </>}
    >
      <DotInterval
        caption="Intervals by how far trends may part" file="sensitivity" unit="Effect" format={anyNumber} levels={{ outer: level }}
        titles={{ row: 'Factor', series: 'Interval' }} series={[{ id: 'effect', title: 'Effect' }]}
        rows={rows.map(({ bound, interval }) => {
          const middle = interval[0] !== null && interval[1] !== null ? (interval[0] + interval[1]) / 2 : interval[0] ?? interval[1] ?? 0;
          return { id: String(bound), name: bound === 0 ? 'Parallel (0)' : `Up to ${decimal(bound, 2)} times`, marks: { effect: { value: value ?? middle, outer: null, inner: null, set: [interval] } } };
        })}
      />
      <p className="small muted">The mark is {value === null ? 'the middle of each interval' : 'the effect if trends were parallel'}.</p>
    </Card>
  );
}

/** Effects of parts: of groups by when they were treated, or of periods. */
export function PartsCard({ title, row, parts: { level, points }, of }: { title: string; row: string; parts: Coefficients; of: (point: Coefficient) => string }) {
  return (
    <Card title={title} note={`Intervals hold for all at once where the method gives such a band, and else for each alone${level === null ? '' : ` (${percent(level)})`}.`}>
      <DotInterval
        caption={title} file={title.toLowerCase().replaceAll(' ', '-')} unit="Effect" format={anyNumber} levels={{ outer: level ?? 0.95 }}
        titles={{ row, series: 'Estimate' }} series={[{ id: 'effect', title: 'Effect' }]}
        rows={points.map((point, at) => {
          const interval = point.band ?? point.interval;
          return { id: `${of(point)}/${at}`, name: of(point) || String(at + 1), marks: { effect: { value: point.value, outer: null, inner: null, set: interval ? [interval] : undefined } } };
        })}
      />
    </Card>
  );
}

const between = (interval: Coefficient['interval']) => (interval ? setText([interval], effect) : NONE);

const CELLS: Column<Coefficient>[] = [
  { id: 'group', header: 'Group', accessorFn: ({ group }) => group, meta: { rowHeader: true } },
  { id: 'time', header: 'Period', accessorFn: ({ time }) => time },
  { id: 'phase', header: 'Phase', accessorFn: ({ phase }) => humanise(phase) },
  { id: 'value', header: 'Effect', accessorFn: ({ value }) => value, meta: { numeric: true }, cell: ({ row }) => effect(row.original.value) },
  { id: 'interval', header: 'Alone', enableSorting: false, cell: ({ row }) => between(row.original.interval) },
  { id: 'band', header: 'All at once', enableSorting: false, cell: ({ row }) => between(row.original.band) },
  { id: 'treated', header: 'Treated', accessorFn: ({ treated }) => treated, meta: { numeric: true }, cell: ({ row }) => count(row.original.treated) },
  { id: 'controls', header: 'Controls', accessorFn: ({ controls }) => controls, meta: { numeric: true }, cell: ({ row }) => count(row.original.controls) },
];

const MOST = 200;

/** The effect on every group in every period, which all other figures are made of. */
export function GroupTimeCard({ cells: { points } }: { cells: Coefficients }) {
  return (
    <Card title="Groups and periods" flush note="The effect on each group (by when its treatment began) in each period, with the interval of each alone and of all at once.">
      <DataTable
        caption="Effects by group and period" rows={points.slice(0, MOST)} columns={CELLS} rowId={({ group, time }) => `${group}/${time}`} stacked
        footer={points.length > MOST ? <span>{count(MOST)} of {plural(points.length, 'cell')}</span> : undefined}
      />
    </Card>
  );
}
