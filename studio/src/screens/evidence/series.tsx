import { DotInterval, Paths } from '../../charts';
import { anyNumber } from '../../evidence/words';
import { effect, NONE, percent, setText } from '../../format';
import { Card, type Column, DataTable } from '../../ui';
import { type Fitted, plain, type Series, startsAt, timeLine } from './details';
import { Facts } from './facts';

/** One series against what it would have been, for one intervention. */
export function SeriesCards({ series, level }: { series: Series; level: number }) {
  const { times, before, after, controls, placebos } = series;
  const line = timeLine(times);
  const at = startsAt(line, before);
  const event = at === null ? undefined : { x: at, name: 'the intervention begins' };
  const later = timeLine(after.times);
  const file = after.times[0] ?? 'series';
  const facts = plain(series.facts);
  return (
    <>
      <Card title="Actual and counterfactual" note={series.text || undefined}>
        <Paths
          caption="Actual and counterfactual" file={`${file}-counterfactual`} xs={line.xs} x={line.x} y={{ title: 'Outcome', format: anyNumber }} event={event} level={level}
          lines={[{ id: 'actual', title: 'Actual', values: series.actual }, { id: 'predicted', title: 'Counterfactual', values: series.predicted, look: 'dashed', band: series.band ?? undefined }]}
        />
        {facts.length > 0 && <details className="small"><summary>Its design and its checks in figures</summary><Facts values={facts} /></details>}
      </Card>
      {after.effect.some((value) => value !== null) && (
        <Card title="Effect over time" note="Actual minus counterfactual in each period from the intervention on.">
          <Paths
            caption="Effect over time" file={`${file}-effect`} xs={later.xs} x={later.x} y={{ title: 'Actual minus counterfactual', format: anyNumber, zero: true }} level={level}
            lines={[{ id: 'effect', title: 'Effect', values: after.effect, band: after.effectBand }]}
          />
        </Card>
      )}
      {after.cumulative.some((value) => value !== null) && (
        <Card title="Effect added up" note="The sum of the effects from the intervention up to each period.">
          <Paths
            caption="Effect added up" file={`${file}-cumulative`} xs={later.xs} x={later.x} y={{ title: 'Sum of effects', format: anyNumber, zero: true }} level={level}
            lines={[{ id: 'cumulative', title: 'Sum', values: after.cumulative, band: after.cumulativeBand }]}
          />
        </Card>
      )}
      {controls.length > 0 && (
        <Card title="Controls" flush note="Series that the counterfactual learns from.">
          <DataTable caption="Controls" rows={controls} columns={CONTROLS} rowId={({ name }) => name} stacked />
        </Card>
      )}
      {placebos.length > 0 && (
        <Card title="Placebos in time" note="The same question asked about moments at which nothing happened: their effects should hold zero.">
          <DotInterval
            caption="Effects at moments without an intervention" file={`${file}-placebos`} unit="Effect" format={anyNumber} levels={{ outer: level }}
            titles={{ row: 'Moment', series: 'Estimate' }} series={[{ id: 'effect', title: 'Effect' }]}
            rows={placebos.map(({ time, value, interval }) => ({ id: time, name: time, marks: { effect: { value, outer: null, inner: null, set: interval ? [interval] : undefined } } }))}
          />
        </Card>
      )}
    </>
  );
}

const CONTROLS: Column<Series['controls'][number]>[] = [
  { id: 'name', header: 'Control', accessorFn: ({ name }) => name, meta: { rowHeader: true }, cell: ({ row }) => <span className="wrap-anywhere">{row.original.name}</span> },
  { id: 'coefficient', header: 'Coefficient', accessorFn: ({ coefficient }) => coefficient, meta: { numeric: true }, cell: ({ row }) => effect(row.original.coefficient) },
  { id: 'interval', header: 'Interval', enableSorting: false, cell: ({ row }) => (row.original.interval ? setText([row.original.interval], effect) : NONE) },
  { id: 'inclusion', header: 'In the model', accessorFn: ({ inclusion }) => inclusion, meta: { numeric: true }, cell: ({ row }) => percent(row.original.inclusion) },
];

export function FittedCard({ fitted: { times, actual, fitted } }: { fitted: Fitted }) {
  const line = timeLine(times);
  return (
    <Card title="Actual and fitted" note="The straight lines before and after the intervention that fit the series best.">
      <Paths
        caption="Actual and fitted" file="fitted" xs={line.xs} x={line.x} y={{ title: 'Outcome', format: anyNumber }}
        lines={[{ id: 'actual', title: 'Actual', values: actual }, { id: 'fitted', title: 'Fitted', values: fitted, look: 'dashed' }]}
      />
    </Card>
  );
}
