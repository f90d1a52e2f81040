import { Link } from '@tanstack/react-router';
import type { Ledger } from '../../api/evidence';
import { DotInterval } from '../../charts';
import { designWords, inWords, markOf, pText, sourceName, writer } from '../../evidence/words';
import { dateOf, humanise, percent, plural } from '../../format';
import { Badge, Card, EvidenceTier } from '../../ui';
import { contradictions } from './ledger';

/** Records that say different things about one question, beside each other. */
export function ConflictsCard({ ledger }: { ledger: Ledger }) {
  const all = contradictions(ledger);
  if (all.length === 0) return null;
  return (
    <Card title="Contradictions" note={`${plural(all.length, 'pair')} of records from different sources disagree about one question by more than chance explains. Nothing is averaged: find out why, and retire the one that is wrong.`}>
      <div className="stack">
        {all.map(({ conflict, first, second }) => {
          const { estimand, scope, estimate } = first.record;
          const format = writer(estimand.contrast);
          const same = estimate.level === second.record.estimate.level;
          return (
            <section key={`${conflict.first}|${conflict.second}`} className="conflict stack-s">
              <div className="row">
                <h3>{humanise(scope.action)} → {humanise(estimand.metric)}</h3>
                {conflict.opposed && <Badge tone="bad">opposite directions</Badge>}
              </div>
              <p className="small">
                They differ by {format(Math.abs(conflict.difference))}{conflict.p_value === null
                  ? ', and their intervals do not overlap.'
                  : `; a difference so large by chance alone has ${pText(conflict.p_value)}.`}
              </p>
              <DotInterval
                caption={`Both effects on ${inWords(estimand.metric)}`} file={`contradiction-${scope.action}-${estimand.metric}`} unit="Effect" format={format}
                levels={{ outer: estimate.level }} titles={{ row: 'Record', series: 'Estimate' }} series={[{ id: 'effect', title: 'Effect' }]}
                rows={[first, second].map(({ record }) => ({
                  id: record.id, name: `${sourceName(record)}, until ${dateOf(record.scope.period_end)}`, marks: { effect: markOf(record.estimate) },
                  detail: (
                    <span className="stack-s small">
                      <EvidenceTier tier={record.tier} />
                      <span>{designWords(record.design)}{!same && `, ${percent(record.estimate.level)}`}</span>
                      <Link to="/evidence/record" search={{ id: record.id }} aria-label={`Open the record of ${sourceName(record)}, until ${dateOf(record.scope.period_end)}`}>Open</Link>
                    </span>
                  ),
                }))}
              />
            </section>
          );
        })}
      </div>
    </Card>
  );
}
