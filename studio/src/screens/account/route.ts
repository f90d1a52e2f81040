import { createRoute } from '@tanstack/react-router';
import { appRoute } from '../../app-route';

export const accountRoute = createRoute({ getParentRoute: () => appRoute, path: '/account' })
  .lazy(() => import('./account').then((screen) => screen.Route));
