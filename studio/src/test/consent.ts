import type { Consent, Purpose } from '../api/types';

const PURPOSES: Purpose[] = ['measurement', 'linking', 'personalisation', 'advertising', 'messaging'];
const share = (value: number | null, low = 0, high = 1) => ({ value, interval: value === null ? null : ([low, high] as [number, number]) });

/** As the server tells the consent of a small shop with two sources. */
export const consent: Consent = {
  withdrawal: 'forward', level: 0.95, people: 100, events: 640,
  purposes: PURPOSES.map((purpose) => ({
    purpose, people: purpose === 'messaging' ? { granted: 60, denied: 30, unknown: 10 } : { granted: 0, denied: 0, unknown: 100 },
    coverage: share(purpose === 'messaging' ? 0.9 : 0, 0.83, 0.95), granted: share(purpose === 'messaging' ? 0.6 : 0, 0.5, 0.69),
    conflicts: purpose === 'messaging' ? 4 : 0, withdrawn: purpose === 'messaging' ? 7 : 0, given_back: 0,
  })),
  sources: ['crm', 'preference_centre'].map((source, at) => ({
    source, people: at === 0 ? 100 : 12, events: at === 0 ? 600 : 40,
    purposes: PURPOSES.map((purpose) => {
      const speaks = purpose === 'messaging';
      const people = speaks ? [{ granted: 70, denied: 20, unknown: 10 }, { granted: 2, denied: 10, unknown: 0 }][at]! : { granted: 0, denied: 0, unknown: 100 };
      return {
        purpose, people, events: people, coverage: share(speaks ? 0.9 : 0, 0.83, 0.95),
        granted: share(speaks ? people.granted / 100 : 0, 0.1, 0.8), denied: share(speaks ? people.denied / 100 : 0),
      };
    }),
  })),
  conflicts: [{ purpose: 'messaging', granted_by: 'crm', denied_by: 'preference_centre', people: 4, grant_is_later: 3 }],
  changes: [
    { day: '2026-03-01', purpose: 'messaging', withdrawn: 2, given_back: 0 },
    { day: '2026-03-02', purpose: 'messaging', withdrawn: 4, given_back: 0 },
    { day: '2026-03-08', purpose: 'messaging', withdrawn: 1, given_back: 1 },
    { day: '2026-03-09', purpose: 'messaging', withdrawn: 0, given_back: 1 },
  ],
  activation: [{ destination: 'email_service', purpose: 'messaging', identifier: 'email', people: { granted: 60, denied: 30, unknown: 10 }, reachable: 55 }],
  linking: [{ sources: ['crm', 'till'], forbidden_by: ['measurement'] }, { sources: ['panel'], forbidden_by: ['the source'] }],
  removed: [
    { stage: 'link', unit: null, what: 'events with several identifiers', purpose: 'linking', considered: 300, unknown: 20, denied: 5, withdrawn: 1 },
    { stage: 'activate', unit: 'email_service/spring_mail', what: 'decisions', purpose: 'messaging', considered: 50, unknown: 0, denied: 3, withdrawn: 2 },
  ],
};

export const nobody: Consent = { ...consent, people: 0, events: 0, sources: [], conflicts: [], changes: [], activation: [], linking: [], removed: [] };
