import { createRoute } from '@tanstack/react-router';
import { appRoute } from '../../app-route';

export const matchesRoute = createRoute({ getParentRoute: () => appRoute, path: '/matches' })
  .lazy(() => import('./matches').then((screen) => screen.Route));
