import type { ReactNode } from 'react';
import type { Approval, Terms } from '../../api/govern';
import { count, humanise, plural } from '../../format';
import { Card } from '../../ui';
import { visible } from './diff';
import { progress } from './effect';
import { ruleNotes, termsText } from './words';

/** Who has to agree, by each of the rules that apply, and how far that has come. */
export function Rule({ approval }: { approval: Approval }) {
  const { rule } = approval;
  const note = rule.rules.length > 1 ? `${count(rule.rules.length)} rules apply, and each of them must be met.` : undefined;
  return (
    <Card title="Who has to agree" note={note}>
      <div className="stack">
        <ul className="terms">
          {rule.rules.map((terms) => <TermsItem key={terms.name} terms={terms} approval={approval} />)}
        </ul>
        {rule.when !== null && (
          <div className="stack-s">
            <h3>Asked for because</h3>
            <p className="small"><code className="wrap-anywhere">{visible(rule.when)}</code></p>
          </div>
        )}
        <ul className="rule-notes">{ruleNotes(rule).map((text) => <li key={text}>{text}</li>)}</ul>
      </div>
    </Card>
  );
}

function TermsItem({ terms, approval }: { terms: Terms; approval: Approval }) {
  const { approvals, given } = progress(terms, approval.votes);
  const standard = terms.name === 'default' && approval.rule.when === null && terms.reason === null;
  return (
    <li className="stack-s">
      <h3>{standard ? 'The standard rule' : visible(humanise(terms.name))}</h3>
      {terms.reason && <p className="said">{visible(terms.reason)}</p>}
      <p>{termsText(terms)}</p>
      <ul className="tally" aria-label="So far">
        <Tally met={approvals >= terms.quorum}>{count(Math.min(approvals, terms.quorum))} of {plural(terms.quorum, 'approval')}</Tally>
        {terms.sign_offs.map((name) => (
          <Tally key={name} met={given.includes(name)}>{humanise(name)}: {given.includes(name) ? 'signed off' : 'not signed off'}</Tally>
        ))}
      </ul>
    </li>
  );
}

function Tally({ met, children }: { met: boolean; children: ReactNode }) {
  return (
    <li data-met={met || undefined}>
      <svg width="14" height="14" viewBox="-7 -7 14 14" aria-hidden="true">
        <circle r="6" />
        {met && <path d="M-2.800 .300l2 2 3.600-4.200" />}
      </svg>
      <span>{children}</span>
    </li>
  );
}
