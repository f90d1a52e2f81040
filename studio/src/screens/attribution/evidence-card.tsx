import type { Estimate, EvidenceRecord } from '../../api/types';
import { linearAxis, pct } from '../../charts/scale';
import { count, decimal, effect, humanise, percent } from '../../format';
import { Card, EvidenceTier, tierNumber } from '../../ui';

/** What experiments found, before what models say. Strongest tier first. */
export function EvidenceCard({ evidence, ofPart }: { evidence: EvidenceRecord[]; ofPart: boolean }) {
  const sorted = [...evidence].sort((a, b) => (tierNumber(b.tier) ?? -1) - (tierNumber(a.tier) ?? -1));
  // Only effects on the same metric, told in the same way, share a scale.
  const scale = ({ estimand }: EvidenceRecord) => `${estimand.metric}/${estimand.contrast}`;
  const reach = (record: EvidenceRecord) =>
    evidence.filter((each) => scale(each) === scale(record)).flatMap(({ estimate }) => [estimate.value, ...estimate.set.flat()]).filter(finite);
  return (
    <Card title="Proven by experiment" note={`Effects against doing nothing. Read these first: they rest on more than paths.${ofPart ? ' They are about the people of each experiment, not about the part.' : ''}`}>
      {sorted.length === 0 && (
        <p className="small muted">No experiment has been read yet. Until one is, the credits beside rest on paths alone.</p>
      )}
      <ul className="evidence">
        {sorted.map((item) => (
          <li key={item.id} className="evidence-item">
            <div className="row row-between">
              <h3>{humanise(item.estimand.treatment)} → {humanise(item.estimand.metric)}</h3>
              <EvidenceTier tier={item.tier} />
            </div>
            <Effect estimate={item.estimate} reach={reach(item)} />
            <details className="small">
              <summary>{count(item.estimate.n)} people, {verdict(item.estimate)}</summary>
              <p>
                {humanise(item.estimate.method)}, {humanise(item.estimate.inference).toLowerCase()} inference
                , {pText(item.estimate.p_value)}, against {humanise(item.estimand.control).toLowerCase()}. It assumes:
              </p>
              <ul className="assumptions">{item.assumptions.map((text) => <li key={text}>{text}</li>)}</ul>
            </details>
          </li>
        ))}
      </ul>
      <p className="small muted evidence-foot">
        <EvidenceTier tier="associational" /> is the tier of every attribution model: it says who was there, not who caused it.
      </p>
    </Card>
  );
}

const finite = (end: number | null): end is number => end !== null && Number.isFinite(end);
const pText = (p: number) => (p < 0.001 ? 'p < 0.001' : `p = ${decimal(p, 3)}`);

function verdict({ set }: Estimate): string {
  if (set.length === 0) return 'no interval';
  if (set.every(([low]) => low !== null && low > 0)) return 'effect above zero';
  if (set.every(([, high]) => high !== null && high < 0)) return 'effect below zero';
  return 'zero lies in the interval';
}

function Effect({ estimate, reach }: { estimate: Estimate; reach: number[] }) {
  const axis = linearAxis(reach, 3);
  const end = (value: number | null, open: string) => (finite(value) ? effect(value) : open);
  const spread = estimate.set.map(([low, high]) => `${end(low, 'no lower limit')} to ${end(high, 'no upper limit')}`).join(' or ') || 'no interval';
  return (
    <div className="effect">
      <p><strong>{effect(estimate.value)}</strong> <span className="muted small">{spread} ({percent(estimate.level)})</span></p>
      <svg width="100%" height="14" aria-hidden="true" className="series-1">
        <line className="lane" x1="0" x2="100%" y1="7" y2="7" />
        <line className="grid zero" x1={pct(axis.at(0))} x2={pct(axis.at(0))} y1="0" y2="14" />
        {estimate.set.map(([low, high]) => (
          <line key={low} className="inner" x1={finite(low) ? pct(axis.at(low)) : '0'} x2={finite(high) ? pct(axis.at(high)) : '100%'} y1="7" y2="7" />
        ))}
        <circle className="symbol" cx={pct(axis.at(estimate.value))} cy="7" r="4.5" />
      </svg>
    </div>
  );
}
