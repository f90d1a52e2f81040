import { Bars, Paths } from '../../charts';
import { anyNumber } from '../../evidence/words';
import { effect, humanise, percent, plural } from '../../format';
import { Card } from '../../ui';
import { type Cohort, type Figures, plain, startsAt, timeLine, type Weight } from './details';
import { Facts } from './facts';

/** The treated units of one beginning against their synthetic control. */
export function CohortCards({ cohort, alone }: { cohort: Cohort; alone: boolean }) {
  const { treated, synthetic, gaps, placebos, before } = cohort;
  const line = timeLine(cohort.times);
  const at = startsAt(line, before);
  const event = at === null ? undefined : { x: at, name: `the treatment begins${cohort.start ? ` (${cohort.start})` : ''}` };
  const whom = cohort.units.length > 3 ? plural(cohort.units.length, 'unit') : cohort.units.join(', ') || 'the treated';
  const title = (text: string) => (alone ? text : `${text}: from ${cohort.start}`);
  const file = `${alone ? '' : `${cohort.start}-`}`;
  const fit = plain(cohort.fit);
  return (
    <>
      {treated.some(present) && synthetic.some(present) && (
        <Card title={title('Actual and counterfactual')} note={<span className="wrap-anywhere">{whom}, beside what would have been without the treatment. The closer both lines before it, the more the distance after it says.</span>}>
          <Paths
            caption={title('Actual and counterfactual')} file={`${file}counterfactual`} xs={line.xs} x={line.x} y={{ title: 'Outcome', format: anyNumber }} event={event}
            lines={[{ id: 'actual', title: 'Actual', values: treated }, { id: 'synthetic', title: 'Counterfactual', values: synthetic, look: 'dashed' }]}
          />
          {fit.length > 0 && <details className="small"><summary>How well it fits</summary><Facts values={fit} /></details>}
        </Card>
      )}
      {gaps.some(present) && (
        <Card
          title={title('Effect over time')}
          note={placebos.length > 0
            ? `Actual minus counterfactual. Grey: the same for ${plural(placebos.length, 'placebo')}, untreated units read as if they had been treated. ${beyond(gaps, placebos.map((each) => each.gaps), before)}`
            : 'Actual minus counterfactual.'}
        >
          <Paths
            caption={title('Effect over time')} file={`${file}gaps`} xs={line.xs} x={line.x} y={{ title: 'Actual minus counterfactual', format: anyNumber, zero: true }} event={event}
            lines={[{ id: 'gap', title: 'Treated', values: gaps }]}
            faint={placebos.length > 0 ? { title: 'Placebos', lines: placebos.map(({ name, gaps: values }) => ({ title: name, values })) } : undefined}
          />
        </Card>
      )}
      {cohort.weights.length > 0 && (
        <Card title={title('Weights')} note={`What the counterfactual is made of: ${plural(cohort.weights.length, 'untreated unit')} with a weight.`}>
          <WeightBars caption={title('Weights of untreated units')} rowTitle="Unit" weights={cohort.weights} file={`${file}weights`} />
        </Card>
      )}
      {cohort.timeWeights.length > 0 && (
        <Card title={title('Weights of periods')} note="Which periods before the treatment count in the comparison.">
          <WeightBars caption={title('Weights of periods')} rowTitle="Period" weights={cohort.timeWeights} file={`${file}time-weights`} />
        </Card>
      )}
    </>
  );
}

const present = (value: number | null | undefined): value is number => value !== null && value !== undefined;

/** Mean over the periods from the treatment on. */
function meanAfter(values: Figures, before: number): number | null {
  const after = values.slice(before).filter(present);
  return after.length === 0 ? null : after.reduce((sum, value) => sum + value, 0) / after.length;
}

/** How many placebos have at least as large a mean effect. */
export function beyond(gaps: Figures, placebos: Figures[], before: number): string {
  const own = meanAfter(gaps, before);
  if (own === null) return '';
  const sizes = placebos.map((each) => meanAfter(each, before)).filter(present);
  const larger = sizes.filter((size) => Math.abs(size) >= Math.abs(own)).length;
  return `${larger === 0 ? 'None' : larger} of them ${larger === 1 ? 'has' : 'have'} a mean effect at least as large, in either direction.`;
}

const SHOWN = 20;

/** Weights as bars, the largest first; very many are summed up. */
export function WeightBars({ caption, rowTitle, weights, file }: { caption: string; rowTitle: string; weights: Weight[]; file: string }) {
  const ordered = [...weights].sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight));
  const [shown, others] = ordered.length > SHOWN + 1 ? [ordered.slice(0, SHOWN), ordered.slice(SHOWN)] : [ordered, []];
  const rest = others.reduce((sum, { weight }) => sum + weight, 0);
  const rows = [...shown, ...(others.length > 0 ? [{ name: `${others.length} others`, weight: rest }] : [])];
  return (
    <Bars
      caption={caption} file={file} rowTitle={rowTitle} series={[{ id: 'weight', title: 'Weight' }]} format={(value) => percent(value, 1)}
      rows={rows.map(({ name, weight }) => ({ id: name, name: humanise(name), parts: [{ series: 'weight', value: weight }] }))}
    />
  );
}

export function PlaceboEffects({ effects, value }: { effects: number[]; value: number }) {
  const larger = effects.filter((each) => Math.abs(each) >= Math.abs(value)).length;
  return (
    <Card title="Placebos">
      <p className="small">
        The same was done with untreated units {plural(effects.length, 'time')}. Their effects lie between {effect(Math.min(...effects))} and {effect(Math.max(...effects))};
        {' '}{larger === 0 ? 'none is' : `${larger} ${larger === 1 ? 'is' : 'are'}`} at least as large as the effect, in either direction.
      </p>
    </Card>
  );
}
