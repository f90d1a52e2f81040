import { type FormEvent, type ReactNode, useState } from 'react';
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { Problem } from '../api/client';
import { Button } from './button';
import { TextField } from './fields';
import { ProblemLine } from './problem';

interface DialogProps {
  title: string;
  open: boolean;
  onClose: () => void;
  role?: 'dialog' | 'alertdialog';
  wide?: boolean;
  children: ReactNode;
}

export function Dialog({ title, open, onClose, role = 'dialog', wide, children }: DialogProps) {
  return (
    <ModalOverlay className="veil" isOpen={open} onOpenChange={(is) => !is && onClose()} isDismissable={role === 'dialog'}>
      <Modal className={wide ? 'dialog wide' : 'dialog'}>
        <AriaDialog role={role}>
          <Heading slot="title" level={2}>{title}</Heading>
          {children}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}

interface ReasonDialogProps {
  title: string;
  explanation: ReactNode;
  action: string;
  danger?: boolean;
  open: boolean;
  onClose: () => void;
  /** Closes when it resolves; a problem it throws stays in the dialog. */
  onSubmit: (reason: string) => Promise<unknown>;
}

/** Asks for the reason of an act that the audit log will keep. */
export function ReasonDialog(props: ReasonDialogProps) {
  return (
    <Dialog title={props.title} open={props.open} onClose={props.onClose} role="alertdialog">
      <ReasonForm {...props} />
    </Dialog>
  );
}

function ReasonForm({ explanation, action, danger, onClose, onSubmit }: ReasonDialogProps) {
  const [reason, setReason] = useState('');
  const [missing, setMissing] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (reason.trim() === '') return setMissing(true);
    setBusy(true);
    try {
      await onSubmit(reason.trim());
      onClose();
    } catch (error) {
      setProblem(error instanceof Problem ? error : new Problem({ status: 0, title: String(error) }));
    } finally {
      setBusy(false);
    }
  }

  return (
    <form className="stack" onSubmit={(event) => void submit(event)} noValidate>
      <div className="prose small">{explanation}</div>
      <TextField
        label="Reason" multiline autoFocus value={reason} onChange={setReason}
        hint="Kept in the audit log with your name." error={missing && reason.trim() === '' ? 'Say why.' : null}
      />
      {problem !== null && <ProblemLine problem={problem} />}
      <div className="dialog-actions">
        <Button onPress={onClose}>Cancel</Button>
        <Button type="submit" look={danger ? 'danger' : 'primary'} isPending={busy}>{action}</Button>
      </div>
    </form>
  );
}
