/** Pairs of records that may be of one person: their shapes, reads and commands. */
import { queryOptions } from '@tanstack/react-query';
import { answer, api } from './client';
import type { components } from './schema';

type Shapes = components['schemas'];

export type MatchPair = Shapes['MatchPair'];
export type Matches = Shapes['Matches'];
export type DrawInfo = Shapes['DrawInfo'];
export type MatchAccuracy = Shapes['MatchAccuracy'];
export type SampledShare = Shapes['SampledShareItem'];
export type Bin = Shapes['ReliabilityBin'];

export const QUEUES = ['queue', 'decided', 'review', 'linked', 'apart'] as const;
export type Queue = (typeof QUEUES)[number];

export const matchQueries = {
  list: (outcome: Queue) =>
    queryOptions({
      queryKey: ['matches', 'list', outcome],
      queryFn: ({ signal }) => answer(api.GET('/api/v1/matches', { params: { query: { outcome, limit: 200 } }, signal })),
    }),

  accuracy: () =>
    queryOptions({
      queryKey: ['matches', 'accuracy'],
      queryFn: ({ signal }) => answer(api.GET('/api/v1/matches/accuracy', { signal })),
    }),
};

type PairOf = Pick<MatchPair, 'token' | 'other_token'>;
const ends = ({ token, other_token }: PairOf) => ({ token, other_token });

export const matchCommands = {
  draw: (size: number): Promise<DrawInfo> => answer(api.POST('/api/v1/matches/draws', { body: { size } })),
  /** What the records say; the access is on record. */
  open: (pair: PairOf): Promise<MatchPair> => answer(api.POST('/api/v1/matches/records', { body: ends(pair) })),
  /** Null takes earlier decisions back. */
  decide: (pair: PairOf, same: boolean | null, reason: string) =>
    answer(api.POST('/api/v1/matches/decisions', { body: { ...ends(pair), same, reason } })),
};
