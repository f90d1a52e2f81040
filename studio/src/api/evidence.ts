/** What is known about effects: experiments, studies and the evidence ledger. Their shapes, reads and commands. */
import { queryOptions } from '@tanstack/react-query';
import { answer, api } from './client';
import type { components } from './schema';

type Shapes = components['schemas'];

/** A null end is infinite. */
export type OpenInterval = [number | null, number | null];
export type Finding = Shapes['Finding'];

/** How a record can stand, the best first. */
export const STANDINGS = ['standing', 'unapproved', 'suspect', 'not_yet', 'superseded', 'expired', 'retired'] as const satisfies StandingName[];
export type StandingName = Shapes['StandingName'];

export type Ledger = Shapes['Evidence'];
export type LedgerEntry = Shapes['EvidenceEntry'];
export type LedgerRecord = Shapes['EvidenceItem'];
export type EvidenceNote = Shapes['NoteShape'];
export type Conflict = Shapes['ConflictView'];

export type Experiments = Shapes['Experiments'];
export type Experiment = Shapes['ExperimentView'];
export type Reading = Shapes['ReadingView'];
export type SampleRatio = Shapes['SrmView'];
export type Arm = Shapes['ArmView'];
export type Comparison = Shapes['ComparisonView'];
export type Segmentation = Shapes['SegmentationView'];
export type UnitChecks = Shapes['ChecksView'];
/** What one run read of one effect. */
export type Look = Shapes['HistoryView'];
export type Study = Shapes['StudyView'];

export const evidenceQueries = {
  experiments: () =>
    queryOptions({
      queryKey: ['evidence', 'experiments'],
      queryFn: ({ signal }) => answer(api.GET('/api/v1/experiments', { signal })),
    }),

  ledger: () =>
    queryOptions({
      queryKey: ['evidence', 'ledger'],
      queryFn: ({ signal }) => answer(api.GET('/api/v1/evidence', { signal })),
    }),
};

export const evidenceCommands = {
  approve: (id: string, reason: string) => answer(api.POST('/api/v1/evidence/approvals', { body: { id, reason } })),
  retire: (id: string, reason: string) => answer(api.POST('/api/v1/evidence/retirements', { body: { id, reason } })),
};
