import { createRoute } from '@tanstack/react-router';
import { appRoute } from '../../app-route';

export const truthRoute = createRoute({ getParentRoute: () => appRoute, path: '/truth' })
  .lazy(() => import('./truth').then((screen) => screen.Route));
