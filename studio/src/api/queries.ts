import { infiniteQueryOptions, QueryClient, queryOptions } from '@tanstack/react-query';
import { api, Problem, setCsrfToken } from './client';
import type {
  Attribution, Conversion, ConversionItem, Credentials, Line, Paged, RunItem, RunState, Session, SignInMethods,
} from './types';

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
  signIn: () => queryOptions({ queryKey: ['sign-in'], queryFn: () => api.get<SignInMethods>('/sign-in') }),

  /** The session, or null when signed out. */
  session: () =>
    queryOptions({
      queryKey: ['session'],
      staleTime: 5 * 60_000,
      queryFn: async (): Promise<Session | null> => {
        try {
          return remember(await api.get<Session>('/session', { expect401: true }));
        } catch (error) {
          if (error instanceof Problem && error.status === 401) return null;
          throw error;
        }
      },
    }),

  line: () => queryOptions({ queryKey: ['line'], queryFn: ({ signal }) => api.get<Line>('/line', { signal }) }),

  runs: (limit = 6) =>
    queryOptions({
      queryKey: ['runs', 'list', limit],
      queryFn: ({ signal }) => api.get<Paged<RunItem>>('/runs', { query: { limit }, signal }),
    }),

  /** The run under way or the last one of this server's life; null before the first. */
  currentRun: () =>
    queryOptions({
      queryKey: ['runs', 'current'],
      queryFn: async ({ signal }): Promise<RunState | null> => {
        try {
          return await api.get<RunState>('/runs/current', { signal });
        } catch (error) {
          if (error instanceof Problem && error.status === 404) return null;
          throw error;
        }
      },
    }),

  attribution: (conversion?: string) =>
    queryOptions({
      queryKey: ['attribution', conversion ?? null],
      queryFn: ({ signal }) => api.get<Attribution>('/attribution', { query: { conversion }, signal }),
    }),

  conversions: (filter: { conversion?: string; channel?: string }) =>
    infiniteQueryOptions({
      queryKey: ['conversions', 'list', filter],
      initialPageParam: null as string | null,
      queryFn: ({ pageParam, signal }) =>
        api.get<Paged<ConversionItem>>('/conversions', { query: { ...filter, limit: 100, cursor: pageParam }, signal }),
      getNextPageParam: (page) => page.next_cursor,
    }),

  conversion: (id: string) =>
    queryOptions({
      queryKey: ['conversions', 'one', id],
      queryFn: ({ signal }) => api.get<Conversion>(`/conversions/${encodeURIComponent(id)}`, { signal }),
    }),
};

export const commands = {
  signIn: async (credentials: Credentials) =>
    remember(await api.post<Session>('/session', credentials, { expect401: true })),
  signOut: () => api.delete<void>('/session'),
  startRun: (body: { stage: string | null; from: string | null }) => api.post<RunState>('/runs', body),
  cancelRun: () => api.delete<void>('/runs/current'),
  freeze: (reason: string) => api.post<unknown>('/freeze', { reason }),
  /** Gives an approval to wait for when a rule asks for one. */
  unfreeze: (reason: string) => api.delete<{ id?: string; state?: string } | undefined>('/freeze', { reason }),
};
