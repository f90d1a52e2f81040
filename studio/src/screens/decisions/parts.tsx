import { useQuery } from '@tanstack/react-query';
import { queries } from '../../api/queries';
import type { Interval } from '../../api/types';
import { money } from '../../format';
import { Badge, IntervalText, Time, useNow } from '../../ui';
import { actionName, noteText, reasons, reasonText } from './words';

/**
 * When a decision stops being good to act on; a stale one says so. A project that lives at a fixed instant keeps that time:
 * there, nothing goes stale while it is looked at.
 */
export function Expiry({ at }: { at: string }) {
  const now = useNow();
  const { data: line } = useQuery(queries.line());
  const fixed = line?.project.as_of;
  if (fixed) {
    return Date.parse(at) <= Date.parse(fixed) ? <Badge tone="warn">Expired <Time at={at} absolute /></Badge> : <span>Expires <Time at={at} absolute /></span>;
  }
  return Date.parse(at) <= now.getTime() ? <Badge tone="warn">Expired <Time at={at} /></Badge> : <span>Expires <Time at={at} /></span>;
}

interface NetValueProps {
  value: number | null | undefined;
  interval: Interval | null;
  note: string | null | undefined;
  currency: string;
}

/** Expected net value with its interval, or why it has none. */
export function NetValue({ value, interval, note, currency }: NetValueProps) {
  return (
    <span className="net-value">
      <span className="numeric">{money(value, currency)}</span>
      <IntervalText value={interval} format={(x) => money(x, currency)} note={noteText(note)} />
    </span>
  );
}

/** What was decided, and the arm where it is not the usual one. */
export function Action({ action, arm }: { action: string; arm: string }) {
  return (
    <span className="row action-cell">
      <span>{actionName(action)}</span>
      {arm !== 'policy' && <Badge>{arm.replaceAll('_', ' ')}</Badge>}
    </span>
  );
}

export function Reasons({ rationale }: { rationale: string[] | null | undefined }) {
  const list = reasons(rationale);
  if (list.length === 0) return <span className="muted">No reason was written down.</span>;
  return <ul className="reasons">{list.map((reason) => <li key={reasonText(reason)}>{reasonText(reason)}</li>)}</ul>;
}
