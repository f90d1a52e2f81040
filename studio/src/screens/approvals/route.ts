import { createRoute } from '@tanstack/react-router';
import { type ApprovalState, STATES } from '../../api/govern';
import { appRoute } from '../../app-route';
import { oneOf } from '../../search';

export const TABS = ['pending', 'approved', 'done'] as const;
export type TabName = (typeof TABS)[number];
export const SORTS = ['stake', 'expiry', 'newest'] as const;
export type Sort = (typeof SORTS)[number];
export type Outcome = Exclude<ApprovalState, 'pending' | 'approved'>;
export const OUTCOMES = STATES.filter((state): state is Outcome => state !== 'pending' && state !== 'approved');

export interface ApprovalsSearch {
  /** Pending ones unless given. */
  state?: TabName;
  /** By money at stake unless given. */
  sort?: Sort;
  /** Among those that are done, only these. */
  outcome?: Outcome;
}

const validateSearch = (search: Record<string, unknown>): ApprovalsSearch => ({
  state: oneOf(search.state, TABS),
  sort: oneOf(search.sort, SORTS),
  outcome: oneOf(search.outcome, OUTCOMES),
});

export const approvalsRoute = createRoute({ getParentRoute: () => appRoute, path: '/approvals', validateSearch })
  .lazy(() => import('./approvals').then((screen) => screen.Route));

export const approvalRoute = createRoute({ getParentRoute: () => appRoute, path: '/approvals/$id', validateSearch })
  .lazy(() => import('./approval').then((screen) => screen.Route));
