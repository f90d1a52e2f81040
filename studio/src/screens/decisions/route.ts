import { createRoute } from '@tanstack/react-router';
import type { DecisionFilter } from '../../api/decisions';
import { appRoute } from '../../app-route';
import { text } from '../../search';

const filter = (search: Record<string, unknown>): DecisionFilter => ({
  policy: text(search.policy),
  action: text(search.action),
  arm: text(search.arm),
  entity: text(search.entity),
});

export const decisionsRoute = createRoute({ getParentRoute: () => appRoute, path: '/decisions', validateSearch: filter })
  .lazy(() => import('./decisions').then((screen) => screen.Route));

export interface ThreadSearch extends DecisionFilter {
  /** The cycle the reader comes from; the page shows the latest one. */
  cycle?: string;
}

export const decisionRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/decisions/$entityId',
  validateSearch: (search: Record<string, unknown>): ThreadSearch => ({ ...filter(search), cycle: text(search.cycle) }),
}).lazy(() => import('./decision').then((screen) => screen.Route));
