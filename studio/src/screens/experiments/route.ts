import { createRoute } from '@tanstack/react-router';
import { appRoute } from '../../app-route';
import { oneOf, text } from '../../search';

export interface ExperimentSearch {
  /** Differences per person (the default) or shares of the control's mean. */
  effect?: 'relative';
  /** The arm whose readings over time are drawn; the first unless given. */
  arm?: string;
}

export const experimentsRoute = createRoute({ getParentRoute: () => appRoute, path: '/experiments' })
  .lazy(() => import('./experiments').then((screen) => screen.Route));

export const experimentRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/experiments/$name',
  validateSearch: (search: Record<string, unknown>): ExperimentSearch => ({ effect: oneOf(search.effect, ['relative']), arm: text(search.arm) }),
}).lazy(() => import('./experiment').then((screen) => screen.Route));
