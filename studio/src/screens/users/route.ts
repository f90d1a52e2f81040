import { createRoute } from '@tanstack/react-router';
import { appRoute } from '../../app-route';

export const usersRoute = createRoute({ getParentRoute: () => appRoute, path: '/users' })
  .lazy(() => import('./users').then((screen) => screen.Route));
