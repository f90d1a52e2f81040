import { createRoute } from '@tanstack/react-router';
import { appRoute } from '../../app-route';
import { isDay, keepPart, type PartSearch, partSearch } from '../../filters/search';
import { text } from '../../search';

export interface JourneysSearch extends PartSearch {
  /** Only conversions whose path holds this channel. */
  channel?: string;
  /** The attribution model the reader comes from; its credit is shown first. */
  model?: string;
}

const search = { middlewares: [keepPart] };

const validateSearch = (search: Record<string, unknown>): JourneysSearch => ({
  ...partSearch(search),
  channel: text(search.channel),
  model: text(search.model),
});

export interface PathsSearch extends PartSearch {
  /** Only paths with this channel. */
  channel?: string;
  /** Of older links; their days take its place. */
  month?: undefined;
  /** As many as the server tells. */
  all?: true;
}

/** The days of a month. */
function monthOf(month: string | undefined): PartSearch {
  const from = `${month}-01`;
  if (!isDay(from)) return {};
  const [year, number] = from.split('-').map(Number);
  return { from, to: new Date(Date.UTC(year!, number!, 0)).toISOString().slice(0, 10) };
}

export const pathsRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/journeys/paths',
  validateSearch: (search: Record<string, unknown>): PathsSearch => ({
    ...partSearch(search), ...monthOf(text(search.month)), month: undefined, channel: text(search.channel), all: search.all === true ? true : undefined,
  }),
  search,
}).lazy(() => import('./paths').then((screen) => screen.Route));

export const journeysRoute = createRoute({ getParentRoute: () => appRoute, path: '/journeys', validateSearch, search })
  .lazy(() => import('./journeys').then((screen) => screen.Route));

export const conversionRoute = createRoute({ getParentRoute: () => appRoute, path: '/journeys/$id', validateSearch, search })
  .lazy(() => import('./conversion').then((screen) => screen.Route));
