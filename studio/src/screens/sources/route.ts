import { createRoute } from '@tanstack/react-router';
import { appRoute } from '../../app-route';

export interface SourcesSearch {
  /** The source whose days are drawn; the first that has any unless given. */
  source?: string;
}

export const sourcesRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/sources',
  validateSearch: ({ source }: Record<string, unknown>): SourcesSearch => ({ source: typeof source === 'string' ? source : undefined }),
}).lazy(() => import('./sources').then((screen) => screen.Route));
