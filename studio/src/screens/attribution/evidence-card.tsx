import type { Estimate, Evidence } from '../../api/types';
import { linearAxis, pct } from '../../charts/scale';
import { count, decimal, effect, humanise, percent } from '../../format';
import { Card, EvidenceTier, tierNumber } from '../../ui';

/** What experiments found, before what models say. Strongest tier first. */
export function EvidenceCard({ evidence }: { evidence: Evidence[] }) {
  const sorted = [...evidence].sort((a, b) => (tierNumber(b.tier) ?? -1) - (tierNumber(a.tier) ?? -1));
  // Only effects on the same metric share a scale.
  const reach = (metric: string) =>
    evidence.filter((item) => item.metric === metric).flatMap(({ estimate }) => [estimate.value, ...estimate.set.flat()]);
  return (
    <Card title="Proven by experiment" note="Effects against doing nothing. Read these first: they rest on more than paths.">
      {sorted.length === 0 && (
        <p className="small muted">No experiment has been read yet. Until one is, the credits beside rest on paths alone.</p>
      )}
      <ul className="evidence">
        {sorted.map((item) => (
          <li key={`${item.id}/${item.metric}/${item.treatment}`} className="evidence-item">
            <div className="row row-between">
              <h3>{humanise(item.treatment)} → {humanise(item.metric)}</h3>
              <EvidenceTier tier={item.tier} />
            </div>
            <Effect estimate={item.estimate} reach={reach(item.metric)} />
            <details className="small">
              <summary>{humanise(item.id)}: {count(item.estimate.n)} people, {verdict(item.estimate)}</summary>
              <p>
                {humanise(item.estimate.method)}, {humanise(item.estimate.inference).toLowerCase()} inference
                {item.estimate.p_value !== null && `, p = ${decimal(item.estimate.p_value, 3)}`}. It assumes:
              </p>
              <ul className="assumptions">{item.estimate.assumptions.map((text) => <li key={text}>{text}</li>)}</ul>
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

function verdict({ set }: Estimate): string {
  if (set.length === 0) return 'no interval';
  if (set.every(([low]) => low > 0)) return 'effect above zero';
  if (set.every(([, high]) => high < 0)) return 'effect below zero';
  return 'zero lies in the interval';
}

function Effect({ estimate, reach }: { estimate: Estimate; reach: number[] }) {
  const axis = linearAxis(reach, 3);
  const spread = estimate.set.map(([low, high]) => `${effect(low)} to ${effect(high)}`).join(' or ');
  return (
    <div className="effect">
      <p><strong>{effect(estimate.value)}</strong> <span className="muted small">{spread} ({percent(estimate.level)})</span></p>
      <svg width="100%" height="14" aria-hidden="true" className="series-1">
        <line className="lane" x1="0" x2="100%" y1="7" y2="7" />
        <line className="grid zero" x1={pct(axis.at(0))} x2={pct(axis.at(0))} y1="0" y2="14" />
        {estimate.set.map(([low, high]) => (
          <line key={low} className="inner" x1={pct(axis.at(low))} x2={pct(axis.at(high))} y1="7" y2="7" />
        ))}
        <circle className="symbol" cx={pct(axis.at(estimate.value))} cy="7" r="4.5" />
      </svg>
    </div>
  );
}
