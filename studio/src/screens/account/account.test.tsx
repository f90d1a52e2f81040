import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it } from 'vitest';
import { renderApp } from '../../test/app';
import { line } from '../../test/fixtures';
import { fakeServer } from '../../test/server';
import { admin, member, token, tokens } from '../../test/users';
import { daysError } from './words';

const paged = <T,>(items: T[]) => ({ items, next_cursor: null, total: items.length });
type Extra = Parameters<typeof fakeServer>[0];
const server = (extra: Extra = {}, session = member) =>
  fakeServer({
    'GET /session': { body: session }, 'GET /line': { body: line() }, 'GET /tokens': { body: paged(tokens) },
    'GET /approvals': { body: paged([]) }, ...extra,
  });
const refusal = (code: string) => ({ status: 401, body: { title: 'Sign-in failed', status: 401, code, request_id: 'r4' } });
const SECRET = 'tlk_a1b2c3d4e5f60718_0011223344556677';

async function changePassword(current: string, next: string) {
  await userEvent.clear(await screen.findByLabelText('Current password'));
  if (current) await userEvent.type(screen.getByLabelText('Current password'), current);
  await userEvent.clear(screen.getByLabelText('New password'));
  await userEvent.type(screen.getByLabelText('New password'), next);
  await userEvent.click(screen.getByRole('button', { name: 'Change the password' }));
}

it('says who one is and lists one’s own tokens, those that work first', async () => {
  server({}, { ...admin, expires_at: '2030-01-01T00:00:00Z' });
  renderApp('/account');
  const profile = within(await screen.findByRole('region', { name: 'Ada Example' }));
  expect(profile.getByText(/All of the others; accounts, exports/)).toBeTruthy();
  expect(profile.getByText(/Ends on 1 Jan 2030/)).toBeTruthy();
  expect(profile.getByRole('link', { name: 'Users' })).toBeTruthy();
  const rows = within(await screen.findByRole('table', { name: 'Your API tokens' })).getAllByRole('row').slice(1).map((row) => row.textContent ?? '');
  expect(rows.map((row) => row.slice(0, 10))).toEqual(['warehouse ', 'old script', 'leakedtlk_']);
  expect(rows[0]).toContain('Never');
  expect(rows[1]).toContain('Expired');
  expect(rows[2]).toContain('Revoked');
  expect(screen.getAllByRole('button', { name: /^Revoke / })).toHaveLength(1);
});

it('is reached from the menu of the user', async () => {
  server();
  renderApp('/');
  await userEvent.click(await screen.findByRole('button', { name: /Ada Example/ }));
  await userEvent.click(await screen.findByRole('menuitem', { name: 'Account' }));
  expect(await screen.findByRole('heading', { level: 1, name: 'Account' })).toBeTruthy();
});

it('offers only what one may', async () => {
  server({}, { ...member, may: ['getLine'] });
  renderApp('/account');
  expect(await screen.findByRole('region', { name: 'Ada Example' })).toBeTruthy();
  expect(screen.queryByRole('region', { name: 'Password' })).toBeNull();
  expect(screen.queryByRole('region', { name: 'API tokens' })).toBeNull();
  expect(screen.getByText('An administrator changes names and rights.')).toBeTruthy();
});

it('a wrong current password keeps the session and is said at the field', async () => {
  const sent = server({ 'PUT /session/password': refusal('TL921') });
  renderApp('/account');
  await changePassword('wrong', 'short');
  expect(await screen.findByText('This has 5 characters: it must have 12 to 200.')).toBeTruthy();
  expect(sent.some(({ method }) => method === 'PUT')).toBe(false);
  await changePassword('wrong', 'a long enough one');
  expect(await screen.findByText('This is not your current password.')).toBeTruthy();
  await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText('Current password')));
  expect(screen.getByRole('heading', { level: 1, name: 'Account' })).toBeTruthy();
  expect(sent.find(({ method }) => method === 'PUT')?.body).toEqual({ current: 'wrong', new: 'a long enough one' });
  await userEvent.type(screen.getByLabelText('Current password'), '!');
  expect(screen.queryByText('This is not your current password.')).toBeNull();
});

it('goes to the sign-in when the session itself is over', async () => {
  const over = refusal('TL920');
  let signedIn = true;
  server({
    'GET /session': () => (signedIn ? { body: member } : over), 'GET /tokens': () => (signedIn ? { body: paged(tokens) } : over),
    'GET /sign-in': { body: { project: 'shop', version: '0', methods: { password: true, token: true, oidc: [] } } },
    'PUT /session/password': () => {
      signedIn = false;
      return over;
    },
  });
  renderApp('/account');
  await screen.findByRole('table', { name: 'Your API tokens' });
  await changePassword('right', 'a long enough one');
  expect(await screen.findByRole('heading', { name: 'Sign in to shop' })).toBeTruthy();
});

it('changes the password, empties the fields and goes on with the new session', async () => {
  let changed = false;
  const sent = server({
    'GET /session': () => ({ body: { ...member, csrf_token: changed ? 'csrf-2' : 'csrf-1' } }),
    'PUT /session/password': () => {
      changed = true;
      return { status: 204 };
    },
    'DELETE /tokens/a1b2c3d4e5f60718': { status: 204 },
  });
  renderApp('/account');
  await changePassword('', 'a long enough one');
  expect(await screen.findByText(/Your password is changed/)).toBeTruthy();
  expect(sent.find(({ method }) => method === 'PUT')?.body).toEqual({ current: null, new: 'a long enough one' });
  expect((screen.getByLabelText('New password') as HTMLInputElement).value).toBe('');
  expect(screen.queryByText(/it must have 12 to 200/)).toBeNull();
  await userEvent.click(screen.getByRole('button', { name: 'Revoke warehouse export' }));
  await userEvent.click(within(await screen.findByRole('alertdialog')).getByRole('button', { name: 'Revoke' }));
  await waitFor(() => expect(sent.find(({ method }) => method === 'DELETE')?.headers['x-csrf-token']).toBe('csrf-2'));
});

it('shows a new token once, with an example, and forgets it when the dialog closes', async () => {
  const now = [...tokens];
  const sent = server({
    'GET /tokens': () => ({ body: paged(now) }),
    'POST /tokens': () => {
      now.push(token({ id: 'new', label: 'nightly job' }));
      return { status: 201, body: { ...token({ label: 'nightly job', scopes: ['read', 'run'] }), token: SECRET } };
    },
  });
  renderApp('/account');
  await userEvent.click(await screen.findByRole('button', { name: 'New token' }));
  const dialog = within(await screen.findByRole('alertdialog'));
  await userEvent.click(dialog.getByRole('checkbox', { name: /^Read/ }));
  await userEvent.clear(dialog.getByLabelText('Days until it ends'));
  await userEvent.type(dialog.getByLabelText('Days until it ends'), '367');
  await userEvent.click(dialog.getByRole('button', { name: 'Make the token' }));
  expect(await dialog.findByText('Say what it is for.')).toBeTruthy();
  expect(dialog.getByText('Choose at least one scope.')).toBeTruthy();
  expect(dialog.getByText(/A whole number of days/)).toBeTruthy();

  await userEvent.type(dialog.getByLabelText('Label'), 'nightly job');
  await userEvent.click(dialog.getByRole('checkbox', { name: /^Run/ }));
  await userEvent.click(dialog.getByRole('checkbox', { name: /^Read/ }));
  await userEvent.clear(dialog.getByLabelText('Days until it ends'));
  await userEvent.type(dialog.getByLabelText('Days until it ends'), '30');
  await userEvent.click(dialog.getByRole('button', { name: 'Make the token' }));
  expect(await dialog.findByText(SECRET)).toBeTruthy();
  expect(dialog.getByText(/^curl -H "Authorization: Bearer \$THROUGHLINE_TOKEN" .*\/api\/v1\/session$/)).toBeTruthy();
  expect(sent.find(({ method }) => method === 'POST')?.body).toEqual({ label: 'nightly job', scopes: ['read', 'run'], expires_in_days: 30 });

  await userEvent.click(dialog.getByRole('button', { name: 'I have copied it' }));
  await waitFor(() => expect(screen.queryByRole('alertdialog')).toBeNull());
  expect(document.body.textContent).not.toContain(SECRET);
  expect(await screen.findByRole('button', { name: 'Revoke nightly job' })).toBeTruthy();
  await userEvent.click(screen.getByRole('button', { name: 'New token' }));
  expect(await screen.findByLabelText('Label')).toBeTruthy();
  expect(document.body.textContent).not.toContain(SECRET);
});

it('revokes after asking, and keeps a refusal in the dialog', async () => {
  const now = [...tokens];
  let refuse = true;
  server({
    'GET /tokens': () => ({ body: paged(now) }),
    'DELETE /tokens/a1b2c3d4e5f60718': () => {
      if (refuse) return { status: 403, body: { title: 'Not allowed', status: 403, code: 'TL922', request_id: 'r5' } };
      now[2] = token({ revoked_at: '2026-01-04T00:00:00Z' });
      return { status: 204 };
    },
  });
  renderApp('/account');
  await userEvent.click(await screen.findByRole('button', { name: 'Revoke warehouse export' }));
  const dialog = within(await screen.findByRole('alertdialog'));
  expect(dialog.getByText(/This cannot be taken back/)).toBeTruthy();
  await userEvent.click(dialog.getByRole('button', { name: 'Revoke' }));
  expect((await dialog.findByRole('alert')).textContent).toContain('TL922');
  refuse = false;
  await userEvent.click(dialog.getByRole('button', { name: 'Revoke' }));
  const said = await screen.findByText('The token “warehouse export” is revoked.');
  expect(screen.queryByRole('button', { name: /^Revoke / })).toBeNull();
  // The button that began it is gone: the focus goes to what was said.
  await waitFor(() => expect(document.activeElement).toBe(said.parentElement));
});

it('takes whole days within a year', () => {
  expect(['1', '366'].map(daysError)).toEqual([null, null]);
  expect(['0', '367', '1.5', '', '-1', '1e2'].every((text) => daysError(text) !== null)).toBe(true);
});
