import { createRoute } from '@tanstack/react-router';
import { appRoute } from '../../app-route';
import { keepPart, type PartSearch, partSearch } from '../../filters/search';
import { oneOf, text } from '../../search';

export const DIMENSIONS = ['campaign', 'geo', 'device', 'cohort', 'day', 'month'] as const;

/** One of these, or `segment:NAME`. */
const dimension = (value: unknown) => {
  const name = text(value);
  return name?.startsWith('segment:') ? name : oneOf(name, DIMENSIONS);
};

export interface AttributionSearch extends PartSearch {
  /** Count conversions (the default), or something that comes from them. */
  measure?: 'value' | 'share' | 'cpa' | 'roas' | 'marginal_cpa' | 'marginal_roas';
  /** The models beside each other (the default), credit broken down, or what platforms report. */
  view?: 'breakdown' | 'platforms';
  /** What credit is broken down by; campaigns unless given. */
  by?: string;
  /** The model that is broken down or compared with platforms; the server's first unless given. */
  model?: string;
  /** Of the breakdown: only this channel, only this item. */
  channel?: string;
  item?: string;
}

export const attributionRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/attribution',
  validateSearch: (search: Record<string, unknown>): AttributionSearch => ({
    ...partSearch(search),
    measure: oneOf(search.measure, ['value', 'share', 'cpa', 'roas', 'marginal_cpa', 'marginal_roas']),
    view: oneOf(search.view, ['breakdown', 'platforms']),
    by: dimension(search.by),
    model: text(search.model),
    channel: text(search.channel),
    item: text(search.item),
  }),
  search: { middlewares: [keepPart] },
}).lazy(() => import('./attribution').then((screen) => screen.Route));
