import type { Consent, ConsentShare, Purpose } from '../../api/types';
import type { BarRow, DotRow } from '../../charts';
import { count, humanise, percent } from '../../format';

export const STATES = [
  { id: 'granted', title: 'Granted', slot: 0 },
  { id: 'denied', title: 'Denied', slot: 1 },
  { id: 'unknown', title: 'Nothing said', slot: 7 },
];

export const share = (of: ConsentShare) =>
  of.interval ? `${percent(of.value, 1)} (${percent(of.interval[0], 1)} to ${percent(of.interval[1], 1)})` : 'nobody';

/** People by what stands, purpose by purpose. */
export function standing({ purposes }: Consent): BarRow[] {
  return purposes.map(({ purpose, people }) => ({
    id: purpose, name: humanise(purpose),
    parts: STATES.map(({ id }) => ({ series: id, value: people[id as keyof typeof people] })),
  }));
}

/** The share of each source's people with a grant. A source that is silent about a purpose has no mark there. */
export function granted({ sources, purposes }: Consent): DotRow[] {
  return purposes.map(({ purpose }) => ({
    id: purpose, name: humanise(purpose),
    marks: Object.fromEntries(sources.flatMap(({ source, purposes: own }) => {
      const found = own.find((item) => item.purpose === purpose);
      if (!found || found.granted.value === null || found.people.granted + found.people.denied === 0) return [];
      return [[source, { value: found.granted.value, outer: found.granted.interval, inner: null }]];
    })),
  }));
}

const DAY_MS = 86_400_000;

/** The Monday of a day's week. */
export function weekOf(day: string): string {
  const at = Date.parse(`${day}T00:00:00Z`);
  // 1970-01-01 was a Thursday.
  const sinceMonday = ((Math.floor(at / DAY_MS) + 3) % 7 + 7) % 7;
  return new Date(at - sinceMonday * DAY_MS).toISOString().slice(0, 10);
}

/** Withdrawals by week, those of a purpose as one part. Weeks without any are left out. */
export function withdrawals({ changes }: Consent): { rows: BarRow[]; purposes: Purpose[] } {
  const told = changes.filter(({ withdrawn }) => withdrawn > 0);
  const purposes = [...new Set(told.map(({ purpose }) => purpose))];
  const weeks = [...new Set(told.map(({ day }) => weekOf(day)))].sort();
  const rows = weeks.map((week) => ({
    id: week, name: week,
    parts: purposes.map((series) => ({
      series,
      value: told.filter(({ day, purpose }) => purpose === series && weekOf(day) === week).reduce((sum, { withdrawn }) => sum + withdrawn, 0),
    })),
  }));
  return { rows, purposes };
}

export const REACH = [
  { id: 'reachable', title: 'Permitted and reachable', slot: 0 },
  { id: 'lacking', title: 'Permitted, no address', slot: 2 },
  { id: 'denied', title: 'Denied', slot: 1 },
  { id: 'unknown', title: 'Nothing said', slot: 7 },
];

/** Who may be activated where. */
export function activation({ activation: all }: Consent): BarRow[] {
  return all.map(({ destination, purpose, people, reachable }) => ({
    id: destination, name: `${humanise(destination)}, for ${purpose}`,
    parts: [
      { series: 'reachable', value: reachable }, { series: 'lacking', value: people.granted - reachable },
      { series: 'denied', value: people.denied }, { series: 'unknown', value: people.unknown },
    ],
  }));
}

export const whole = (value: number) => count(value);
