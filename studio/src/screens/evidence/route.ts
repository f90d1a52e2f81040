import { createRoute } from '@tanstack/react-router';
import { STANDINGS, type StandingName } from '../../api/evidence';
import { appRoute } from '../../app-route';
import { oneOf, text } from '../../search';

export interface EvidenceSearch {
  action?: string;
  /** Those that count or may come to count, unless given. */
  standing?: StandingName | 'all';
}

export const evidenceRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/evidence',
  validateSearch: (search: Record<string, unknown>): EvidenceSearch => ({
    action: text(search.action), standing: oneOf(search.standing, [...STANDINGS, 'all']),
  }),
}).lazy(() => import('./evidence').then((screen) => screen.Route));

export interface RecordSearch {
  /** Ids hold slashes, so they are no part of the path. */
  id?: string;
}

const LONGEST_ID = 1000;

export const evidenceRecordRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/evidence/record',
  validateSearch: ({ id }: Record<string, unknown>): RecordSearch =>
    ({ id: typeof id === 'number' ? String(id) : typeof id === 'string' && id.length <= LONGEST_ID ? id : undefined }),
}).lazy(() => import('./record').then((screen) => screen.Route));
