import type { Approval, Token, User } from '../api/govern';
import type { Session } from '../api/types';
import { session } from './fixtures';

const OWN = ['listTokens', 'createToken', 'revokeToken', 'changeOwnPassword'];

/** What everybody with a role may do with their own account. */
export const member: Session = { ...session, may: [...session.may, ...OWN] };

export const admin: Session = {
  ...session,
  user: { id: 'u1', name: 'ada', display_name: 'Ada Example', roles: ['admin'], sign_offs: ['finance'], methods: ['password'] },
  may: [...member.may, 'listUsers', 'createUser', 'changeUser', 'seeAllTokens', 'listApprovals'],
};

export const user = (change: Partial<User> = {}): User => ({
  id: 'u2', name: 'ben', display_name: 'Ben Sample', roles: ['analyst'], sign_offs: [], disabled: false,
  created_at: '2026-01-01T00:00:00Z', last_seen_at: '2026-01-02T00:00:00Z', methods: ['password'], ...change,
});

export const users: User[] = [
  user({ id: 'u1', name: 'ada', display_name: 'Ada Example', roles: ['admin'], sign_offs: ['finance'] }),
  user(),
  user({ id: 'u3', name: 'cleo@example.com', display_name: 'Cleo Muster', roles: ['marketer', 'approver'], sign_offs: ['growth', 'legal'], methods: ['oidc'] }),
  user({ id: 'u4', name: 'dan', display_name: 'Dan Trial', methods: [], last_seen_at: null }),
  user({ id: 'u5', name: 'eve', display_name: 'Eve Former', disabled: true }),
];

export const token = (change: Partial<Token> = {}): Token => ({
  id: 'a1b2c3d4e5f60718', user_id: 'u1', label: 'warehouse export', scopes: ['read'], created_at: '2026-01-01T00:00:00Z',
  expires_at: '2999-01-01T00:00:00Z', revoked_at: null, last_used_at: null, ...change,
});

export const tokens: Token[] = [
  token({ id: '00000000000000e1', label: 'old script', expires_at: '2026-01-02T00:00:00Z' }),
  token({ id: '00000000000000e2', label: 'leaked', revoked_at: '2026-01-03T00:00:00Z' }),
  token(),
  token({ id: '00000000000000e4', user_id: 'u2', label: 'dashboard of Ben', scopes: ['read', 'run'], last_used_at: '2026-01-02T00:00:00Z' }),
];

/** The request that a change of Ben's rights became. */
export const rightsRequest: Approval = {
  id: 'a9', kind: 'role', title: 'Change the rights of Ben Sample', subject: 'u2', subject_version: 'analyst,approver|', state: 'pending',
  revision: 1, requested_by: 'u1', requested_at: '2026-01-01T00:00:00Z', expires_at: '2999-01-01T00:00:00Z', reason: '',
  before: { roles: ['analyst'], sign_offs: [] }, after: { roles: ['analyst', 'approver'], sign_offs: [] },
  facts: { role: 'analyst, approver', grants_admin: false },
  rule: {
    name: 'rights', quorum: 1, roles: ['approver'], sign_offs: [], self_approve: false, when: null, expires_after_hours: 72,
    rules: [{ name: 'rights', reason: null, quorum: 1, roles: ['approver'], sign_offs: [] }],
  },
  votes: [], comments: [], history: [], needs: { approvals: 1, sign_offs: [] }, people: { u1: 'Ada Example' },
  may: { vote: false, withdraw: true, sign_offs: [], why_not: 'you asked for it' },
};
