/** Approvals, the audit log, users and tokens: their shapes, reads and commands. */
import { infiniteQueryOptions, type QueryClient, queryOptions } from '@tanstack/react-query';
import { api, request } from './client';
import type { Instant, Paged, Role, SignOff } from './types';

export const ROLES: Role[] = ['viewer', 'analyst', 'marketer', 'approver', 'admin'];
export const SIGN_OFFS: SignOff[] = ['growth', 'finance', 'legal', 'operations'];
export const SCOPES = ['read', 'run', 'approve', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

// Approvals

export const STATES = ['pending', 'approved', 'applied', 'rejected', 'expired', 'superseded', 'withdrawn', 'failed'] as const;
export type ApprovalState = (typeof STATES)[number];

export interface Terms {
  name: string;
  reason: string | null;
  quorum: number;
  roles: Role[];
  sign_offs: SignOff[];
}

export interface Requirement extends Omit<Terms, 'reason'> {
  self_approve: boolean;
  /** The condition that was met; null where the rule has none. */
  when: string | null;
  expires_after_hours: number;
  /** The rules that are merged into this one; each must be met by people of its own. */
  rules: Terms[];
}

export interface Vote {
  by: string;
  vote: 'approve' | 'reject';
  as: SignOff | null;
  roles: Role[];
  reason: string | null;
  at: Instant;
}

export interface Step {
  at: Instant;
  /** Null for what follows by itself. */
  by: string | null;
  what: string;
}

export interface Approval {
  id: string;
  kind: 'policy' | 'unfreeze' | 'role' | 'other';
  title: string;
  subject: string;
  subject_version: string;
  state: ApprovalState;
  revision: number;
  requested_by: string;
  requested_at: Instant;
  expires_at: Instant;
  reason: string;
  before: Json;
  after: Json;
  facts: Record<string, number | string | boolean>;
  rule: Requirement;
  votes: Vote[];
  comments: { by: string; text: string; at: Instant }[];
  history: Step[];
  needs: { approvals: number; sign_offs: SignOff[] };
  /** Display names by user id. */
  people: Record<string, string>;
  may: { vote: boolean; withdraw: boolean; sign_offs: SignOff[]; why_not: string | null };
}

export interface Ballot {
  vote: 'approve' | 'reject';
  revision: number;
  reason: string | null;
  as: SignOff | null;
}

// Audit

export interface AuditItem {
  seq: number;
  kind: string;
  actor: string;
  at: Instant;
  payload: Json;
  leaf: string;
  /** How many parts of the payload are sealed under keys of persons. */
  sealed: number;
}

export interface AuditHead {
  origin: string;
  size: number;
  root: string;
  at: Instant;
  note: string;
  public_key: string;
}

export interface AuditFault {
  fault: string;
  seq?: number;
  expected?: number;
  found?: number;
  size?: number;
}

export interface AuditVerification {
  intact: boolean;
  records: number;
  root: string;
  heads_checked: number;
  heads_unsigned: number;
  /** The first hundred. */
  faults: AuditFault[];
  seconds: number;
}

export interface InclusionProof {
  seq: number;
  size: number;
  leaf: string;
  root: string;
  path: string[];
}

// Users and tokens

export interface User {
  id: string;
  name: string;
  display_name: string;
  roles: Role[];
  sign_offs: SignOff[];
  disabled: boolean;
  created_at: Instant;
  last_seen_at: Instant | null;
  methods: ('password' | 'oidc')[];
}

export interface NewUser {
  name: string;
  display_name: string | null;
  roles: Role[];
  sign_offs: SignOff[];
  password: string | null;
}

export type UserChange = Partial<Pick<User, 'display_name' | 'roles' | 'sign_offs' | 'disabled'> & { password: string }>;

export interface Token {
  id: string;
  user_id: string;
  label: string;
  scopes: Scope[];
  created_at: Instant;
  expires_at: Instant;
  revoked_at: Instant | null;
  last_used_at: Instant | null;
}

export interface NewToken {
  label: string;
  scopes: Scope[];
  expires_in_days: number;
}

const one = (id: string) => `/approvals/${encodeURIComponent(id)}`;

export const governQueries = {
  approvals: (state?: ApprovalState) =>
    infiniteQueryOptions({
      queryKey: ['approvals', 'list', state ?? null],
      initialPageParam: null as string | null,
      queryFn: ({ pageParam, signal }) =>
        api.get<Paged<Approval>>('/approvals', { query: { state, limit: 100, cursor: pageParam }, signal }),
      getNextPageParam: (page) => page.next_cursor,
    }),

  approval: (id: string) =>
    queryOptions({ queryKey: ['approvals', 'one', id], queryFn: ({ signal }) => api.get<Approval>(one(id), { signal }) }),

  audit: (filter: { kind?: string; actor?: string }) =>
    infiniteQueryOptions({
      queryKey: ['audit', 'list', filter],
      initialPageParam: null as string | null,
      queryFn: ({ pageParam, signal }) =>
        api.get<Paged<AuditItem>>('/audit', { query: { ...filter, limit: 50, cursor: pageParam }, signal }),
      getNextPageParam: (page) => page.next_cursor,
    }),

  auditHead: () =>
    queryOptions({ queryKey: ['audit', 'head'], queryFn: ({ signal }) => api.get<AuditHead>('/audit/head', { signal }) }),

  users: () => queryOptions({ queryKey: ['users'], queryFn: ({ signal }) => api.get<Paged<User>>('/users', { signal }) }),

  tokens: () => queryOptions({ queryKey: ['tokens'], queryFn: ({ signal }) => api.get<Paged<Token>>('/tokens', { signal }) }),
};

export const governCommands = {
  ask: (body: { title: string; reason: string; before: Json; after: Json }) => api.post<Approval>('/approvals', body),
  vote: (id: string, ballot: Ballot) => api.post<Approval>(`${one(id)}/votes`, ballot),
  comment: (id: string, text: string) => api.post<Approval>(`${one(id)}/comments`, { text }),
  withdraw: (id: string, reason: string) => api.post<Approval>(`${one(id)}/withdrawal`, { reason }),

  verifyAudit: () => api.post<AuditVerification>('/audit/verification'),
  proveRecord: (seq: number, size: number) => api.get<InclusionProof>('/audit/proof', { query: { seq, size } }),

  addUser: (body: NewUser) => api.post<User>('/users', body),
  /** Gives an approval to wait for when a rule asks for one; then nothing is changed yet. */
  changeUser: (id: string, body: UserChange) => api.patch<User | Approval>(`/users/${encodeURIComponent(id)}`, body),
  addToken: (body: NewToken) => api.post<Token & { token: string }>('/tokens', body),
  revokeToken: (id: string) => api.delete<void>(`/tokens/${encodeURIComponent(id)}`),
  /** A wrong current password answers 401, which does not end the session. */
  changePassword: (body: { current: string | null; new: string }) =>
    request<void>('PUT', '/session/password', { body, expect401: true }),
};

export const isApproval = (answer: User | Approval): answer is Approval => 'revision' in answer;

/** Keeps an answer about one request, and has everything else that it may have changed read again. */
export function keepApproval(client: QueryClient, approval: Approval) {
  client.setQueryData(governQueries.approval(approval.id).queryKey, approval);
  for (const queryKey of [['approvals', 'list'], ['line'], ['users'], ['audit']]) void client.invalidateQueries({ queryKey });
}
