import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { type Approval, governCommands, keepApproval } from '../../api/govern';
import { queries } from '../../api/queries';
import { useMay, useSession } from '../../session';
import { useKeys } from '../../shell/keys';
import { Button, ReasonDialog } from '../../ui';
import { readAgain } from './again';
import { COMMENT_FIELD } from './comments';
import { visible } from './diff';
import { effectText, outcomeText } from './effect';
import { Ends, needsText, Right, StateBadge } from './parts';
import { VoteDialog } from './vote';
import { STATE_TEXTS, who } from './words';

type Act = 'approve' | 'reject' | 'withdraw';

/** Where the request stands, and what the reader can do about it. */
export function Standing({ approval }: { approval: Approval }) {
  const may = useMay();
  const client = useQueryClient();
  const { data: line } = useQuery({ ...queries.line(), enabled: may('getLine') });
  const [open, setOpen] = useState<Act | null>(null);
  // Kept when a dialog is closed by mistake.
  const [drafts, setDrafts] = useState({ approve: '', reject: '' });
  const [said, setSaid] = useState('');
  const result = useRef<HTMLDivElement>(null);
  const { vote, withdraw } = approval.may;
  const news = useNews(approval);

  const begin = (act: Act) => {
    setSaid('');
    setOpen(act);
  };
  const done = (act: Act, answer: Approval) => {
    keepApproval(client, answer);
    setDrafts({ approve: '', reject: '' });
    setOpen(null);
    setSaid(outcomeText(answer, act, line));
  };
  // The button that opened the dialog is gone by now, so the focus goes to what came of it, once the dialog has left.
  useEffect(() => {
    if (said === '' || open !== null) return;
    const timer = window.setTimeout(() => result.current?.focus(), 50);
    return () => window.clearTimeout(timer);
  }, [said, open]);

  const act = (name: Act, can: boolean) => () => can && open === null && begin(name);
  useKeys({
    a: act('approve', vote),
    r: act('reject', vote),
    c: () => document.getElementById(COMMENT_FIELD)?.querySelector('textarea')?.focus(),
  });

  return (
    <section className="standing card" aria-label="Where it stands">
      <div className="standing-state">
        <StateBadge approval={approval} />
        <span>{STATE_TEXTS[approval.state]}</span>
      </div>
      <ul className="request-foot">
        {approval.state === 'pending' && <li className="needs">{needsText(approval)}</li>}
        <li><Ends approval={approval} /></li>
        <li><Right approval={approval} /></li>
      </ul>
      {approval.state === 'pending' && <p className="small prose"><strong>Once it is agreed to:</strong> {effectText(approval, line)}</p>}
      {approval.state === 'approved' && line?.frozen && <p className="small prose">{effectText(approval, line)}</p>}
      {(vote || withdraw) && (
        <div className="row">
          {vote && <Button look="primary" onPress={() => begin('approve')}>Approve</Button>}
          {vote && <Button look="danger" onPress={() => begin('reject')}>Reject</Button>}
          {withdraw && <Button onPress={() => begin('withdraw')}>Withdraw</Button>}
          {vote && <span className="keys small muted">Keys: <kbd>a</kbd> approve, <kbd>r</kbd> reject, <kbd>c</kbd> comment</span>}
        </div>
      )}
      <div ref={result} className="result" role="status" tabIndex={-1}>{said}</div>
      <p className="news small" role="status">{news}</p>

      {(open === 'approve' || open === 'reject') && (
        <VoteDialog
          key={open} approval={approval} vote={open} line={line}
          reason={drafts[open]} onReason={(text) => setDrafts((all) => ({ ...all, [open]: text }))}
          onClose={() => setOpen(null)} onDone={(answer) => done(open, answer)}
        />
      )}
      <ReasonDialog
        title="Withdraw this request?" action="Withdraw" danger open={open === 'withdraw'} onClose={() => setOpen(null)}
        explanation={<p>“{visible(approval.title)}” is taken back: nobody can agree to it any more, the votes so far count for nothing, and nothing changes. To go on, somebody has to ask again.</p>}
        onSubmit={async (reason) => {
          try {
            const answer = await governCommands.withdraw(approval.id, reason);
            done('withdraw', answer);
          } catch (error) {
            throw await readAgain(client, approval.id, error);
          }
        }}
      />
    </section>
  );
}

/** What somebody else just did, while the reader looks on. */
function useNews(approval: Approval): string {
  const { user } = useSession();
  const known = useRef(approval.revision);
  const [news, setNews] = useState('');
  useEffect(() => {
    if (approval.revision === known.current) return;
    known.current = approval.revision;
    const step = approval.history.at(-1);
    const own = approval.history.at(-1)?.by === user.id || approval.history.at(-2)?.by === user.id;
    if (!step || own) return setNews('');
    setNews(`Changed just now: ${step.by === null ? '' : `${who(approval, step.by)} `}${visible(step.what)}.`);
  }, [approval, user.id]);
  return news;
}
