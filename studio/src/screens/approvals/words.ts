import type { Approval, ApprovalState, Requirement, Terms } from '../../api/govern';
import type { Role, SignOff } from '../../api/types';
import { count, decimal, exactMoney, humanise, money, percent, plural, shortId } from '../../format';
import type { Tone } from '../../ui';
import { unitOf, visible } from './diff';

export const TONES: Record<ApprovalState, Tone> = {
  pending: 'warn', approved: 'accent', applied: 'good', rejected: 'bad', expired: 'plain', superseded: 'plain',
  withdrawn: 'plain', failed: 'bad',
};

/** What each state means for whoever reads it. */
export const STATE_TEXTS: Record<ApprovalState, string> = {
  pending: 'People are asked.',
  approved: 'Everybody who had to agreed. It is not in effect yet.',
  applied: 'It is in effect.',
  rejected: 'Somebody disagreed, which ended it.',
  expired: 'Its time passed before it was agreed to or put into effect.',
  superseded: 'What it is about has changed since, so nobody can agree to it any more.',
  withdrawn: 'It was taken back.',
  failed: 'It was agreed to and could not be put into effect.',
};

export const KIND_TEXTS: Record<Approval['kind'], string> = {
  policy: 'Policy', unfreeze: 'Release of deliveries', role: 'Rights', other: 'Other',
};

/** `a`, `a and b`, `a, b and c`. */
export function listed(words: readonly string[], last = 'and'): string {
  if (words.length < 2) return words[0] ?? '';
  return `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)}`;
}

/** The name of somebody in a request; programs and people who are gone keep what they were known by. */
export const who = ({ people }: Approval, id: string): string => visible(people[id] ?? shortId(id));

/** What is still missing, or null when nothing is. */
export function missing({ needs, votes }: Pick<Approval, 'needs' | 'votes'>): string | null {
  const parts = [
    needs.approvals > 0 && plural(needs.approvals, votes.length > 0 ? 'more approval' : 'approval'),
    needs.sign_offs.length > 0 && `the sign-off of ${listed(needs.sign_offs)}`,
  ].filter((part): part is string => part !== false);
  return parts.length > 0 ? listed(parts) : null;
}

// Facts

const FACT_TEXTS: Record<string, string> = {
  cost: 'Cost of the cycle',
  expected_value: 'Expected value against doing nothing',
  expected_value_low: 'Lower end of its interval',
  budget: 'Budget',
  people: 'People decided for',
  deliveries: 'People with an action',
  destinations: 'Destinations',
  cost_before: 'Cost of the last cycle agreed to',
  budget_before: 'Budget before',
  frozen_hours: 'Frozen for',
  role: 'Roles afterwards',
  grants_admin: 'Makes an administrator',
  is_new: 'First of its kind',
  policy: 'Policy',
};
/** The most that can go wrong stands first. */
const ORDER = Object.keys(FACT_TEXTS);
const place = (name: string) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);

export interface Fact {
  name: string;
  label: string;
  value: string;
  /** Compared with before. */
  note: string | null;
}

function factText(name: string, value: number | string | boolean, currency: string | undefined, exact: boolean): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'string') return visible(value);
  const unit = unitOf([name]);
  if (unit === 'hours') return `${decimal(value)} h`;
  if (unit === 'money') return currency === undefined ? decimal(value, 2) : exact ? exactMoney(Math.round(value * 100) / 100, currency) : money(value, currency);
  return Number.isInteger(value) ? count(value) : decimal(value, 2);
}

/** The facts in words, what is at stake first. */
export function facts(approval: Approval, currency: string | undefined, exact = false): Fact[] {
  const all = approval.facts;
  return Object.entries(all)
    .sort(([a], [b]) => place(a) - place(b))
    .map(([name, value]) => {
      const before = all[`${name}_before`];
      const ratio = typeof value === 'number' && typeof before === 'number' && before !== 0 ? value / before - 1 : null;
      const note = before === undefined ? null
        : `was ${factText(name, before, currency, exact)}${ratio === null ? '' : `, ${ratio >= 0 ? '+' : ''}${percent(ratio)}`}`;
      return { name, label: FACT_TEXTS[name] ?? humanise(name), value: factText(name, value, currency, exact), note };
    });
}

/** The few facts that tell how much is at stake. */
export const headline = (approval: Approval, currency: string | undefined): Fact[] =>
  facts(approval, currency).filter(({ name }) => !/_before$|^policy$|^is_new$|^destinations$/.test(name)).slice(0, 5);

/** The most money that a request is about; null where it is about none. */
export function stake({ facts: all }: Approval): number | null {
  const sums = [all.cost, all.budget, all.expected_value].filter((sum) => typeof sum === 'number');
  return sums.length > 0 ? Math.max(...sums.map(Math.abs)) : null;
}

// The rule

const PARENTS: Record<Role, Role[]> = {
  viewer: [], analyst: ['viewer'], marketer: ['analyst'], approver: ['analyst'], admin: ['marketer', 'approver'],
};
const isIn = (held: Role, role: Role): boolean => held === role || (PARENTS[held] ?? []).some((parent) => isIn(parent, role));

/** Whether somebody's roles alone let them vote; otherwise they vote for a sign-off that they hold. */
export const entitled = (roles: Role[], rule: Pick<Requirement, 'roles'>) => roles.some((held) => rule.roles.some((role) => isIn(held, role)));

const voters = (roles: Role[], signOffs: SignOff[]) =>
  listed([...roles.map((role) => `with the role ${role}`), ...signOffs.map((name) => `who signs for ${name}`)], 'or');

/** What one rule asks, in a sentence. */
export function termsText({ quorum, roles, sign_offs }: Pick<Terms, 'quorum' | 'roles' | 'sign_offs'>): string {
  const people = quorum === 1 ? 'One person' : `${count(quorum)} people`;
  const must = sign_offs.length === 0 ? ''
    : ` ${humanise(listed(sign_offs))} must ${sign_offs.length > 1 ? 'each ' : ''}be signed off.`;
  return `${people} must approve, ${quorum === 1 ? '' : 'each '}${voters(roles, sign_offs)}.${must}`;
}

/** What holds for all rules of a request together. */
export function ruleNotes(rule: Requirement): string[] {
  return [
    rule.self_approve ? 'The requester may vote as well.' : 'The requester cannot vote.',
    rule.sign_offs.length > 0 ? 'A sign-off also counts as the approval of one person.' : '',
    rule.roles.some((role) => role !== 'admin') ? 'A role that includes another counts as that one; administrators have all of them.' : '',
    'One rejection ends the request.',
    `It lapses ${plural(rule.expires_after_hours, 'hour')} after it was asked for.`,
  ].filter(Boolean);
}
