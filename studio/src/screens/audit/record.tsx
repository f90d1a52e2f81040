import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { type AuditItem, governQueries, type Json } from '../../api/govern';
import { count, plural } from '../../format';
import { useMay } from '../../session';
import { Button, CopyButton, Dialog, Notice, ProblemView, Skeleton, Time } from '../../ui';
import { visible } from '../approvals/diff';
import { ActorName } from './parts';
import { Payload } from './payload';
import type { People } from './people';
import { ProofPart } from './proof';
import { approvalOf, kindTitle, summary } from './words';

interface RecordDialogProps {
  seq: number | undefined;
  /** The record, where the list has it already. */
  loaded: AuditItem | undefined;
  people: People;
  onClose: () => void;
}

/** One record in full, over the list. Its number is in the address. */
export function RecordDialog({ seq, loaded, people, onClose }: RecordDialogProps) {
  return (
    <Dialog wide title={seq === undefined ? 'Record' : `Record ${count(seq)}`} open={seq !== undefined} onClose={onClose}>
      {seq !== undefined && <Content key={seq} seq={seq} loaded={loaded} people={people} />}
      <div className="dialog-actions record-actions"><Button onPress={onClose}>Close</Button></div>
    </Dialog>
  );
}

function Content({ seq, loaded, people }: { seq: number; loaded: AuditItem | undefined; people: People }) {
  const one = useQuery({ ...governQueries.auditRecord(seq), enabled: loaded === undefined });
  const record = loaded ?? one.data;
  if (record) return <Whole record={asHashed(record)} people={people} />;
  if (one.error) return <ProblemView problem={one.error} onRetry={() => void one.refetch()} />;
  if (record === null) {
    return <p className="prose">The log has no record {count(seq)}. Records are numbered without gaps, so either it is not that long yet, or the record was removed; verifying the whole log tells which.</p>;
  }
  return <Skeleton lines={[100, 80, 100]} height={24} label="Loading the record" />;
}

/** With the payload read from the text that the hash covers, so that what is shown is what is checked. */
function asHashed(record: AuditItem): AuditItem {
  try {
    return { ...record, payload: JSON.parse(record.text) as Json };
  } catch {
    return { ...record, payload: record.text };
  }
}

function Whole({ record, people }: { record: AuditItem; people: People }) {
  const may = useMay();
  const navigate = useNavigate();
  const only = (part: { kind?: string; actor?: string }) =>
    void navigate({ to: '/audit', search: (all) => ({ ...all, kind: undefined, actor: undefined, record: undefined, ...part }) });
  const line = summary(record);
  const approval = approvalOf(record);
  return (
    <div className="stack record">
      <div className="stack-s">
        <p><strong>{kindTitle(record.kind)}</strong>{line && `. ${line}`}</p>
        <dl className="facts left">
          <dt>When</dt><dd><Time at={record.at} absolute /> <span className="mono muted exact">{record.at}</span></dd>
          <dt>Who</dt><dd><ActorName actor={record.actor} people={people} /></dd>
          <dt>Kind</dt><dd><span className="mono">{visible(record.kind)}</span></dd>
          {approval !== null && (
            <>
              <dt>Approval</dt>
              <dd>{may('listApprovals') ? <Link to="/approvals/$id" params={{ id: approval }}>Open the request</Link> : approval}</dd>
            </>
          )}
        </dl>
        <div className="row record-filters">
          <Button look="quiet" onPress={() => only({ kind: record.kind })}>Only this kind</Button>
          <Button look="quiet" onPress={() => only({ actor: record.actor })}>Only by this actor</Button>
        </div>
      </div>
      {record.sealed > 0 && (
        <Notice tone="info">
          <span>
            {plural(record.sealed, 'part')} of this record {record.sealed === 1 ? 'is' : 'are'} sealed under the key of the
            person that {record.sealed === 1 ? 'it is' : 'they are'} about. When that person is erased, so is the key, and
            nobody can read the content any more. The hash covers the sealed bytes, so it still holds then.
          </span>
        </Notice>
      )}
      <section className="stack-s" aria-labelledby="payload-title">
        <h3 id="payload-title">Content</h3>
        <Payload value={record.payload} />
        <CopyButton label="Copy as JSON" text={record.text} />
      </section>
      <section className="stack-s" aria-labelledby="leaf-title">
        <h3 id="leaf-title">Leaf hash</h3>
        <p className="mono wrap-anywhere">{record.leaf}</p>
        <CopyButton label="Copy the hash" text={record.leaf} />
      </section>
      {may('proveAudit') && may('getAuditHead') && <ProofPart record={record} />}
    </div>
  );
}
