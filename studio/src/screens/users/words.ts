import type { User } from '../../api/govern';
import type { Role, SignOff } from '../../api/types';

/** What each role adds to those it builds on. */
export const ROLE_TEXTS: Record<Role, string> = {
  viewer: 'Reads results. What describes a person is masked.',
  analyst: 'Also reads configuration, audit log and proofs, freezes deliveries, comments on requests.',
  marketer: 'All of an analyst; runs the line, asks for approvals, releases deliveries, sees personal data.',
  approver: 'All of an analyst; votes on requests, sees personal data, runs nothing.',
  admin: 'All of the others; accounts, exports, identifiers in the clear.',
};

export const SIGN_OFF_TEXTS: Record<SignOff, string> = {
  growth: 'What it does for growth.',
  finance: 'Cost and budget.',
  legal: 'Law and privacy; may also open identifiers.',
  operations: 'Delivery and load.',
};

const WAYS: Record<User['methods'][number], string> = { password: 'Password', oidc: 'Account at the provider' };

export const waysText = ({ methods }: User) => methods.map((way) => WAYS[way] ?? way).join(', ');

/** What is wrong with a sign-in name, as the server sees it. */
export function nameError(name: string): string | null {
  if (name === '') return 'Give a name to sign in with.';
  if (name.length > 100) return 'A name has up to 100 characters.';
  return /^[A-Za-z0-9._@-]+$/.test(name) ? null : 'Only letters from a to z, digits, and the signs . _ - @ can be used.';
}

export function displayNameError(name: string): string | null {
  if ([...name].length > 200) return 'A display name has up to 200 characters.';
  return /\p{Cc}/u.test(name) ? 'A display name has no control characters.' : null;
}

export const ROLES_MISSING = 'Choose at least one role: without any, nothing can be read.';

export const sameSet = (one: readonly string[], other: readonly string[]) =>
  one.length === other.length && one.every((each) => other.includes(each));

/** A name from a provider may hold anything, and the command is meant to be pasted into a shell. */
const quoted = (text: string) => (/^[A-Za-z0-9._@][A-Za-z0-9._@-]*$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/** The command that makes a sign-in link; it names the address unless that is the usual one. */
export function linkCommand(name: string, origin: string): string {
  const address = origin === 'http://127.0.0.1:7171' ? '' : ` --url ${origin}`;
  // Whatever follows `--` is a name, even if it begins with a hyphen.
  return name.startsWith('-') ? `throughline user link${address} -- ${quoted(name)} PROJECT` : `throughline user link ${quoted(name)} PROJECT${address}`;
}
