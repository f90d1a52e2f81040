import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it } from 'vitest';
import type { User } from '../../api/govern';
import { renderApp } from '../../test/app';
import { line } from '../../test/fixtures';
import { fakeServer } from '../../test/server';
import { admin, rightsRequest, token, tokens, user, users } from '../../test/users';
import { linkCommand, nameError } from './words';

const paged = <T,>(items: T[]) => ({ items, next_cursor: null, total: items.length });
const problem = (status: number, code: string, detail: string) => ({ status, body: { title: 'Conflict', status, code, detail, request_id: 'r7' } });
type Extra = Parameters<typeof fakeServer>[0];
const server = (extra: Extra = {}, session = admin) =>
  fakeServer({
    'GET /session': { body: session }, 'GET /line': { body: line() }, 'GET /users': { body: paged(users) },
    'GET /tokens': { body: paged(tokens) }, 'GET /approvals': { body: paged([]) }, ...extra,
  });
const table = async () => within(await screen.findByRole('table', { name: 'All accounts' }));

async function choose(name: string, item: string) {
  await userEvent.click(await screen.findByRole('button', { name: `Change ${name}` }));
  await userEvent.click(await screen.findByRole('menuitem', { name: item }));
  return within(await screen.findByRole('alertdialog'));
}

it('lists the accounts: rights, ways to sign in, who is disabled, who is reading', async () => {
  server({ 'GET /approvals': { body: paged([rightsRequest]) } });
  renderApp('/users');
  const rows = (await table()).getAllByRole('row').slice(1).map((row) => row.textContent ?? '');
  expect(rows).toHaveLength(5);
  expect(rows[0]).toContain('Ada Exampleyouada');
  expect(rows[0]).toContain('AdminFinancePassword');
  expect(rows[2]).toContain('Marketer, ApproverGrowth, LegalAccount at the provider');
  expect(rows[3]).toContain('No passwordOnly by a sign-in linkNever');
  expect(rows[4]).toContain('Eve Formerdisabled');
  expect(screen.getByText('5 accounts, 1 of them disabled.')).toBeTruthy();
  expect((await screen.findByRole('link', { name: 'New rights wait for approval' })).getAttribute('href')).toBe('/approvals/a9');
  // Only what others hold and what still works.
  const others = within(await screen.findByRole('table', { name: 'Tokens of others' }));
  expect(others.getAllByRole('row')).toHaveLength(2);
  expect(others.getByText('Ben Sample')).toBeTruthy();
});

it('adds a user once the form is right, and says how a user without password gets in', async () => {
  const sent = server({ 'POST /users': { status: 201, body: user({ id: 'u6', name: 'fay', display_name: 'fay', methods: [] }) } });
  renderApp('/users');
  await userEvent.click(await screen.findByRole('button', { name: 'Add a user' }));
  const dialog = within(await screen.findByRole('alertdialog'));
  await userEvent.type(dialog.getByLabelText('Sign-in name'), 'fay smith');
  await userEvent.click(dialog.getByRole('checkbox', { name: /^Viewer/ }));
  await userEvent.type(dialog.getByLabelText('Password'), 'short');
  await userEvent.click(dialog.getByRole('button', { name: 'Add the user' }));
  expect(await dialog.findByText(/Only letters from a to z/)).toBeTruthy();
  expect(dialog.getByText(/Choose at least one role/)).toBeTruthy();
  expect(dialog.getByText('This has 5 characters: it must have 12 to 200.')).toBeTruthy();
  expect(document.activeElement).toBe(dialog.getByLabelText('Sign-in name'));
  expect(sent.some(({ method }) => method === 'POST')).toBe(false);

  await userEvent.clear(dialog.getByLabelText('Sign-in name'));
  await userEvent.type(dialog.getByLabelText('Sign-in name'), ' fay ');
  await userEvent.click(dialog.getByRole('checkbox', { name: /^Approver/ }));
  await userEvent.click(dialog.getByRole('checkbox', { name: /^Viewer/ }));
  await userEvent.click(dialog.getByRole('checkbox', { name: /^Legal/ }));
  await userEvent.clear(dialog.getByLabelText('Password'));
  await userEvent.click(dialog.getByRole('button', { name: 'Add the user' }));
  await waitFor(() => expect(screen.queryByRole('alertdialog')).toBeNull());
  expect(sent.find(({ method }) => method === 'POST')?.body)
    .toEqual({ name: 'fay', display_name: null, roles: ['viewer', 'approver'], sign_offs: ['legal'], password: null });
  expect(await screen.findByText('fay is added, without a password.')).toBeTruthy();
  expect(screen.getByText(/^throughline user link fay PROJECT/)).toBeTruthy();
});

it('says that nothing is changed yet when the rights wait for approval', async () => {
  let asked = false;
  const sent = server({
    'PATCH /users/u2': () => {
      asked = true;
      return { status: 202, body: rightsRequest };
    },
    'GET /approvals': () => ({ body: paged(asked ? [rightsRequest] : []) }),
  });
  renderApp('/users');
  const dialog = await choose('Ben Sample', 'Roles and sign-offs');
  await userEvent.click(dialog.getByRole('button', { name: 'Change the rights' }));
  expect(await dialog.findByText('Nothing differs from the rights as they are.')).toBeTruthy();
  await userEvent.click(dialog.getByRole('checkbox', { name: /^Approver/ }));
  await userEvent.click(dialog.getByRole('button', { name: 'Change the rights' }));
  expect(await screen.findByText('Nothing is changed yet.')).toBeTruthy();
  expect(screen.getByRole('link', { name: 'Open the request' }).getAttribute('href')).toBe('/approvals/a9');
  // Sign-offs are as they were and are not sent.
  expect(sent.find(({ method }) => method === 'PATCH')?.body).toEqual({ roles: ['analyst', 'approver'] });
  expect(await screen.findByRole('link', { name: 'New rights wait for approval' })).toBeTruthy();
  expect(screen.queryByText(/are changed\.$/)).toBeNull();
});

it('shows what the server has against taking the last administrator away', async () => {
  server({ 'PATCH /users/u1': problem(409, 'TL925', 'this is the last administrator: make another one first') });
  renderApp('/users');
  const dialog = await choose('Ada Example', 'Roles and sign-offs');
  await userEvent.click(dialog.getByRole('checkbox', { name: /^Marketer/ }));
  await userEvent.click(dialog.getByRole('checkbox', { name: /^Admin/ }));
  expect(dialog.getByText(/You take your own role of administrator away/)).toBeTruthy();
  await userEvent.click(dialog.getByRole('button', { name: 'Change the rights' }));
  expect((await dialog.findByRole('alert')).textContent).toContain('this is the last administrator: make another one first (TL925, request r7)');
});

it('disables after saying what ends, and enables again', async () => {
  const now: User[] = [...users];
  const sent = server({
    'GET /users': () => ({ body: paged(now) }),
    'PATCH /users/u2': ({ body }) => {
      now[1] = user(body as Partial<User>);
      return { body: now[1] };
    },
  });
  renderApp('/users');
  const dialog = await choose('Ben Sample', 'Disable');
  expect(dialog.getByText(/Every session of Ben Sample ends at once, every API token is refused/)).toBeTruthy();
  await userEvent.click(dialog.getByRole('button', { name: 'Disable' }));
  expect(await screen.findByText(/Ben Sample is disabled/)).toBeTruthy();
  await waitFor(async () => expect((await table()).getAllByText('disabled')).toHaveLength(2));
  const again = await choose('Ben Sample', 'Enable');
  await userEvent.click(again.getByRole('button', { name: 'Enable' }));
  await waitFor(async () => expect((await table()).getAllByText('disabled')).toHaveLength(1));
  expect(sent.filter(({ method }) => method === 'PATCH').map(({ body }) => body)).toEqual([{ disabled: true }, { disabled: false }]);
});

it('renames, sets a password, and leaves one’s own password to the account', async () => {
  const sent = server({ 'PATCH /users/u4': { body: users[3] } });
  renderApp('/users');
  const rename = await choose('Dan Trial', 'Display name');
  await userEvent.clear(rename.getByLabelText('Display name'));
  await userEvent.type(rename.getByLabelText('Display name'), 'Dan{Enter}');
  expect(await screen.findByText('dan is now called Dan.')).toBeTruthy();
  const password = await choose('Dan Trial', 'Set a password');
  await userEvent.type(password.getByLabelText('New password'), 'twelve chars{Enter}');
  expect(await screen.findByText('Dan Trial has a new password.')).toBeTruthy();
  expect(sent.filter(({ method }) => method === 'PATCH').map(({ body }) => body)).toEqual([{ display_name: 'Dan' }, { password: 'twelve chars' }]);
  await userEvent.click(screen.getByRole('button', { name: 'Change Ada Example' }));
  expect(screen.queryByRole('menuitem', { name: 'Set a password' })).toBeNull();
  await userEvent.click(screen.getByRole('menuitem', { name: 'Your password' }));
  expect(await screen.findByRole('heading', { level: 1, name: 'Account' })).toBeTruthy();
});

it('lets an administrator revoke the token of somebody else', async () => {
  const now = [...tokens];
  const sent = server({
    'GET /tokens': () => ({ body: paged(now) }),
    'DELETE /tokens/00000000000000e4': () => {
      now[3] = token({ ...now[3], revoked_at: '2026-01-04T00:00:00Z' });
      return { status: 204 };
    },
  });
  renderApp('/users');
  await userEvent.click(await screen.findByRole('button', { name: 'Revoke dashboard of Ben' }));
  await userEvent.click(within(await screen.findByRole('alertdialog')).getByRole('button', { name: 'Revoke' }));
  expect(await screen.findByText('Nobody else holds a token.')).toBeTruthy();
  expect(sent.some(({ method }) => method === 'DELETE')).toBe(true);
});

it('offers no action to those who may not', async () => {
  const reader = { ...admin, may: admin.may.filter((operation) => !['createUser', 'changeUser', 'seeAllTokens', 'listApprovals'].includes(operation)) };
  const sent = server({}, reader);
  const first = renderApp('/users');
  expect((await table()).getAllByRole('row')).toHaveLength(6);
  expect(screen.queryByRole('button', { name: /^(Add a user|Change )/ })).toBeNull();
  expect(screen.queryByRole('region', { name: 'API tokens of others' })).toBeNull();
  expect(sent.some(({ path }) => path.startsWith('/approvals'))).toBe(false);
  first.unmount();

  const outsider = { ...admin, may: admin.may.filter((operation) => operation !== 'listUsers') };
  server({ 'GET /users': problem(403, 'TL922', 'your account may not do this') }, outsider);
  renderApp('/users');
  expect((await screen.findByRole('alert')).textContent).toContain('TL922');
  expect(within(screen.getByRole('navigation', { name: 'Screens' })).queryByRole('link', { name: 'Users' })).toBeNull();
});

it('takes the names that the server takes, and quotes others for the shell', () => {
  expect([nameError('a.b_c-d@e.f'), nameError('é') !== null, nameError('a'.repeat(101)) !== null]).toEqual([null, true, true]);
  const command = (name: string) => linkCommand(name, 'http://127.0.0.1:7171');
  expect(command('dan')).toBe('throughline user link dan PROJECT');
  expect(command("d'; rm x")).toBe(`throughline user link 'd'\\''; rm x' PROJECT`);
  expect(command('-x')).toBe("throughline user link -- '-x' PROJECT");
  expect(linkCommand('dan', 'https://studio.example.com')).toBe('throughline user link dan PROJECT --url https://studio.example.com');
});
