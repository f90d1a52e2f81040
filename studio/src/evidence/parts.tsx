import type { Finding, LedgerEntry, StandingName } from '../api/evidence';
import { Badge, EvidenceTier, tierNumber, type Tone } from '../ui';
import { sentence, STANDING_WORDS, TIER_WORDS } from './words';
import './evidence.css';

export function HealthBadge({ health }: { health: string }) {
  return health === 'healthy' ? <Badge tone="good">✓ healthy</Badge> : <Badge tone="bad">✗ suspect</Badge>;
}

export function StandingBadge({ standing }: { standing: StandingName }) {
  const words = STANDING_WORDS[standing];
  return <Badge tone={words.tone}>{words.name}</Badge>;
}

/** Why a record stands as it does; a retired one says who and why. */
export function standingWhy({ standing, notes }: Pick<LedgerEntry, 'standing' | 'notes'>): string {
  const retired = notes.find(({ kind }) => kind === 'retired');
  return standing === 'retired' && retired ? `Retired by ${retired.by}: ${sentence(retired.text)}` : STANDING_WORDS[standing].why;
}

/** The tier in a word, a number and what it rests on. */
export function TierWords({ tier, short }: { tier: string; short?: boolean }) {
  return (
    <span className="stack-s">
      <EvidenceTier tier={tier} />
      <span className="small muted">tier {tierNumber(tier)} of 3{!short && `: ${TIER_WORDS[tier] ?? tier}`}</span>
    </span>
  );
}

const GRAVITY: Record<Finding['severity'], { name: string; tone: Tone }> = {
  error: { name: 'failed', tone: 'bad' }, warning: { name: 'to look at', tone: 'warn' }, info: { name: 'to know', tone: 'plain' },
};
const ORDER: Finding['severity'][] = ['error', 'warning', 'info'];

/** What checks found, the gravest first, each with what to do about it. */
export function Findings({ findings, none }: { findings: Finding[]; none: string }) {
  if (findings.length === 0) return <p className="small">{none}</p>;
  const ordered = [...findings].sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
  return (
    <ul className="findings">
      {ordered.map(({ severity, code, message, help }) => (
        <li key={`${code}/${message}`}>
          <p className="wrap-anywhere"><Badge tone={GRAVITY[severity].tone}>{code} {GRAVITY[severity].name}</Badge> {sentence(message)}</p>
          {help && <p className="small muted wrap-anywhere">What to do: {help}{/[.!?]$/.test(help) ? '' : '.'}</p>}
        </li>
      ))}
    </ul>
  );
}

export function Assumptions({ texts, none }: { texts: string[]; none: string }) {
  if (texts.length === 0) return <p className="small">{none}</p>;
  return <ul className="assumption-texts">{texts.map((text) => <li key={text} className="wrap-anywhere">{sentence(text)}</li>)}</ul>;
}
