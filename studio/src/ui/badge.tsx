import type { ReactNode } from 'react';

export type Tone = 'plain' | 'good' | 'warn' | 'bad' | 'accent';

export function Badge({ tone = 'plain', children }: { tone?: Tone; children: ReactNode }) {
  return <span className={tone === 'plain' ? 'badge' : `badge ${tone}`}>{children}</span>;
}

const TIERS = ['Associational', 'Modelled', 'Quasi-experiment', 'Randomised'] as const;
const NAMES: Record<string, number> = {
  associational: 0, attribution: 0, modelled: 1, quasi_experiment: 2, randomised: 3,
};

/** A tier by its number or by its name. */
export function tierNumber(tier: number | string): number | null {
  const number = typeof tier === 'number' ? tier : NAMES[tier.toLowerCase()];
  return number !== undefined && TIERS[number] ? number : null;
}

/** How strong the evidence is: a word and a row of bars that fills up, never colour alone. */
export function EvidenceTier({ tier }: { tier: number | string }) {
  const number = tierNumber(tier);
  if (number === null) return <span className="tier">{String(tier)}</span>;
  return (
    <span className="tier" title={`Evidence tier ${number} of 3`}>
      <svg width="19" height="13" viewBox="0 0 19 13" aria-hidden="true">
        {[0, 1, 2, 3].map((step) => (
          <rect
            key={step} x={0.75 + step * 5} y={9.25 - step * 2.75} width="3" height={3 + step * 2.75} rx="0.5"
            fill={step <= number ? 'currentColor' : 'none'} stroke="currentColor" strokeWidth="1"
          />
        ))}
      </svg>
      {TIERS[number]}
    </span>
  );
}
