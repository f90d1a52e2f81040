/** Approvals, the audit log, users and tokens: their shapes, reads and commands. */
import { infiniteQueryOptions, type QueryClient, queryOptions } from '@tanstack/react-query';
import { answer, api, Problem } from './client';
import type { components } from './schema';
import type { Paged, Role, SignOff } from './types';

type Shapes = components['schemas'];

export const ROLES: Role[] = ['viewer', 'analyst', 'marketer', 'approver', 'admin'];
export const SIGN_OFFS: SignOff[] = ['growth', 'finance', 'legal', 'operations'];
export const SCOPES = ['read', 'run', 'approve', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

// Approvals

export const STATES = ['pending', 'approved', 'applied', 'rejected', 'expired', 'superseded', 'withdrawn', 'failed'] as const;
export type ApprovalState = (typeof STATES)[number];

export type Terms = Shapes['ApprovalTerms'];
export type Requirement = Shapes['ApprovalRule'];
export type Vote = Shapes['ApprovalVote'];
export type Step = Shapes['ApprovalStep'];
/** What is asked for is any JSON; the facts about it are plain values. */
export type Approval = Omit<Shapes['ApprovalView'], 'before' | 'after' | 'facts'> & {
  before: Json;
  after: Json;
  facts: Record<string, number | string | boolean>;
};
export type Ballot = Required<Shapes['VoteBody']>;

// Audit

export type AuditItem = Omit<Shapes['AuditItem'], 'payload'> & { payload: Json };
export type AuditHead = Shapes['AuditHead'];
export type AuditFault = Shapes['AuditFaultItem'];
export type AuditVerification = Shapes['AuditVerification'];
export type InclusionProof = Shapes['Inclusion'];

// Users and tokens

export type User = Shapes['UserItem'];
export type NewUser = Shapes['NewUser'];
export type UserChange = Shapes['UserChange'];
export type Token = Shapes['TokenItem'];
export type NewToken = Shapes['NewToken'];

export const governQueries = {
  approvals: (state?: ApprovalState) =>
    infiniteQueryOptions({
      queryKey: ['approvals', 'list', state ?? null],
      initialPageParam: null as string | null,
      queryFn: ({ pageParam, signal }) =>
        answer(api.GET('/api/v1/approvals', { params: { query: { state, limit: 100, cursor: pageParam ?? undefined } }, signal })) as Promise<Paged<Approval>>,
      getNextPageParam: (page) => page.next_cursor,
    }),

  approval: (id: string) =>
    queryOptions({
      queryKey: ['approvals', 'one', id],
      queryFn: ({ signal }) => answer(api.GET('/api/v1/approvals/{id}', { params: { path: { id } }, signal })) as Promise<Approval>,
    }),

  audit: (filter: { kind?: string; actor?: string }) =>
    infiniteQueryOptions({
      queryKey: ['audit', 'list', filter],
      initialPageParam: null as string | null,
      queryFn: ({ pageParam, signal }) =>
        answer(api.GET('/api/v1/audit', { params: { query: { ...filter, limit: 50, cursor: pageParam ?? undefined } }, signal })) as Promise<Paged<AuditItem>>,
      getNextPageParam: (page) => page.next_cursor,
    }),

  /** One record, null where the log has none of this number. */
  auditRecord: (seq: number) =>
    queryOptions({
      queryKey: ['audit', 'one', seq],
      queryFn: async ({ signal }): Promise<AuditItem | null> => {
        try {
          return (await answer(api.GET('/api/v1/audit/{seq}', { params: { path: { seq } }, signal }))) as AuditItem;
        } catch (error) {
          if (error instanceof Problem && error.status === 404) return null;
          throw error;
        }
      },
    }),

  auditHead: () =>
    queryOptions({ queryKey: ['audit', 'head'], queryFn: ({ signal }) => answer(api.GET('/api/v1/audit/head', { signal })) }),

  users: () => queryOptions({ queryKey: ['users'], queryFn: ({ signal }) => answer(api.GET('/api/v1/users', { signal })) }),

  tokens: () => queryOptions({ queryKey: ['tokens'], queryFn: ({ signal }) => answer(api.GET('/api/v1/tokens', { signal })) }),
};

const of = (id: string) => ({ params: { path: { id } } });

export const governCommands = {
  ask: (body: { title: string; reason: string; before: Json; after: Json }) => answer(api.POST('/api/v1/approvals', { body })) as Promise<Approval>,
  vote: (id: string, body: Ballot) => answer(api.POST('/api/v1/approvals/{id}/votes', { ...of(id), body })) as Promise<Approval>,
  comment: (id: string, text: string) => answer(api.POST('/api/v1/approvals/{id}/comments', { ...of(id), body: { text } })) as Promise<Approval>,
  withdraw: (id: string, reason: string) =>
    answer(api.POST('/api/v1/approvals/{id}/withdrawal', { ...of(id), body: { reason } })) as Promise<Approval>,

  verifyAudit: () => answer(api.POST('/api/v1/audit/verification')),
  /** Asked for by record, it is a proof of inclusion. */
  proveRecord: (seq: number, size: number) =>
    answer(api.GET('/api/v1/audit/proof', { params: { query: { seq, size } } })) as Promise<InclusionProof>,

  /** Gives an approval to wait for when a rule asks for one; the account has no rights until then. */
  addUser: (body: NewUser) => answer(api.POST('/api/v1/users', { body })) as Promise<User | Approval>,
  /** Gives an approval to wait for when a rule asks for one; the rights are not changed yet. */
  changeUser: (id: string, body: UserChange) => answer(api.PATCH('/api/v1/users/{id}', { ...of(id), body })) as Promise<User | Approval>,
  addToken: (body: NewToken) => answer(api.POST('/api/v1/tokens', { body })),
  revokeToken: (id: string) => answer(api.DELETE('/api/v1/tokens/{id}', of(id))),
  /** A wrong current password answers 401, which does not end the session. */
  changePassword: (body: { current: string | null; new: string }) => answer(api.PUT('/api/v1/session/password', { body })),
};

export const isApproval = (answer: User | Approval): answer is Approval => 'revision' in answer;

/** Keeps an answer about one request, and has everything else that it may have changed read again. */
export function keepApproval(client: QueryClient, approval: Approval) {
  client.setQueryData(governQueries.approval(approval.id).queryKey, approval);
  for (const queryKey of [['approvals', 'list'], ['line'], ['users'], ['audit']]) void client.invalidateQueries({ queryKey });
}
