import { createRoute } from '@tanstack/react-router';
import { appRoute } from '../../app-route';
import { oneOf } from '../../search';

export interface AttributionSearch {
  /** Count conversions (the default) or their value. */
  measure?: 'value';
}

export const attributionRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/attribution',
  validateSearch: (search: Record<string, unknown>): AttributionSearch => ({ measure: oneOf(search.measure, ['value']) }),
}).lazy(() => import('./attribution').then((screen) => screen.Route));
