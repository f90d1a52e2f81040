import { createRoute } from '@tanstack/react-router';
import { appRoute } from '../../app-route';

export const consentRoute = createRoute({ getParentRoute: () => appRoute, path: '/consent' })
  .lazy(() => import('./consent').then((screen) => screen.Route));
