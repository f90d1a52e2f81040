/** Decisions, the thread behind each, and persons: their shapes, reads and the one command. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api } from './client';
import type { ConversionItem, Estimate, Instant, Interval, Paged, Person } from './types';

export interface DecisionFilter {
  policy?: string;
  action?: string;
  arm?: string;
  /** Beginning of the id of the person. */
  entity?: string;
}

export type Facet = 'policy' | 'action' | 'arm';

export interface DecisionItem {
  entity_id: string;
  cycle_id: string;
  decided_at: Instant;
  action: string;
  arm: string;
  policy_id: string;
  policy_version: number;
  score: number | null;
  expected_net_value: number | null;
  expected_net_value_interval: Interval | null;
  /** Why there is no interval. */
  interval_note: string | null;
  evidence_tier: number;
  expires_at: Instant;
  /** `code` about the decision itself, `code:action` about an action that was left out. */
  rationale: string[];
  currency: string;
}

export interface DecisionPage extends Paged<DecisionItem> {
  /** How many there are under the same filters. */
  facets: Partial<Record<Facet, Record<string, number>>>;
}

/** The row of the decisions table; absent values are left out. */
export interface DecisionRow {
  entity_id: string;
  cycle_id: string;
  decided_at: Instant;
  action: string;
  /** The best feasible actions and their expected net value, best first. */
  top_n?: Record<string, number> | null;
  score?: number;
  /** JSON text: whether rules, consent and caps allow each action. */
  eligibility?: string;
  rationale?: string[] | null;
  expected_net_value?: number;
  expected_net_value_low?: number;
  expected_net_value_high?: number;
  interval_note?: string;
  action_probabilities?: Record<string, number> | null;
  arm: string;
  model_id?: string;
  model_version?: number;
  feature_snapshot?: number;
  /** JSON text, or dots for those who may not see it. */
  feature_values?: string;
  policy_id: string;
  policy_version: number;
  evidence_tier: number;
  /** `purpose=state` in a row, separated by semicolons. */
  consent: string;
  scored_at?: Instant;
  expires_at: Instant;
  confidence?: number;
  currency: string;
}

export interface Score {
  model_id: string;
  model_version: number;
  arm: string;
  effect?: number;
  base?: number;
  scored_at: Instant;
}

export interface EvidenceRecord {
  id: string;
  estimand: { metric: string; treatment: string; control: string; contrast: string };
  scope: { action?: string | null; period_start?: Instant | null; period_end?: Instant | null };
  design: string;
  tier: string;
  health: string;
  estimate: Estimate;
  assumptions: string[];
  diagnostics: { severity: string; code: string; message: string; help?: string }[];
}

export interface Artefact {
  kind: string;
  name: string;
  version: number;
  content_hash: string;
  metadata: Record<string, unknown>;
  created_at: Instant;
}

export interface DeliveryRow {
  batch_id: string;
  destination: string;
  action: string;
  status: string;
  reason?: string;
  planned_at: Instant;
}

export interface DecisionThread {
  decision: DecisionRow;
  scores: Score[];
  evidence: EvidenceRecord[];
  /** The latest artefacts of these names, which may be newer than the decision. */
  policy: Artefact | null;
  model: Artefact | null;
  person: Omit<Person, 'masked'>;
  deliveries: DeliveryRow[];
  masked: boolean;
}

export interface RevealedIdentifier {
  kind: string | null;
  /** Null when it was erased. */
  value: string | null;
}

/** Journeys of one person among the newest conversions. */
export interface JourneysOfPerson {
  items: ConversionItem[];
  /** How many conversions were looked through; null when none of the person's can be missing. */
  lookedThrough: number | null;
}

const JOURNEYS_READ = 500;

export const decisionQueries = {
  list: (filter: DecisionFilter) =>
    infiniteQueryOptions({
      queryKey: ['decisions', 'list', filter],
      initialPageParam: null as string | null,
      queryFn: ({ pageParam, signal }) =>
        api.get<DecisionPage>('/decisions', { query: { ...filter, limit: 50, cursor: pageParam }, signal }),
      getNextPageParam: (page) => page.next_cursor,
    }),

  /** Counts alone, for filters that are to be offered beside the one that is set. */
  facets: (filter: DecisionFilter) =>
    queryOptions({
      queryKey: ['decisions', 'facets', filter],
      queryFn: async ({ signal }) =>
        (await api.get<DecisionPage>('/decisions', { query: { ...filter, limit: 1 }, signal })).facets,
    }),

  thread: (entity: string) =>
    queryOptions({
      queryKey: ['decisions', 'one', entity],
      queryFn: ({ signal }) => api.get<DecisionThread>(`/decisions/${encodeURIComponent(entity)}`, { signal }),
    }),

  person: (id: string) =>
    queryOptions({
      queryKey: ['persons', 'one', id],
      queryFn: ({ signal }) => api.get<Person>(`/persons/${encodeURIComponent(id)}`, { signal }),
    }),

  journeysOf: (person: string) =>
    queryOptions({
      queryKey: ['conversions', 'of', person],
      queryFn: async ({ signal }): Promise<JourneysOfPerson> => {
        const page = await api.get<Paged<ConversionItem>>('/conversions', { query: { person, limit: JOURNEYS_READ }, signal });
        // A server that does not know this filter answers with everybody's.
        const items = page.items.filter((item) => item.person_id === person);
        const whole = page.next_cursor === null || items.length === page.items.length;
        return { items, lookedThrough: whole ? null : page.items.length };
      },
    }),
};

export const decisionCommands = {
  revealIdentifiers: (person: string, reason: string) =>
    api.post<{ identifiers: RevealedIdentifier[] }>(`/persons/${encodeURIComponent(person)}/identifiers`, { reason }),
};
