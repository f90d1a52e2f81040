import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { applyRun } from '../../api/live';
import { commands } from '../../api/queries';
import type { RunState } from '../../api/types';
import { useMay } from '../../session';
import { Button, Dialog, ProblemLine } from '../../ui';

/** Starts a run, or stops the one under way after asking. */
export function RunControls({ run }: { run: RunState | null }) {
  const may = useMay();
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  const start = useMutation({
    mutationFn: () => commands.startRun({ stage: null, from: null }),
    onSuccess: (state) => applyRun(client, state),
  });
  const cancel = useMutation({ mutationFn: commands.cancelRun, onSettled: () => setAsking(false) });
  const problem = start.error ?? cancel.error;

  return (
    <>
      {run?.status === 'running'
        ? may('cancelRun') && <Button onPress={() => setAsking(true)} isPending={cancel.isPending}>Cancel the run</Button>
        : may('startRun') && (
          <Button look="primary" isPending={start.isPending} onPress={() => start.mutate()}>
            {start.isPending ? 'Starting…' : 'Run the line'}
          </Button>
        )}
      {problem && <ProblemLine problem={problem} />}
      <Dialog title="Cancel this run?" role="alertdialog" open={asking} onClose={() => setAsking(false)}>
        <p className="small">What is already published stays.</p>
        <div className="dialog-actions">
          <Button onPress={() => setAsking(false)}>Keep running</Button>
          <Button look="danger" onPress={() => cancel.mutate()} isPending={cancel.isPending}>Cancel the run</Button>
        </div>
      </Dialog>
    </>
  );
}
