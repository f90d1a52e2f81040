import type { QueryClient } from '@tanstack/react-query';
import { createRootRouteWithContext, createRoute, Outlet, redirect, retainSearchParams } from '@tanstack/react-router';
import { queries } from './api/queries';
import { sharedSearch, text } from './search';
import { NotFound, RouteProblem } from './shell/failures';
import { Shell } from './shell/shell';
import { Skeleton } from './ui';

export const rootRoute = createRootRouteWithContext<{ client: QueryClient }>()({
  component: Outlet,
  // Outside the shell there is no main landmark yet.
  errorComponent: (props) => <main><RouteProblem {...props} /></main>,
  notFoundComponent: () => <main><NotFound /></main>,
});

/** Everything behind the sign-in. Screens are its children. */
export const appRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: 'app',
  validateSearch: sharedSearch,
  search: { middlewares: [retainSearchParams(['conversion', 'as_of'])] },
  beforeLoad: async ({ context, location }) => {
    const session = await context.client.ensureQueryData(queries.session());
    if (!session) throw redirect({ to: '/sign-in', search: { next: location.href === '/' ? undefined : location.href } });
  },
  component: Shell,
  errorComponent: RouteProblem,
  notFoundComponent: NotFound,
  pendingComponent: () => <Skeleton />,
});

/** Every other address, inside the shell so that the way on is at hand. */
export const unknownRoute = createRoute({ getParentRoute: () => appRoute, path: '$', component: NotFound });

/** Only a path of this site may follow a sign-in. */
const localPath = (value: unknown) => {
  const path = text(value);
  return path && /^\/(?![/\\])/.test(path) ? path : undefined;
};

export const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/sign-in',
  validateSearch: (search: Record<string, unknown>): { next?: string } => ({ next: localPath(search.next) }),
}).lazy(() => import('./screens/sign-in/sign-in').then((screen) => screen.Route));
