import { infiniteQueryOptions, QueryClient, queryOptions } from '@tanstack/react-query';
import { answer, api, Problem, setCsrfToken } from './client';
import type { PartSearch } from '../filters/search';
import type { Credentials, RunState, Session, StageName } from './types';

export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // The stream says when something changed; polling would only repeat it.
        staleTime: 60_000,
        refetchOnWindowFocus: false,
        // Only a server that could not be reached is worth asking again.
        retry: (count, error) => error instanceof Problem && (error.status === 0 || error.status >= 502) && count < 2,
      },
    },
  });
}

function remember(session: Session): Session {
  setCsrfToken(session.csrf_token);
  return session;
}

export const queries = {
  signIn: () => queryOptions({ queryKey: ['sign-in'], queryFn: () => answer(api.GET('/api/v1/sign-in')) }),

  /** The session, or null when signed out. */
  session: () =>
    queryOptions({
      queryKey: ['session'],
      staleTime: 5 * 60_000,
      queryFn: async (): Promise<Session | null> => {
        try {
          return remember(await answer(api.GET('/api/v1/session')));
        } catch (error) {
          if (error instanceof Problem && error.status === 401) return null;
          throw error;
        }
      },
    }),

  line: () => queryOptions({ queryKey: ['line'], queryFn: ({ signal }) => answer(api.GET('/api/v1/line', { signal })) }),

  runs: (limit = 6) =>
    queryOptions({
      queryKey: ['runs', 'list', limit],
      queryFn: ({ signal }) => answer(api.GET('/api/v1/runs', { params: { query: { limit } }, signal })),
    }),

  /** The run under way or the last one of this server's life; null before the first. */
  currentRun: () =>
    queryOptions({
      queryKey: ['runs', 'current'],
      queryFn: async ({ signal }): Promise<RunState | null> => {
        try {
          return await answer(api.GET('/api/v1/runs/current', { signal }));
        } catch (error) {
          if (error instanceof Problem && error.status === 404) return null;
          throw error;
        }
      },
    }),

  /** Of all journeys, or of the part that is asked for. */
  attribution: (conversion?: string, part: PartSearch = {}) =>
    queryOptions({
      queryKey: ['attribution', 'credit', { conversion, ...part }],
      queryFn: ({ signal }) => answer(api.GET('/api/v1/attribution', { params: { query: { conversion, ...part } }, signal })),
    }),

  /** Credit by what touches and journeys are. */
  creditCells: (query: { dimension: string; conversion: string; model?: string; channel?: string; item?: string }) =>
    queryOptions({
      queryKey: ['attribution', 'cells', query],
      queryFn: ({ signal }) => answer(api.GET('/api/v1/attribution/cells', { params: { query }, signal })),
    }),

  /** Why platforms report other numbers. */
  bridges: (model?: string) =>
    queryOptions({
      queryKey: ['attribution', 'bridges', model ?? null],
      queryFn: ({ signal }) => answer(api.GET('/api/v1/attribution/bridges', { params: { query: { model } }, signal })),
    }),

  /** Under the topic of conversions, as a run that changes one changes the other. */
  paths: (query: PartSearch & { conversion: string; channel?: string; limit: number }) =>
    queryOptions({
      queryKey: ['conversions', 'paths', query],
      queryFn: ({ signal }) => answer(api.GET('/api/v1/paths', { params: { query }, signal })),
    }),

  sources: () =>
    queryOptions({ queryKey: ['sources'], queryFn: ({ signal }) => answer(api.GET('/api/v1/sources', { signal })) }),

  consent: () =>
    queryOptions({ queryKey: ['consent'], queryFn: ({ signal }) => answer(api.GET('/api/v1/consent', { signal })) }),

  conversions: (filter: { conversion?: string; channel?: string }) =>
    infiniteQueryOptions({
      queryKey: ['conversions', 'list', filter],
      initialPageParam: null as string | null,
      queryFn: ({ pageParam, signal }) =>
        answer(api.GET('/api/v1/conversions', { params: { query: { ...filter, limit: 100, cursor: pageParam ?? undefined } }, signal })),
      getNextPageParam: (page) => page.next_cursor,
    }),

  conversion: (id: string) =>
    queryOptions({
      queryKey: ['conversions', 'one', id],
      queryFn: ({ signal }) => answer(api.GET('/api/v1/conversions/{id}', { params: { path: { id } }, signal })),
    }),
};

export const commands = {
  signIn: async (body: Credentials) => remember(await answer(api.POST('/api/v1/session', { body }))),
  signOut: () => answer(api.DELETE('/api/v1/session')),
  startRun: (body: { stage: StageName | null; from: StageName | null }): Promise<RunState> => answer(api.POST('/api/v1/runs', { body })),
  cancelRun: () => answer(api.DELETE('/api/v1/runs/current')),
  freeze: (reason: string) => answer(api.POST('/api/v1/freeze', { body: { reason } })),
  /** Gives an approval to wait for when a rule asks for one. */
  unfreeze: (reason: string) => answer(api.DELETE('/api/v1/freeze', { body: { reason } })),
};
