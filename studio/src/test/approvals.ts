import type { Approval, Requirement, Vote } from '../api/govern';
import type { Session } from '../api/types';
import { session } from './fixtures';

/** Somebody who approves and signs for finance. */
export const approver: Session = {
  ...session,
  user: { id: 'u1', name: 'ada', display_name: 'Ada Example', roles: ['approver'], sign_offs: ['finance'], methods: ['password'] },
  may: [...session.may, 'listApprovals', 'getApproval', 'commentApproval', 'requestApproval', 'listDecisions'],
};

export const rule: Requirement = {
  name: 'dearer_mail + money', quorum: 2, roles: ['approver'], sign_offs: ['finance'], self_approve: false,
  when: '(is_new OR cost > 1.2 * cost_before) AND (budget > 10000)', expires_after_hours: 72,
  rules: [
    { name: 'dearer_mail', reason: 'A dearer mailing is looked at by two.', quorum: 2, roles: ['approver'], sign_offs: [] },
    { name: 'money', reason: null, quorum: 1, roles: ['approver'], sign_offs: ['finance'] },
  ],
};

export const vote = (change: Partial<Vote> = {}): Vote => ({
  by: 'u3', vote: 'approve', as: null, roles: ['approver'], reason: 'The lift was measured twice.', at: '2026-01-02T10:00:00Z', ...change,
});

/** A pending request about a policy, which nobody has voted on. */
export const approval = (change: Partial<Approval> = {}): Approval => ({
  id: 'ap1', kind: 'policy', title: 'Deliver the decisions of policy spring_mail', subject: 'spring_mail', subject_version: '2/spring_mail@2026-01-02',
  state: 'pending', revision: 1, requested_by: 'u2', requested_at: '2026-01-02T08:00:00Z', expires_at: '2999-01-05T08:00:00Z',
  reason: 'The season starts, and the budget of last spring was used up in a week.',
  before: {
    policy: 'spring_mail', version: 1, cycle: 'spring_mail@2025-12-26', margin: 0.1,
    actions: [{ name: 'none' }, { name: 'email_offer', cost_micros: 20000, purposes: ['messaging'] }],
    constraints: { budget_micros: 10_000_000_000, max_per_person: 2 },
  },
  after: {
    policy: 'spring_mail', version: 2, cycle: 'spring_mail@2026-01-02', margin: 0.1,
    actions: [{ name: 'none' }, { name: 'email_offer', cost_micros: 25000, purposes: ['messaging'] }, { name: 'call', cost_micros: 4_500_000 }],
    constraints: { budget_micros: 12_000_000_000, max_per_person: 2 },
  },
  facts: {
    is_new: false, people: 48210, deliveries: 12034, cost: 11250.5, cost_before: 9000, expected_value: 31200, expected_value_low: -1250.25,
    budget: 12000, budget_before: 10000, policy: 'spring_mail', destinations: 2,
  },
  rule, votes: [], comments: [],
  history: [{ at: '2026-01-02T08:00:00Z', by: 'u2', what: 'requested' }],
  needs: { approvals: 2, sign_offs: ['finance'] },
  people: { u1: 'Ada Example', u2: 'Mia Marketer', u3: 'Ben Approver' },
  may: { vote: true, withdraw: false, sign_offs: ['finance'], why_not: null },
  ...change,
});

/** A request that asks for one approver and no more. */
export const simple = (change: Partial<Approval> = {}): Approval => approval({
  kind: 'other', title: 'Use the new sender address', facts: {}, before: 'news@shop.example', after: 'hello@shop.example',
  rule: {
    name: 'default', quorum: 1, roles: ['approver'], sign_offs: [], self_approve: false, when: null, expires_after_hours: 72,
    rules: [{ name: 'default', reason: null, quorum: 1, roles: ['approver'], sign_offs: [] }],
  },
  needs: { approvals: 1, sign_offs: [] }, may: { vote: true, withdraw: false, sign_offs: [], why_not: null },
  ...change,
});
