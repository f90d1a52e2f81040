import { createRoute } from '@tanstack/react-router';
import { appRoute } from '../../app-route';

export const personRoute = createRoute({ getParentRoute: () => appRoute, path: '/persons/$id' })
  .lazy(() => import('./person').then((screen) => screen.Route));
