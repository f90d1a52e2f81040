/** What is known about effects: experiments, studies and the evidence ledger. Their shapes, reads and commands. */
import { queryOptions } from '@tanstack/react-query';
import { answer, api } from './client';
import type { components } from './schema';
import type { Estimate, EvidenceRecord } from './types';

type Shapes = components['schemas'];

/** A null end is infinite. */
export type OpenInterval = [number | null, number | null];
export type Finding = Shapes['Finding'];
export type Tier = Shapes['Tier'];

export const STANDINGS = ['standing', 'unapproved', 'suspect', 'not_yet', 'superseded', 'expired', 'retired'] as const;
export type StandingName = (typeof STANDINGS)[number];

export interface EvidenceNote {
  kind: 'approved' | 'retired' | 'used';
  by: string;
  at: string;
  text: string;
}

/** The record's details belong to its method and may be anything. */
export type LedgerRecord = EvidenceRecord & { source?: { name: string; data?: string }; details?: unknown };

export interface LedgerEntry {
  record: LedgerRecord;
  recorded_at: string;
  notes: EvidenceNote[];
  standing: StandingName;
}

export interface Conflict {
  first: string;
  second: string;
  difference: number;
  p_value: number | null;
  opposed: boolean;
}

export interface Ledger {
  items: LedgerEntry[];
  conflicts: Conflict[];
  at: string;
}

export interface SampleRatio {
  p_value: number;
  statistic: number;
  df: number;
  observed: number[];
  expected: number[];
  alarm: boolean;
}

export interface ArmMetric {
  metric: string;
  n: number;
  missing: number;
  invalid: number;
  mean: number | null;
  std_error: number | null;
}

export interface Arm {
  arm: string;
  weight: number;
  units: number;
  metrics: ArmMetric[];
}

export interface Comparison {
  arm: string;
  control: string;
  metric: string;
  estimate: Estimate | null;
  estimate_absent: string | null;
  relative: Estimate | null;
  adjusted_p_value: number | null;
  significant: boolean;
}

export interface Reading {
  health: string;
  tier: Tier;
  srm: SampleRatio;
  arms: Arm[];
  comparisons: Comparison[];
  diagnostics: Finding[];
}

export interface Look {
  arm: string;
  metric: string;
  at: string;
  value: number;
  interval: OpenInterval;
  p_value: number;
  n: number;
  healthy: boolean;
}

export interface Experiment {
  name: string;
  file: string;
  reading: Reading;
  history: Look[];
}

export interface Study {
  name: string;
  file: string;
  evidence: string | null;
  diagnostics: Finding[];
}

export interface Experiments {
  experiments: Experiment[];
  studies: Study[];
  published_at: string | null;
}

// Until the document names these operations.
type Untyped = (path: string, init: unknown) => Promise<{ data?: unknown }>;
const get = api.GET as unknown as Untyped;
const post = api.POST as unknown as Untyped;

export const evidenceQueries = {
  experiments: () =>
    queryOptions({
      queryKey: ['evidence', 'experiments'],
      queryFn: ({ signal }) => answer(get('/api/v1/experiments', { signal })) as Promise<Experiments>,
    }),

  ledger: () =>
    queryOptions({
      queryKey: ['evidence', 'ledger'],
      queryFn: ({ signal }) => answer(get('/api/v1/evidence', { signal })) as Promise<Ledger>,
    }),
};

export const evidenceCommands = {
  approve: (id: string, reason: string) => answer(post('/api/v1/evidence/approvals', { body: { id, reason } })),
  retire: (id: string, reason: string) => answer(post('/api/v1/evidence/retirements', { body: { id, reason } })),
};
