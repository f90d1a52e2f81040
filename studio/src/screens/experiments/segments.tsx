import type { Experiment, Segmentation } from '../../api/evidence';
import { DotInterval } from '../../charts';
import { inWords, markOf, pText, spread, writer } from '../../evidence/words';
import { humanise, plural } from '../../format';

/** Effects on a metric by declared segment: a chart per column, the arms side by side. */
export function BySegment({ experiment, metric }: { experiment: Experiment; metric: string }) {
  const all = (experiment.reading.segments ?? []).filter((each) => each.metric === metric && each.effects.length > 0);
  const columns = [...new Set(all.map(({ column }) => column))];
  return columns.map((column) => <Column key={column} {...{ experiment, metric, column }} of={all.filter((each) => each.column === column)} />);
}

interface ColumnProps {
  experiment: Experiment;
  metric: string;
  column: string;
  of: Segmentation[];
}

function Column({ experiment, metric, column, of }: ColumnProps) {
  const format = writer('absolute');
  const segments = [...new Set(of.flatMap(({ effects }) => effects.map(({ segment }) => segment)))];
  const effectOf = (part: Segmentation, segment: string) => part.effects.find((each) => each.segment === segment);
  const level = of[0]?.effects[0]?.estimate.level ?? 0.95;
  return (
    <section className="stack-s">
      <h3>By {inWords(column)}</h3>
      <DotInterval
        caption={`Effect on ${inWords(metric)} by ${inWords(column)}`} file={`${experiment.name}-${metric}-by-${column}`}
        unit="Difference per person" format={format} levels={{ outer: level }}
        titles={{ row: humanise(column), series: 'Arm' }} series={of.map(({ arm }) => ({ id: arm, title: humanise(arm) }))}
        rows={segments.map((segment) => ({
          id: segment, name: segment,
          marks: Object.fromEntries(of.flatMap((part) => {
            const found = effectOf(part, segment);
            return found ? [[part.arm, markOf(found.estimate)]] : [];
          })),
        }))}
      />
      {of.map((part) => <p key={part.arm} className="small wrap-anywhere">{told(part, format)}</p>)}
    </section>
  );
}

/** What the segments of one arm say together, and those that differ from nothing on their own. */
export function told({ arm, heterogeneity, effects }: Segmentation, format: (x: number) => string): string {
  const alike = heterogeneity
    ? heterogeneity.p_value < 0.05 ? `the effect differs between segments (${pText(heterogeneity.p_value)})` : `the data do not show that segments differ (${pText(heterogeneity.p_value)})`
    : 'there are too few segments to compare';
  const clear = effects.filter(({ significant }) => significant);
  const shown = clear.map(({ segment, shrunk }) => `${segment} ${format(shrunk.value)}, ${spread(shrunk, format)}`).join('; ');
  return clear.length === 0
    ? `${humanise(arm)}: ${alike}. No segment shows an effect after the correction for ${plural(effects.length, 'segment')}.`
    : `${humanise(arm)}: ${alike}. After the correction for ${plural(effects.length, 'segment')}, drawn towards their mean: ${shown}.`;
}
