import type { LedgerRecord } from '../../api/evidence';
import { Card } from '../../ui';
import { found } from './details';
import { Rest } from './facts';
import { CohortCards, PlaceboEffects, WeightBars } from './panel';
import { FittedCard, SeriesCards } from './series';
import { EventStudyCard, GroupTimeCard, HonestCard, PartsCard } from './trends';

/** What the method shows beyond its estimate, as far as the record holds it. */
export function Details({ record: { details, estimate } }: { record: LedgerRecord }) {
  const has = found(details);
  if (!has) return null;
  return (
    <>
      {has.cohorts.map((cohort) => <CohortCards key={`${cohort.start}/${cohort.units.join()}`} cohort={cohort} alone={has.cohorts.length === 1} />)}
      {has.placeboEffects.length > 0 && <PlaceboEffects effects={has.placeboEffects} value={estimate.value} />}
      {has.predictors.length > 0 && (
        <Card title="Predictors" note="How much each of them weighs in the choice of donors.">
          <WeightBars caption="Weights of predictors" rowTitle="Predictor" weights={has.predictors} file="predictors" />
        </Card>
      )}
      {has.series.map((series) => <SeriesCards key={series.after.times[0]} series={series} level={estimate.level} />)}
      {has.fitted && <FittedCard fitted={has.fitted} />}
      {has.eventStudy && <EventStudyCard study={has.eventStudy} preTest={has.preTest} />}
      {has.honest && <HonestCard honest={has.honest} level={estimate.level} />}
      {has.byGroup && <PartsCard title="Effect by group" row="Group" parts={has.byGroup} of={({ group }) => group} />}
      {has.byTime && <PartsCard title="Effect by period" row="Period" parts={has.byTime} of={({ time }) => time} />}
      {has.groupTime && <GroupTimeCard cells={has.groupTime} />}
      <Rest entries={has.rest} />
    </>
  );
}
