import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { governCommands, type Json, keepApproval } from '../../api/govern';
import { Button, Dialog, ProblemLine, TextField } from '../../ui';

/** What somebody wrote, as JSON where it is a whole object or list, else as the text that it is; null for nothing. */
export function written(text: string): Json {
  const trimmed = text.trim();
  if (trimmed === '') return null;
  if (!/^[[{]/.test(trimmed)) return trimmed;
  try {
    return JSON.parse(trimmed) as Json;
  } catch {
    return trimmed;
  }
}

/** How it will be read, so that a slip in JSON is seen before it is sent. */
function readAs(text: string): string {
  const value = written(text);
  if (value === null) return 'Text, or JSON to be compared part by part.';
  if (typeof value !== 'string') return 'Read as JSON.';
  return /^[[{]/.test(value) ? 'Read as text: it begins like JSON, but is not.' : 'Read as text.';
}

export function AskDialog({ onClose }: { onClose: () => void }) {
  return <Dialog title="Ask for approval" open onClose={onClose} role="alertdialog" wide><AskForm onClose={onClose} /></Dialog>;
}

function AskForm({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [title, setTitle] = useState('');
  const [reason, setReason] = useState('');
  const [before, setBefore] = useState('');
  const [after, setAfter] = useState('');
  const [tried, setTried] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);

  async function submit(event: FormEvent) {
    event.preventDefault();
    setTried(true);
    if (title.trim() === '' || reason.trim() === '') return;
    setBusy(true);
    try {
      const approval = await governCommands.ask({
        title: title.trim(), reason: reason.trim(), before: written(before), after: written(after),
      });
      keepApproval(client, approval);
      onClose();
      await navigate({ to: '/approvals/$id', params: { id: approval.id } });
    } catch (error) {
      setProblem(error);
      setBusy(false);
    }
  }

  const error = (value: string, words: string) => (tried && value.trim() === '' ? words : null);
  return (
    <form className="stack" onSubmit={(event) => void submit(event)} noValidate>
      <p className="prose small">
        Those whom the rules of the project name are asked. When they agree, that is recorded with their names; nothing else
        happens by itself.
      </p>
      <TextField label="Title" autoFocus value={title} onChange={setTitle} hint="One line: what people agree to." error={error(title, 'Say what people are to agree to.')} />
      <TextField label="Reason" multiline value={reason} onChange={setReason} error={error(reason, 'Say why.')} />
      <div className="ask-sides">
        <TextField label="What is now (optional)" multiline value={before} onChange={setBefore} hint={readAs(before)} />
        <TextField label="What would be (optional)" multiline value={after} onChange={setAfter} hint={readAs(after)} />
      </div>
      {problem !== null && <ProblemLine problem={problem} />}
      <div className="dialog-actions">
        <Button onPress={onClose}>Cancel</Button>
        <Button type="submit" look="primary" isPending={busy}>Ask</Button>
      </div>
    </form>
  );
}
