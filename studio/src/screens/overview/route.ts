import { createRoute } from '@tanstack/react-router';
import { appRoute } from '../../app-route';

export const overviewRoute = createRoute({ getParentRoute: () => appRoute, path: '/' })
  .lazy(() => import('./overview').then((screen) => screen.Route));
