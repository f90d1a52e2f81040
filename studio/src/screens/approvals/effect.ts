import type { Approval, Terms, Vote } from '../../api/govern';
import type { Line, SessionUser, SignOff } from '../../api/types';
import { entitled, missing } from './words';

const countsFor = (terms: Pick<Terms, 'roles' | 'sign_offs'>, vote: Vote) =>
  (vote.as !== null && terms.sign_offs.includes(vote.as)) || entitled(vote.roles, terms);

const approvers = (votes: Vote[]) => new Set(votes.map(({ by }) => by)).size;

/** How far one rule is met. */
export function progress(terms: Terms, votes: Vote[]): { approvals: number; given: SignOff[] } {
  const approving = votes.filter(({ vote }) => vote === 'approve');
  return {
    approvals: approvers(approving.filter((vote) => countsFor(terms, vote))),
    given: terms.sign_offs.filter((name) => approving.some((vote) => vote.as === name)),
  };
}

/** What would still be missing after one more vote. The server counts the same way, and decides. */
export function needsAfter({ rule, votes }: Approval, vote: Vote): Approval['needs'] {
  const all = [...votes, vote];
  const approving = all.filter((each) => each.vote === 'approve');
  const short = rule.rules.map((terms) => terms.quorum - progress(terms, all).approvals);
  return {
    approvals: Math.max(0, Math.max(rule.quorum, 1) - approvers(approving), ...short),
    sign_offs: rule.sign_offs.filter((name) => !approving.some((each) => each.as === name)),
  };
}

/** What follows as soon as nothing is missing any more. */
export function effectText({ kind }: Approval, line: Line | undefined): string {
  if (kind === 'unfreeze') return 'Deliveries are released at once and may go out from then on.';
  if (kind === 'role') return 'The rights of this account change at once.';
  if (kind === 'other') return 'It is recorded that people agreed. Nothing else happens by itself.';
  if (line?.frozen) return 'Deliveries are frozen, so those of this policy leave only after the release.';
  return line?.run?.status === 'running'
    ? 'Deliveries of this policy leave with the next run, which begins as soon as the run at work is over.'
    : 'Deliveries of this policy leave with the next run, which begins at once.';
}

/** What an answer to one's own act means, to be said aloud. */
export function outcomeText(approval: Approval, act: 'approve' | 'reject' | 'withdraw', line: Line | undefined): string {
  if (act === 'reject') return 'You rejected it. The request is over, and nothing changes.';
  if (act === 'withdraw') return 'It was taken back. The request is over, and nothing changes.';
  if (approval.state === 'applied') return 'You approved it, and it is in effect now.';
  if (approval.state === 'approved') return `You approved it, and nothing is missing any more. ${effectText(approval, line)}`;
  if (approval.state === 'failed') return 'You approved it, but it could not be put into effect. The history says why.';
  return `You approved it. Still missing: ${missing(approval) ?? 'nothing'}.`;
}

/** What somebody may vote as: null is a vote by their roles alone. A sign-off that was given already can be given again. */
export function capacities({ may, rule }: Approval, user: SessionUser): (SignOff | null)[] {
  if (entitled(user.roles, rule)) return [null, ...may.sign_offs];
  return may.sign_offs.length > 0 ? may.sign_offs : rule.sign_offs.filter((name) => user.sign_offs.includes(name));
}
