import { createRoute } from '@tanstack/react-router';
import { appRoute } from '../../app-route';
import { text } from '../../search';

export interface JourneysSearch {
  /** Only conversions whose path holds this channel. */
  channel?: string;
  /** The attribution model the reader comes from; its credit is shown first. */
  model?: string;
}

const validateSearch = (search: Record<string, unknown>): JourneysSearch => ({
  channel: text(search.channel),
  model: text(search.model),
});

export const journeysRoute = createRoute({ getParentRoute: () => appRoute, path: '/journeys', validateSearch })
  .lazy(() => import('./journeys').then((screen) => screen.Route));

export const conversionRoute = createRoute({ getParentRoute: () => appRoute, path: '/journeys/$id', validateSearch })
  .lazy(() => import('./conversion').then((screen) => screen.Route));
