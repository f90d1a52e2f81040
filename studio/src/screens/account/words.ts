import type { Scope, Token } from '../../api/govern';

export const SCOPE_TEXTS: Record<Scope, string> = {
  read: 'Reads what you may read.',
  run: 'Runs the line, asks for approvals and comments, freezes and releases deliveries.',
  approve: 'Votes on requests in your name.',
  admin: 'Accounts, tokens and passwords, exports, identifiers in the clear.',
};

export const MOST_DAYS = 366;

export type TokenState = 'live' | 'revoked' | 'expired';

export function tokenState({ revoked_at, expires_at }: Token, now: Date): TokenState {
  if (revoked_at !== null) return 'revoked';
  return Date.parse(expires_at) <= now.getTime() ? 'expired' : 'live';
}

/** Those that work first, the newest of them on top. */
export const inOrder = (tokens: Token[], now: Date): Token[] =>
  [...tokens].sort((a, b) =>
    Number(tokenState(a, now) !== 'live') - Number(tokenState(b, now) !== 'live') || Date.parse(b.created_at) - Date.parse(a.created_at));

export function labelError(label: string): string | null {
  if (label === '') return 'Say what it is for.';
  if ([...label].length > 100) return 'A label has up to 100 characters.';
  return /\p{Cc}/u.test(label) ? 'A label has no control characters.' : null;
}

export function daysError(text: string): string | null {
  const days = /^\d{1,4}$/.test(text) ? Number(text) : NaN;
  return days >= 1 && days <= MOST_DAYS ? null : `A whole number of days, from 1 to ${MOST_DAYS}.`;
}

/** Asks who is signed in, which a token of any scope may. The token stays out of the shell's history. */
export const curlExample = (origin: string) => `curl -H "Authorization: Bearer $THROUGHLINE_TOKEN" ${origin}/api/v1/session`;
