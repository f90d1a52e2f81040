import type { Estimate, EvidenceRecord } from '../../api/types';
import { DotInterval, type DotMark } from '../../charts';
import { count, dateOf, decimal, effect, humanise, percent } from '../../format';
import { Badge, EvidenceTier } from '../../ui';
import { actionName } from './words';

const finite = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

/** The chart draws one interval; a set in pieces, open at an end or empty is said in words. */
export function markOf({ value, set, level }: Estimate): DotMark {
  const [only] = set;
  if (only && set.length === 1 && finite(only[0]) && finite(only[1])) return { value, outer: [only[0], only[1]], inner: null };
  const end = (x: unknown, open: string) => (finite(x) ? effect(x) : open);
  const pieces = set.map(([low, high]) => `${end(low, 'no lower limit')} to ${end(high, 'no upper limit')}`);
  return {
    value, outer: null, inner: null,
    note: pieces.length > 0 ? `${percent(level)} set ${pieces.join(' or ')}` : 'no interval: the data exclude no value',
  };
}

/** Estimates of the same metric, contrast and control share a scale; nothing else does. */
export function byMetric(evidence: EvidenceRecord[]): EvidenceRecord[][] {
  const groups = new Map<string, EvidenceRecord[]>();
  for (const record of evidence) {
    const { metric, contrast, control } = record.estimand;
    // Levels differ when somebody changed the experiment between readings.
    const key = [metric, contrast, control, record.estimate.level].join('\n');
    groups.set(key, [...(groups.get(key) ?? []), record]);
  }
  return [...groups.values()];
}

export function EvidenceBehind({ evidence, tier }: { evidence: EvidenceRecord[]; tier: number }) {
  return (
    <div className="stack evidence-behind">
      <p className="small row">The decision carries the tier <EvidenceTier tier={tier} /></p>
      {evidence.length === 0 && (
        <p className="small muted">No record of evidence belongs to the experiment of this policy.</p>
      )}
      {byMetric(evidence).map((records) => <Metric key={records[0]?.id} records={records} />)}
    </div>
  );
}

function Metric({ records }: { records: EvidenceRecord[] }) {
  const [first] = records;
  if (!first) return null;
  const { metric, contrast, control } = first.estimand;
  const unit = `Effect on ${humanise(metric).toLowerCase()}${contrast === 'relative' ? ', relative' : ''}`;
  const marks = records.map((record) => markOf(record.estimate));
  const unsaid = marks.flatMap((mark, at) => (mark.outer ? [] : [`${actionName(records[at]?.estimand.treatment ?? '')}: ${mark.note}.`]));
  return (
    <section className="stack-s">
      <h3>{unit}, against {actionName(control).toLowerCase()}</h3>
      <DotInterval
        caption={unit} file={`evidence-${metric}`} unit={unit} titles={{ row: 'Action', series: 'Estimate' }}
        series={[{ id: 'effect', title: 'Effect' }]} levels={{ outer: first.estimate.level }}
        format={contrast === 'relative' ? (x) => percent(x, 1) : effect}
        rows={records.map((record, at) => ({
          id: record.id, name: actionName(record.estimand.treatment),
          detail: (
            <>
              <EvidenceTier tier={record.tier} />
              {record.health !== 'healthy' && <Badge tone="bad">a check failed</Badge>}
            </>
          ),
          marks: { effect: marks[at] },
        }))}
      />
      {unsaid.map((text) => <p key={text} className="small muted">{text}</p>)}
      {records.map((record) => <Details key={record.id} record={record} />)}
    </section>
  );
}

function Details({ record: { id, estimand, estimate, design, scope, assumptions, diagnostics } }: { record: EvidenceRecord }) {
  const period = scope.period_start && scope.period_end ? `, ${dateOf(scope.period_start)} to ${dateOf(scope.period_end)}` : '';
  return (
    <details className="small">
      <summary>{actionName(estimand.treatment)}: {humanise(design).toLowerCase()}, {count(estimate.n)} people{period}</summary>
      <p className="wrap-anywhere">
        {humanise(estimate.method)}, {humanise(estimate.inference).toLowerCase()} inference
        {estimate.p_value !== null && `, p = ${decimal(estimate.p_value, 3)}`}. Record <span className="mono">{id}</span>.
      </p>
      {(diagnostics ?? []).map(({ code, message, help }) => <p key={code + message}><Badge tone="warn">{code}</Badge> {message} {help}</p>)}
      {(assumptions ?? []).length > 0 && (
        <>
          <p>It assumes:</p>
          <ul className="assumption-list">{assumptions.map((text) => <li key={text}>{text}</li>)}</ul>
        </>
      )}
    </details>
  );
}
