import type { ReactNode } from 'react';
import type { AuditFault, AuditHead, AuditVerification } from '../../api/govern';
import { count, duration, humanise, plural } from '../../format';
import { Badge } from '../../ui';
import { visible } from '../approvals/diff';
import { RecordLink } from './parts';

const n = (value: number | undefined) => count(value ?? null);

/** What is amiss, in a sentence; a record that it is about is a link. */
function faultText({ fault, seq, expected, found, size }: AuditFault): ReactNode {
  switch (fault) {
    case 'gap': {
      if (expected === undefined || found === undefined) return 'Records are missing.';
      if (found < expected) return <>Where record {n(expected)} should be, there is <RecordLink seq={found} /> again.</>;
      const missing = found - expected === 1 ? `Record ${n(expected)} is missing` : `Records ${n(expected)} to ${n(found - 1)} are missing`;
      return <>{missing}: <RecordLink seq={found} /> {expected > 1 ? <>follows on <RecordLink seq={expected - 1} /></> : 'is the first'}.</>;
    }
    case 'altered':
      return seq === undefined ? 'A record was altered.' : <>The content of <RecordLink seq={seq} /> does not have the hash that was recorded: it was altered.</>;
    case 'unchained':
      return seq === undefined ? 'A record does not follow on the one before it.' : <><RecordLink seq={seq}>Record {n(seq)}</RecordLink> does not follow on the one before it.</>;
    case 'tree':
      return 'The stored tree is not that of the records: proofs made from it would not hold.';
    case 'head':
      return `The head that was signed at ${size === undefined ? 'some' : plural(size, 'record')} does not fit: records were changed or removed after it was signed.`;
    case 'ending':
      return `The log should end with record ${n(expected)} and ends with ${found === 0 ? 'none' : `record ${n(found)}`}.`;
    default:
      return <>{visible(humanise(fault))}{seq !== undefined && <>, <RecordLink seq={seq} /></>}.</>;
  }
}

function verdict({ intact, fault_count, heads_unsigned }: AuditVerification): string {
  if (intact) return 'Nothing is amiss: every record has its hash, the tree is that of the records, and every signed head fits.';
  const parts = [fault_count > 0 && plural(fault_count, 'fault'), heads_unsigned > 0 && plural(heads_unsigned, 'head without a valid signature', 'heads without a valid signature')];
  return `The log is not as it was written: ${parts.filter(Boolean).join(' and ') || 'the server does not say what is amiss'}.`;
}

/** The outcome in a sentence, for the live region. */
export function Verdict({ outcome }: { outcome: AuditVerification }) {
  return (
    <p className="audit-outcome">
      <Badge tone={outcome.intact ? 'good' : 'bad'}>{outcome.intact ? 'Intact' : 'Not intact'}</Badge> {verdict(outcome)}
    </p>
  );
}

/** What was looked at, and each fault. */
export function Findings({ outcome, head }: { outcome: AuditVerification; head: AuditHead | undefined }) {
  const { records, root, heads_checked, heads_unsigned, fault_count, faults, seconds } = outcome;
  // Of a log with faults, what the head counts beyond these records may as well be what is missing.
  const grown = outcome.intact && head ? head.size - records : 0;
  const asHead = head?.size === records ? (root === head.root ? ' It is the root of the signed head above.' : ' It is not the root of the signed head above.') : '';
  return (
    <div className="stack-s">
      <dl className="facts left audit-findings">
        <dt>Records read and hashed</dt><dd>{count(records)}{grown > 0 && <span className="muted"> ({count(grown)} more since)</span>}</dd>
        <dt>Signed heads compared</dt><dd>{count(heads_checked)}</dd>
        <dt>Heads without a valid signature</dt><dd>{heads_unsigned === 0 ? 'none' : count(heads_unsigned)}</dd>
        <dt>Root over the records</dt><dd><span className="mono">{root}</span>{asHead && <span className="muted">{asHead}</span>}</dd>
        <dt>Took</dt><dd>{duration(seconds)}</dd>
      </dl>
      {faults.length > 0 && (
        <section className="stack-s" aria-labelledby="faults-title">
          <h3 id="faults-title">Faults</h3>
          <ol className="faults">{faults.map((fault, at) => <li key={at}>{faultText(fault)}</li>)}</ol>
          {fault_count > faults.length && <p className="small muted">These are the first {count(faults.length)} of {count(fault_count)}.</p>}
        </section>
      )}
    </div>
  );
}
