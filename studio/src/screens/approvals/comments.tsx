import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { type Approval, governCommands, keepApproval } from '../../api/govern';
import { useMay } from '../../session';
import { Button, Card, ProblemLine, TextField, Time } from '../../ui';
import { readAgain } from './again';
import { visible } from './diff';
import { isOpen } from './parts';
import { who } from './words';

/** Around the field, so that a key can find it. */
export const COMMENT_FIELD = 'comment';

export function Comments({ approval }: { approval: Approval }) {
  const may = useMay();
  const { comments } = approval;
  return (
    <Card title="Comments">
      <div className="stack">
        {comments.length === 0 && <p className="small muted">{isOpen(approval) ? 'Nobody has said anything yet.' : 'Nobody said anything.'}</p>}
        {comments.length > 0 && (
          <ol className="voices">
            {comments.map((comment, at) => (
              <li key={at}>
                <p><strong>{who(approval, comment.by)}</strong> <span className="muted"><Time at={comment.at} /></span></p>
                <p className="said">{visible(comment.text)}</p>
              </li>
            ))}
          </ol>
        )}
        {may('commentApproval') && <CommentForm approval={approval} />}
      </div>
    </Card>
  );
}

function CommentForm({ approval }: { approval: Approval }) {
  const client = useQueryClient();
  const [text, setText] = useState('');
  const [missing, setMissing] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const [said, setSaid] = useState('');
  const open = isOpen(approval);
  // A request that ends while somebody writes keeps the text in sight.
  if (!open && text === '') return null;

  async function submit(event: FormEvent) {
    event.preventDefault();
    setSaid('');
    if (text.trim() === '') return setMissing(true);
    setBusy(true);
    setProblem(null);
    try {
      keepApproval(client, await governCommands.comment(approval.id, text.trim()));
      setText('');
      setMissing(false);
      setSaid('Your comment was added.');
    } catch (error) {
      setProblem(await readAgain(client, approval.id, error));
    } finally {
      setBusy(false);
    }
  }

  return (
    <form id={COMMENT_FIELD} className="stack-s" onSubmit={(event) => void submit(event)} noValidate>
      <TextField
        label="Comment" multiline value={text} onChange={setText} isReadOnly={!open}
        hint={open ? 'Everybody who can see this request reads it.' : 'The request is over, so nothing can be added. Your text is kept here until you leave.'}
        error={missing && text.trim() === '' ? 'Write something first.' : null}
      />
      {problem !== null && <ProblemLine problem={problem} />}
      <div className="row">
        {open && <Button type="submit" isPending={busy}>Add comment</Button>}
        <span className="small muted" role="status">{said}</span>
      </div>
    </form>
  );
}
