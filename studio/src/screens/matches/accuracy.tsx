import { useQuery } from '@tanstack/react-query';
import { type MatchAccuracy, matchQueries } from '../../api/matches';
import { DotInterval } from '../../charts';
import { count, decimal, percent, plural } from '../../format';
import { Card, ProblemView, Skeleton } from '../../ui';
import { sampled } from './words';

/** What decisions and later logins tell about all matches. */
export function AccuracyCards() {
  const { data, error, isPending, refetch } = useQuery(matchQueries.accuracy());
  if (error) return <ProblemView problem={error} onRetry={() => void refetch()} />;
  if (isPending) return <Skeleton lines={[100]} height={160} />;
  return (
    <>
      <Accuracy accuracy={data} />
      <Calibration accuracy={data} />
    </>
  );
}

function Accuracy({ accuracy }: { accuracy: MatchAccuracy }) {
  const { logins } = accuracy;
  const seen = logins.precision !== null && logins.interval !== null
    ? `${percent(logins.precision, 1)} (${percent(logins.interval[0], 1)} to ${percent(logins.interval[1], 1)})`
    : 'not known';
  return (
    <Card title="Accuracy" note={`With ${percent(accuracy.level)} intervals.`}>
      <div className="match-accuracy">
        <div className="stack-s">
          <h3>By decisions</h3>
          <dl className="facts left">
            <dt>Precision</dt><dd>{sampled(accuracy.precision)}</dd>
            <dt>Recall</dt><dd>{sampled(accuracy.recall)}</dd>
            <dt>Labels</dt>
            <dd>{accuracy.draw === null ? 'none' : `${count(accuracy.labelled)} of ${plural(accuracy.drawn, 'pair')} in draw ${accuracy.draw}`}</dd>
          </dl>
          <p className="small muted">{sentence(accuracy.note)}</p>
        </div>
        <div className="stack-s">
          <h3>By later logins</h3>
          <dl className="facts left">
            <dt>Precision</dt><dd>{seen}</dd>
            <dt>Confirmed</dt><dd>{count(logins.confirmed)} of {plural(logins.linked, 'linked pair')}</dd>
            <dt>Contradicted</dt><dd>{count(logins.contradicted)}</dd>
          </dl>
          <p className="small muted">{sentence(logins.note)}</p>
        </div>
      </div>
    </Card>
  );
}

function Calibration({ accuracy }: { accuracy: MatchAccuracy }) {
  const { bins, slope, note } = accuracy.calibration;
  return (
    <Card title="Calibration" note="How many pairs of each range of probability are of one person. Where found and said agree, probabilities are calibrated.">
      <div className="stack">
        {bins.length > 0
          ? (
            <DotInterval
              caption="Share of one person, by probability" file="match-calibration" unit="Share of pairs" levels={{ outer: accuracy.level }}
              format={(value) => percent(value, 1)} tickFormat={(value) => percent(value)} titles={{ row: 'Probability', series: 'Figure' }}
              series={[{ id: 'found', title: 'Found' }, { id: 'said', title: 'Said' }]}
              rows={bins.map(({ from, to, said, found }) => ({
                id: String(from), name: `${percent(from)} to ${percent(to)}`,
                marks: {
                  found: { value: found.value, outer: [found.low, found.high], inner: null },
                  said: { value: said, outer: null, inner: null, note: 'what the pairs say on average' },
                },
              }))}
            />
          )
          : <p className="small">No pair that was drawn is decided yet.</p>}
        {slope && (
          <p className="small">
            Weights are multiplied by {decimal(slope.value, 2)}
            {slope.interval ? ` (${decimal(slope.interval[0], 2)} to ${decimal(slope.interval[1], 2)})` : ' (the fit gives no interval)'}; 1 would mean
            what they say.
          </p>
        )}
        <p className="small muted">{sentence(note)}</p>
      </div>
    </Card>
  );
}

/** A note of the server as a sentence. */
const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
