import { createRoute } from '@tanstack/react-router';
import { appRoute } from '../../app-route';
import { text } from '../../search';

export interface AuditFilter {
  kind?: string;
  actor?: string;
}

export interface AuditSearch extends AuditFilter {
  /** Number of the record that is open. */
  record?: number;
}

const place = (value: unknown): number | undefined => {
  const number = Number(text(value));
  // The read of one record asks for the number after it.
  return Number.isSafeInteger(number) && number > 0 && number < Number.MAX_SAFE_INTEGER ? number : undefined;
};

const validateSearch = (search: Record<string, unknown>): AuditSearch => ({
  kind: text(search.kind),
  actor: text(search.actor),
  record: place(search.record),
});

export const auditRoute = createRoute({ getParentRoute: () => appRoute, path: '/audit', validateSearch })
  .lazy(() => import('./audit').then((screen) => screen.Route));
