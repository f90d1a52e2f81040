import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { type AuditItem, governCommands, governQueries } from '../../api/govern';
import { NoHashing, type ProofStep } from '../../audit/proof';
import { count, plural } from '../../format';
import { Badge, Button, ProblemLine } from '../../ui';
import { standing } from './standing';

/** Fetches the proof of a record for the head as it is now, and checks it here. */
export function ProofPart({ record }: { record: AuditItem }) {
  const client = useQueryClient();
  const check = useMutation({
    mutationFn: async () => {
      const head = await client.fetchQuery({ ...governQueries.auditHead(), staleTime: 0 });
      return standing(record, head, await governCommands.proveRecord(record.seq, head.size));
    },
  });
  const result = check.data;
  // The outcome stands below what was pressed, and the dialog may end there.
  const section = useRef<HTMLElement>(null);
  useEffect(() => {
    if (result) section.current?.scrollIntoView?.({ block: 'start' });
  }, [result]);
  return (
    <section ref={section} className="stack-s" aria-labelledby="proof-title">
      <h3 id="proof-title">Proof</h3>
      <p className="small muted">
        This browser hashes the content above, and then joins it with a few hashes from the server, up to the root that the
        signed head names. The head’s signature is checked by the commands beside the list.
      </p>
      <div>
        <Button isPending={check.isPending} onPress={() => check.mutate()}>
          {check.isPending ? 'Checking…' : result ? 'Check again' : 'Check that it stands in the log'}
        </Button>
      </div>
      {/* Always there, so that what appears in it is announced. */}
      <div role="status" className="audit-status">
        {result && !check.isPending && (
          <p className="audit-outcome">
            <Badge tone={result.holds ? 'good' : 'bad'}>{result.holds ? 'Proved' : 'Not proved'}</Badge>{' '}
            {result.holds
              ? `Record ${count(record.seq)} is one of the ${plural(result.size, 'record')} that the signed head covers.`
              : `Record ${count(record.seq)} could not be proved to be one of the ${plural(result.size, 'record')} that the signed head covers. Export the log and verify it against a head that was kept elsewhere.`}
          </p>
        )}
      </div>
      {check.error instanceof NoHashing && <p className="notice" role="alert">{check.error.message}</p>}
      {check.error && !(check.error instanceof NoHashing) && <ProblemLine problem={check.error} />}
      {result && !check.isPending && (
        <>
          <ul className="comparisons">
            {result.comparisons.map(({ same, text }) => (
              <li key={text}><Badge tone={same ? 'good' : 'bad'}>{same ? 'holds' : 'fails'}</Badge><span>{text}</span></li>
            ))}
          </ul>
          {result.steps.length > 0 && <Steps leaf={record.leaf} steps={result.steps} />}
        </>
      )}
    </section>
  );
}

function Steps({ leaf, steps }: { leaf: string; steps: ProofStep[] }) {
  return (
    <div className="proof-steps" role="region" aria-label="Steps of the path" tabIndex={0}>
      <p className="small">Begins with the record’s hash <span className="mono">{leaf}</span></p>
      <ol>
        {steps.map(({ side, sibling, node }, at) => (
          <li key={at}>
            <span>Step {count(at + 1)}: joined with the hash on its {side}</span>
            <span className="mono">{sibling}</span>
            <span>gives{at === steps.length - 1 ? ', at the top,' : ''}</span>
            <span className="mono">{node}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}
