import { Link } from '@tanstack/react-router';
import { useId, useRef } from 'react';
import type { Approval } from '../../api/govern';
import { useKeys } from '../../shell/keys';
import { Badge, Time } from '../../ui';
import { useCurrency } from './currency';
import { visible } from './diff';
import { Ends, isOpen, needsText, Right, StateBadge } from './parts';
import type { ApprovalsSearch } from './route';
import { headline, KIND_TEXTS, listed, who } from './words';

/** The requests, one under the other; `j` and `k` move the focus among them, and Enter opens as with every link. */
export function RequestList({ rows, search }: { rows: Approval[]; search: ApprovalsSearch }) {
  const list = useRef<HTMLOListElement>(null);
  const currency = useCurrency();
  function move(by: number) {
    const items = [...(list.current?.children ?? [])];
    const here = items.findIndex((item) => item.contains(document.activeElement));
    const next = here < 0 ? 0 : Math.min(Math.max(here + by, 0), items.length - 1);
    items[next]?.querySelector<HTMLElement>('h2 a')?.focus();
  }
  useKeys({ j: () => move(1), k: () => move(-1) });
  return (
    <ol ref={list} className="requests">
      {rows.map((row) => <Request key={row.id} approval={row} search={search} currency={currency} />)}
    </ol>
  );
}

function Request({ approval, search, currency }: { approval: Approval; search: ApprovalsSearch; currency: string | undefined }) {
  const id = useId();
  const facts = headline(approval, currency);
  const { sign_offs } = approval.may;
  return (
    <li className="request card" aria-labelledby={id}>
      <div className="request-head">
        <h2 id={id}><Link to="/approvals/$id" params={{ id: approval.id }} search={search}>{visible(approval.title)}</Link></h2>
        <p className="small muted">
          <Badge>{KIND_TEXTS[approval.kind]}</Badge> Asked by {who(approval, approval.requested_by)} <Time at={approval.requested_at} />
        </p>
      </div>
      {facts.length > 0 && (
        <dl className="request-facts">
          {facts.map((fact) => (
            <div key={fact.name}>
              <dt>{fact.label}</dt>
              <dd>{fact.value}{fact.note && <small>{fact.note}</small>}</dd>
            </div>
          ))}
        </dl>
      )}
      <ul className="request-foot">
        {approval.state !== 'pending' && <li><StateBadge approval={approval} /></li>}
        {approval.state === 'pending' && <li className="needs">{needsText(approval)}</li>}
        <li><Ends approval={approval} /></li>
        {approval.state === 'pending' && <li><Right approval={approval} /></li>}
        {isOpen(approval) && approval.may.vote && sign_offs.length > 0 && <li>You can sign off for {listed(sign_offs)}</li>}
      </ul>
    </li>
  );
}
