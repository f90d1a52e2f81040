import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useId, useState } from 'react';
import { Problem } from '../../api/client';
import { type Approval, type Ballot, governCommands, governQueries, type Vote } from '../../api/govern';
import type { Line, SessionUser, SignOff } from '../../api/types';
import { useSession } from '../../session';
import { Button, Dialog, ProblemLine, Radios, TextField } from '../../ui';
import { visible } from './diff';
import { capacities, effectText, needsAfter } from './effect';
import { missing, who } from './words';

interface VoteProps {
  approval: Approval;
  vote: Ballot['vote'];
  line: Line | undefined;
  reason: string;
  onReason: (text: string) => void;
  onClose: () => void;
  onDone: (answer: Approval) => void;
}

/** No sign-off has these names: a vote that gives none, and no choice yet. */
type Choice = SignOff | 'alone' | 'open';

export function VoteDialog(props: VoteProps) {
  const verb = props.vote === 'approve' ? 'Approve' : 'Reject';
  return (
    <Dialog title={`${verb} this request?`} open onClose={props.onClose} role="alertdialog"><VoteForm {...props} /></Dialog>
  );
}

function VoteForm({ approval, vote, line, reason, onReason, onClose, onDone }: VoteProps) {
  const client = useQueryClient();
  const { user } = useSession();
  // What the voter saw. A request that changes while the dialog is open must not be voted on unseen.
  const [seen, setSeen] = useState(approval.revision);
  const [steps] = useState(approval.history.length);
  const [tried, setTried] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const effect = useId();

  const offered = capacities(approval, user);
  // A person votes once: whether that vote gives a sign-off is theirs to say, and nothing is chosen for them.
  const mustChoose = vote === 'approve' && offered.length > 1;
  const [chosen, setChosen] = useState<Choice>('open');
  const as = mustChoose ? offered.find((each) => each === chosen) ?? null : offered[0] ?? null;
  const undecided = mustChoose && chosen === 'open';
  const over = !approval.may.vote;

  async function submit(event: FormEvent) {
    event.preventDefault();
    setTried(true);
    if (over || undecided || (vote === 'reject' && reason.trim() === '')) return;
    setBusy(true);
    setProblem(null);
    try {
      onDone(await governCommands.vote(approval.id, { vote, revision: seen, reason: reason.trim() || null, as }));
    } catch (error) {
      setProblem(error);
      if (error instanceof Problem && (error.status === 409 || error.status === 403)) await readAgain();
      setBusy(false);
    }
  }

  async function readAgain() {
    try {
      const now = await client.fetchQuery({ ...governQueries.approval(approval.id), staleTime: 0 });
      setSeen(now.revision);
    } catch (error) {
      setProblem(error);
    }
  }

  const conflict = problem instanceof Problem && problem.status === 409;
  const news = approval.history.slice(steps);
  return (
    <form className="stack" onSubmit={(event) => void submit(event)} noValidate>
      <div id={effect} className="prose small stack-s">
        <p><strong>{visible(approval.title)}</strong></p>
        {!over && <p>{vote === 'reject' ? REJECTS : approves(approval, user, as, line)}</p>}
      </div>
      {mustChoose && !over && (
        <Radios<Choice>
          label="Your vote" value={chosen} onChange={setChosen}
          hint="You can vote once. Without the sign-off, somebody else has to give it."
          error={tried && undecided ? 'Choose what your vote gives.' : null}
          options={offered.map((name) => (name === null
            ? { value: 'alone', label: 'Approve only' }
            : { value: name, label: `Approve and sign off for ${name}` }))}
        />
      )}
      <TextField
        label={vote === 'reject' ? 'Reason' : 'Reason (optional)'} multiline autoFocus={!mustChoose} value={reason} onChange={onReason}
        isReadOnly={over} aria-describedby={effect} hint="Kept with your vote and in the audit log."
        error={vote === 'reject' && tried && reason.trim() === '' ? 'A rejection needs a reason.' : null}
      />
      <div role="alert" className="alerts">
        {(news.length > 0 || conflict) && (
          <div className="notice">
            <div className="stack-s">
              <p><strong>This request changed while you were looking at it.</strong> It was read again, and what you typed is still here.</p>
              {conflict && problem.detail && <p>The server says: {problem.detail}.</p>}
              {news.length > 0 && <ul>{news.map((step, at) => <li key={at}>{step.by === null ? '' : `${who(approval, step.by)}: `}{visible(step.what)}</li>)}</ul>}
              <p>{over ? `You cannot vote any more${approval.may.why_not ? `: ${approval.may.why_not}` : ''}.` : 'Look at it again, then decide.'}</p>
            </div>
          </div>
        )}
      </div>
      {problem !== null && !conflict && <ProblemLine problem={problem} />}
      <div className="dialog-actions">
        <Button onPress={onClose}>{over ? 'Close' : 'Cancel'}</Button>
        {!over && (
          <Button type="submit" look={vote === 'reject' ? 'danger' : 'primary'} isPending={busy}>
            {vote === 'reject' ? 'Reject' : as === null ? 'Approve' : `Approve for ${as}`}
          </Button>
        )}
      </div>
    </form>
  );
}

const REJECTS = 'One rejection ends the request: nobody can agree to it any more, and nothing changes. The requester sees your reason.';

function approves(approval: Approval, user: SessionUser, as: SignOff | null, line: Line | undefined): string {
  const vote: Vote = { by: user.id, vote: 'approve', as, roles: user.roles, reason: null, at: '' };
  const rest = missing({ needs: needsAfter(approval, vote), votes: [...approval.votes, vote] });
  return rest === null
    ? `Nothing else is missing. ${effectText(approval, line)}`
    : `Your approval alone changes nothing yet: ${rest} will still be missing.`;
}
