import { retainSearchParams } from '@tanstack/react-router';
import { given, text } from '../search';

/** Which journeys figures are of: one address for attribution, journeys and their paths, kept from one to the other. */
export interface PartSearch {
  /** Days on which journeys ended, UTC, both included. */
  from?: string;
  to?: string;
  /** Where and on what they ended. */
  geo?: string;
  device?: string;
  /** The month in which people were first seen. */
  cohort?: string;
  /** What people were when a journey ended, as `name=value`. */
  segment?: string;
}

export const PART_KEYS = ['from', 'to', 'geo', 'device', 'cohort', 'segment'] as const satisfies (keyof PartSearch)[];

/** A day of the calendar in four digits of a year; one that is still being written is none. */
export function isDay(value: string | undefined): value is string {
  if (value === undefined || !/^[1-9]\d{3}-\d\d-\d\d$/.test(value)) return false;
  const at = new Date(value);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(value);
}

const day = (value: unknown) => {
  const written = text(value);
  return isDay(written) ? written : undefined;
};

/** Names that nothing has stay: they are shown as chosen, and no journey fits. */
export const partSearch = (search: Record<string, unknown>) =>
  given<PartSearch>(search, { from: day, to: day, geo: text, device: text, cohort: text, segment: text });

/** What is chosen, without what is not. */
export const partOf = (search: PartSearch): PartSearch =>
  Object.fromEntries(PART_KEYS.flatMap((key) => (search[key] === undefined ? [] : [[key, search[key]]])));

export const isPart = (part: PartSearch) => PART_KEYS.some((key) => part[key] !== undefined);

/** For every route that keeps it. */
export const keepPart = retainSearchParams<PartSearch>([...PART_KEYS]);
