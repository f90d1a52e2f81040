import { useMutation, useQuery } from '@tanstack/react-query';
import { url } from '../../api/client';
import { type AuditHead, governCommands, governQueries } from '../../api/govern';
import { count } from '../../format';
import { useMay } from '../../session';
import { Button, Card, CopyButton, ProblemLine, ProblemView, Skeleton, Time } from '../../ui';
import { visible } from '../approvals/diff';
import { Findings, Verdict } from './verification';

const COMMANDS = `throughline audit head PROJECT > head.txt
throughline audit verify PROJECT --head head.txt
throughline audit export PROJECT > audit.jsonl
throughline audit verify --file audit.jsonl --head head.txt --key KEY`;

/** The log as a whole: its signed head, whether it is intact, and how to check it without this server. */
export function LogCard() {
  const may = useMay();
  const head = useQuery({ ...governQueries.auditHead(), enabled: may('getAuditHead'), staleTime: 0 });
  const verify = useMutation({ mutationFn: governCommands.verifyAudit, onSuccess: () => void head.refetch() });
  return (
    <Card
      title="The log as a whole"
      note="Records form a tree of hashes. Whoever holds a signed head can tell whether any record before it was changed, removed or put in later."
    >
      <div className="stack">
        {head.error && <ProblemView problem={head.error} onRetry={() => void head.refetch()} />}
        {head.isLoading && <Skeleton lines={[100, 100]} height={36} label="Loading the signed head" />}
        {head.data && <HeadFacts head={head.data} />}
        {(may('verifyAudit') || may('exportAudit')) && (
          <div className="row">
            {may('verifyAudit') && (
              <Button look="primary" isPending={verify.isPending} onPress={() => verify.mutate()}>
                {verify.isPending ? 'Verifying…' : 'Verify the whole log'}
              </Button>
            )}
            {may('exportAudit') && <a className="button" href={url('/audit/export')} download="audit.jsonl">Export the log</a>}
            {may('exportAudit') && <span className="small muted">All records as JSON Lines. The export is put on record as well.</span>}
          </div>
        )}
        {/* Always there, so that what appears in it is announced. */}
        <div role="status" className="audit-status">{verify.data && !verify.isPending && <Verdict outcome={verify.data} />}</div>
        {verify.error && <ProblemLine problem={verify.error} />}
        {verify.data && !verify.isPending && <Findings outcome={verify.data} head={head.data} />}
        <div>
          {head.data && <HeadToKeep head={head.data} />}
          <Offline />
        </div>
      </div>
    </Card>
  );
}

function HeadFacts({ head }: { head: AuditHead }) {
  return (
    <dl className="log-facts">
      <div><dt>Records</dt><dd className="audit-size">{count(head.size)}</dd></div>
      <div><dt>Head signed</dt><dd><Time at={head.at} /></dd></div>
      <div><dt>Origin</dt><dd className="wrap-anywhere">{visible(head.origin)}</dd></div>
      <div className="wide"><dt>Root</dt><dd className="mono">{head.root}</dd></div>
    </dl>
  );
}

function HeadToKeep({ head }: { head: AuditHead }) {
  return (
    <details className="audit-fold">
      <summary>Keep this head elsewhere</summary>
      <div className="stack">
        <p className="prose small">
          A log cannot prove by itself that its keeper did not write all of it anew, key in hand. A head that somebody else
          holds can. Send this note now and then to people outside the team, to an archive or to your auditor, together
          with the public key, and verify the log against it later.
        </p>
        <div className="stack-s">
          <h3 id="note-title">Signed note</h3>
          <pre className="audit-block" role="region" aria-labelledby="note-title" tabIndex={0}>{visible(head.note)}</pre>
          <CopyButton label="Copy the note" text={head.note} />
        </div>
        <div className="stack-s">
          <h3>Public key</h3>
          <p className="mono small wrap-anywhere">{visible(head.public_key)}</p>
          <CopyButton label="Copy the key" text={head.public_key} />
        </div>
      </div>
    </details>
  );
}

function Offline() {
  return (
    <details className="audit-fold">
      <summary>Verify without this server</summary>
      <div className="stack-s">
        <p className="prose small">
          The first command keeps a head. The second, later, says whether the log continues it. The last two need no
          project: whoever has the exported log, a head and the public key can check them on a computer of their own. Take
          the head and the key from where they were kept, not from this page on the day of the check.
        </p>
        <pre className="audit-block" role="region" aria-label="Commands" tabIndex={0}>{COMMANDS}</pre>
        <CopyButton label="Copy the commands" text={COMMANDS} />
      </div>
    </details>
  );
}
