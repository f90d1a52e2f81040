import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { evidenceCommands, type LedgerEntry } from '../../api/evidence';
import { applyChanged } from '../../api/live';
import { randomised, sentence } from '../../evidence/words';
import { useMay, useSession } from '../../session';
import { Button, Checks, Dialog, ProblemLine, ReasonDialog, type Said, TextField } from '../../ui';

/** What the reader may do about a record, and why not where they may not. */
export function Actions({ entry, onSaid }: { entry: LedgerEntry; onSaid: (said: Said) => void }) {
  const may = useMay();
  const { user } = useSession();
  const client = useQueryClient();
  const [open, setOpen] = useState<'approve' | 'retire' | null>(null);
  const { record, notes, standing } = entry;
  if (standing === 'retired') return null;
  // The button that began it is gone afterwards.
  const done = (text: string) => {
    applyChanged(client, ['evidence', 'audit']);
    onSaid({ text, takesFocus: true });
  };
  const close = () => setOpen(null);
  const mine = notes.some(({ kind, by }) => kind === 'approved' && by === user.name);
  const why = record.health !== 'healthy' ? 'It cannot be approved: a check failed.'
    : randomised(record.design) ? 'It needs no approval: people were assigned at random.'
    : mine ? 'You answer for its assumptions.' : null;
  return (
    <>
      {may('approveEvidence') && (why === null
        ? <Button look="primary" onPress={() => setOpen('approve')}>Approve its assumptions</Button>
        : <span className="small muted">{why}</span>)}
      {may('retireEvidence') && <Button look="danger" onPress={() => setOpen('retire')}>Retire</Button>}
      <Dialog title="Answer for its assumptions?" open={open === 'approve'} onClose={close} role="alertdialog" wide>
        <ApproveForm entry={entry} onClose={close} onDone={() => done('Approved: you answer for its assumptions. The next run goes by it.')} />
      </Dialog>
      <ReasonDialog
        open={open === 'retire'} onClose={close} danger title="Retire this record?" action="Retire for good"
        explanation="From then on no decision rests on it. It stays in the ledger with your reason, and cannot come back: a new reading makes a new record."
        onSubmit={async (reason) => {
          await evidenceCommands.retire(record.id, reason);
          done('Retired: no decision rests on it from the next run on.');
        }}
      />
    </>
  );
}

/** Every assumption is read before anybody answers for it. */
function ApproveForm({ entry: { record }, onClose, onDone }: { entry: LedgerEntry; onClose: () => void; onDone: () => void }) {
  const [read, setRead] = useState<string[]>([]);
  const [reason, setReason] = useState('');
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const unread = record.assumptions.filter((text) => !read.includes(text)).length;

  async function submit(event: FormEvent) {
    event.preventDefault();
    setTried(true);
    if (unread > 0 || busy) return;
    setBusy(true);
    setProblem(null);
    try {
      await evidenceCommands.approve(record.id, reason.trim());
      onDone();
      onClose();
    } catch (failed) {
      setProblem(failed);
      setBusy(false);
    }
  }

  return (
    <form className="stack one-by-one" onSubmit={(event) => void submit(event)} noValidate>
      <p className="prose small">Decisions may rest on this effect from the next run on, with your name beside it. It means what it says only if each of these is true.</p>
      {record.assumptions.length > 0
        ? (
          <Checks
            label="I have read, and answer for" value={read} onChange={setRead}
            options={[...new Set(record.assumptions)].map((text) => ({ value: text, label: sentence(text) }))}
            error={tried && unread > 0 ? 'Tick each of them, or do not approve.' : null}
          />
        )
        : <p className="small">The record names no assumption.</p>}
      <TextField label="Why they hold" multiline value={reason} onChange={setReason} hint="Kept in the audit log with your name." />
      {problem !== null && <ProblemLine problem={problem} />}
      <div className="dialog-actions">
        <Button onPress={onClose}>Cancel</Button>
        <Button type="submit" look="primary" isPending={busy}>Approve</Button>
      </div>
    </form>
  );
}
