import type { Approval } from '../../api/govern';
import { humanise } from '../../format';
import { Badge, Time, useNow } from '../../ui';
import { missing, TONES } from './words';

/** From here on the expiry is pointed out. */
const SOON_MS = 24 * 3_600_000;

export function StateBadge({ approval: { state } }: { approval: Approval }) {
  return <Badge tone={TONES[state]}>{humanise(state)}</Badge>;
}

export const isOpen = ({ state }: Approval) => state === 'pending' || state === 'approved';

/** What is still missing, in a sentence. */
export function needsText(approval: Approval): string {
  const what = missing(approval);
  return what === null ? 'Nothing is missing any more' : `Needs ${what}`;
}

/** When it lapses, or when it came to its end. */
export function Ends({ approval }: { approval: Approval }) {
  const left = Date.parse(approval.expires_at) - useNow().getTime();
  if (!isOpen(approval)) {
    const last = approval.history.at(-1);
    return last ? <span>Ended <Time at={last.at} /></span> : null;
  }
  if (left <= 0) return <span>Its time is over since <Time at={approval.expires_at} /></span>;
  return left < SOON_MS
    ? <span className="soon">Expires soon, <Time at={approval.expires_at} /></span>
    : <span>Expires <Time at={approval.expires_at} /></span>;
}

/** Whether the reader may vote, and if not, why. */
export function Right({ approval: { may, state } }: { approval: Approval }) {
  if (state !== 'pending') return null;
  return may.vote
    ? <Badge tone="accent">You may vote</Badge>
    : <span className="muted">You cannot vote{may.why_not ? `: ${may.why_not}` : ''}</span>;
}
