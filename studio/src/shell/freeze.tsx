import { useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { applyChanged } from '../api/live';
import { commands } from '../api/queries';
import type { Freeze } from '../api/types';
import { useMay } from '../session';
import { Button, Notice, ReasonDialog, Time } from '../ui';

/** Stops every delivery at once. Anybody who may, can, without waiting for an approval. */
export function FreezeButton() {
  const may = useMay();
  const client = useQueryClient();
  const [open, setOpen] = useState(false);
  if (!may('freeze')) return null;
  return (
    <>
      <Button look="danger" onPress={() => setOpen(true)}>Freeze deliveries</Button>
      <ReasonDialog
        open={open} onClose={() => setOpen(false)} danger
        title="Freeze every delivery?" action="Freeze now"
        explanation="From this moment nothing is sent to any destination, until deliveries are released again."
        onSubmit={async (reason) => {
          await commands.freeze(reason);
          applyChanged(client, ['line', 'audit']);
        }}
      />
    </>
  );
}

export function FreezeBanner({ frozen }: { frozen: Freeze }) {
  const may = useMay();
  const client = useQueryClient();
  const [open, setOpen] = useState(false);
  const [asked, setAsked] = useState<string | null>(null);
  return (
    <>
      <div className="freeze-banner" role="status">
        <span>
          <strong>Deliveries are frozen.</strong> {frozen.reason} – {frozen.by}, <Time at={frozen.at} />
        </span>
        {may('unfreeze') && <Button onPress={() => setOpen(true)}>Release</Button>}
      </div>
      {asked !== null && (
        <Notice tone="info">
          <span>The release was requested. It takes effect once it is approved.</span>
          {may('listApprovals') && <Link to="/approvals/$id" params={{ id: asked }}>Open the request</Link>}
        </Notice>
      )}
      <ReasonDialog
        open={open} onClose={() => setOpen(false)} title="Release deliveries?" action="Release"
        explanation="Deliveries may go out again from then on. A rule may ask for an approval first."
        onSubmit={async (reason) => {
          const answer = await commands.unfreeze(reason);
          setAsked(answer?.state === 'pending' ? answer.id ?? null : null);
          applyChanged(client, ['line', 'approvals', 'audit']);
        }}
      />
    </>
  );
}
