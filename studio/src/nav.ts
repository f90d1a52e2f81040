/**
 * The navigation, in the order of the line: Overview · Sources · Consent · Identity · Journeys · Attribution ·
 * Experiments · Evidence · Uplift · Planner · Decisions · Activation · Watch · Truth · Govern (Approvals, Audit, Users).
 * One line for every screen that exists; `letter` follows `g` on the keyboard and must be unique.
 */
export interface NavEntry {
  to: string;
  label: string;
  letter: string;
  group: 'line' | 'govern';
  /** The operation the screen needs; without it the entry is hidden. */
  operation: string;
  /** A count beside the label. */
  badge?: 'approvals';
}

export const NAV: NavEntry[] = [
  { to: '/', label: 'Overview', letter: 'o', group: 'line', operation: 'getLine' },
  { to: '/sources', label: 'Sources', letter: 's', group: 'line', operation: 'listSources' },
  { to: '/consent', label: 'Consent', letter: 'c', group: 'line', operation: 'getConsent' },
  { to: '/matches', label: 'Matches', letter: 'm', group: 'line', operation: 'listMatches' },
  { to: '/journeys', label: 'Journeys', letter: 'j', group: 'line', operation: 'listConversions' },
  { to: '/attribution', label: 'Attribution', letter: 'a', group: 'line', operation: 'getAttribution' },
  { to: '/experiments', label: 'Experiments', letter: 'x', group: 'line', operation: 'listExperiments' },
  { to: '/evidence', label: 'Evidence', letter: 'e', group: 'line', operation: 'listEvidence' },
  { to: '/decisions', label: 'Decisions', letter: 'd', group: 'line', operation: 'listDecisions' },
  { to: '/truth', label: 'Truth', letter: 't', group: 'line', operation: 'getRun' },
  { to: '/approvals', label: 'Approvals', letter: 'p', group: 'govern', operation: 'listApprovals', badge: 'approvals' },
  { to: '/audit', label: 'Audit', letter: 'l', group: 'govern', operation: 'listAudit' },
  { to: '/users', label: 'Users', letter: 'u', group: 'govern', operation: 'listUsers' },
];

export const allowed = (may: string[]) => NAV.filter((entry) => may.includes(entry.operation));
