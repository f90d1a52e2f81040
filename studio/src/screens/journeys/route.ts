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

export interface PathsSearch {
  /** Only paths with this channel, conversions in this place, journeys that ended in this month. */
  channel?: string;
  geo?: string;
  month?: string;
  /** As many as the server tells. */
  all?: true;
}

export const pathsRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/journeys/paths',
  validateSearch: (search: Record<string, unknown>): PathsSearch => ({
    channel: text(search.channel), geo: text(search.geo), month: text(search.month), all: search.all === true ? true : undefined,
  }),
}).lazy(() => import('./paths').then((screen) => screen.Route));

export const journeysRoute = createRoute({ getParentRoute: () => appRoute, path: '/journeys', validateSearch })
  .lazy(() => import('./journeys').then((screen) => screen.Route));

export const conversionRoute = createRoute({ getParentRoute: () => appRoute, path: '/journeys/$id', validateSearch })
  .lazy(() => import('./conversion').then((screen) => screen.Route));
