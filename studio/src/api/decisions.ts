/** Decisions, the thread behind each, and persons: their reads and the one command. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { answer, api } from './client';

export interface DecisionFilter {
  policy?: string;
  action?: string;
  arm?: string;
  /** Beginning of the id of the person. */
  entity?: string;
}

export type Facet = 'policy' | 'action' | 'arm';

/** The newest conversions of a person; more than one person has. */
const JOURNEYS_READ = 500;

export const decisionQueries = {
  list: (filter: DecisionFilter) =>
    infiniteQueryOptions({
      queryKey: ['decisions', 'list', filter],
      initialPageParam: null as string | null,
      queryFn: ({ pageParam, signal }) =>
        answer(api.GET('/api/v1/decisions', { params: { query: { ...filter, limit: 50, cursor: pageParam ?? undefined } }, signal })),
      getNextPageParam: (page) => page.next_cursor,
    }),

  /** Counts alone, for filters that are to be offered beside the one that is set. */
  facets: (filter: DecisionFilter) =>
    queryOptions({
      queryKey: ['decisions', 'facets', filter],
      queryFn: async ({ signal }) =>
        (await answer(api.GET('/api/v1/decisions', { params: { query: { ...filter, limit: 1 } }, signal }))).facets,
    }),

  thread: (entity: string) =>
    queryOptions({
      queryKey: ['decisions', 'one', entity],
      queryFn: ({ signal }) => answer(api.GET('/api/v1/decisions/{entity_id}', { params: { path: { entity_id: entity } }, signal })),
    }),

  person: (id: string) =>
    queryOptions({
      queryKey: ['persons', 'one', id],
      queryFn: ({ signal }) => answer(api.GET('/api/v1/persons/{id}', { params: { path: { id } }, signal })),
    }),

  journeysOf: (person: string) =>
    queryOptions({
      queryKey: ['conversions', 'of', person],
      queryFn: async ({ signal }) =>
        (await answer(api.GET('/api/v1/conversions', { params: { query: { person, limit: JOURNEYS_READ } }, signal }))).items,
    }),
};

export const decisionCommands = {
  revealIdentifiers: (person: string, reason: string) =>
    answer(api.POST('/api/v1/persons/{id}/identifiers', { params: { path: { id: person } }, body: { reason } })),
};
