import { createMemoryHistory } from '@tanstack/react-router';
import { render, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it } from 'vitest';
import { App } from '../../app';
import { approval, approver, simple, vote } from '../../test/approvals';
import { line, session } from '../../test/fixtures';
import { fakeServer, type Sent } from '../../test/server';
import { written } from './ask';

const base = { 'GET /session': { body: approver }, 'GET /line': { body: line() } };
const page = (items: unknown[], next_cursor: string | null = null) => ({ body: { items, next_cursor, total: null } });
const asked = (sent: Sent[]) => sent.filter(({ path }) => path.startsWith('/approvals?')).map(({ path }) => new URLSearchParams(path.split('?')[1]));
const titles = () => screen.getAllByRole('heading', { level: 2 }).map((heading) => heading.textContent);

function open(path: string) {
  const history = createMemoryHistory({ initialEntries: [path] });
  render(<App history={history} />);
  return history;
}

const voted = approval({ votes: [vote()], needs: { approvals: 1, sign_offs: ['finance'] } });
const own = simple({
  id: 'ap2', title: 'pay \u202edrawer', requested_at: '2026-01-03T00:00:00Z', expires_at: '2999-01-01T00:00:00Z',
  may: { vote: false, withdraw: true, sign_offs: [], why_not: 'you asked for it yourself: somebody else must decide' },
});

it('says of every request what is at stake, what is missing, and whether the reader may vote', async () => {
  fakeServer({ ...base, 'GET /approvals': page([own, voted]) });
  open('/approvals');
  const first = within(await screen.findByRole('listitem', { name: 'Deliver the decisions of policy spring_mail' }));
  expect(first.getByText('Needs 1 more approval and the sign-off of finance')).toBeTruthy();
  expect(first.getByText('€11,251').textContent).toBe('€11,251was €9,000, +25%');
  expect(first.getByText('You may vote')).toBeTruthy();
  expect(first.getByText('You can sign off for finance')).toBeTruthy();
  expect(first.getByText(/Asked by Mia Marketer/)).toBeTruthy();
  const second = within(screen.getByRole('listitem', { name: 'pay \\u{202e}drawer' }));
  expect(second.getByText('You cannot vote: you asked for it yourself: somebody else must decide')).toBeTruthy();
  expect(second.queryByText('You may vote')).toBeNull();
  expect(screen.getByRole('link', { name: /Approvals/ }).textContent).toContain('2 waiting');
});

it('keeps tab, order and outcome in the address, and asks the server for them', async () => {
  const rejected = approval({ id: 'r1', title: 'No to this', state: 'rejected', may: { vote: false, withdraw: false, sign_offs: [], why_not: 'the request is rejected' } });
  const sent = fakeServer({
    ...base,
    'GET /approvals': ({ path }) => page(path.includes('state=pending') ? [own, voted] : path.includes('state=') ? [rejected] : [own, voted, rejected]),
  });
  const history = open('/approvals');
  await screen.findByText('2 in all.');
  expect(titles()).toEqual(['Deliver the decisions of policy spring_mail', 'pay \\u{202e}drawer']);
  await userEvent.click(screen.getByRole('radio', { name: 'Newest' }));
  await waitFor(() => expect(titles()[0]).toBe('pay \\u{202e}drawer'));
  expect(history.location.search).toBe('?sort=newest');
  await userEvent.click(screen.getByRole('tab', { name: 'Done' }));
  // Of all that was read, only what is over.
  await waitFor(() => expect(titles()).toEqual(['No to this']));
  await userEvent.click(screen.getByRole('button', { name: /Outcome/ }));
  await userEvent.click(await screen.findByRole('option', { name: 'Rejected' }));
  await waitFor(() => expect(asked(sent).some((query) => query.get('state') === 'rejected')).toBe(true));
  expect(Object.fromEntries(new URLSearchParams(history.location.search))).toEqual({ sort: 'newest', state: 'done', outcome: 'rejected' });
  await userEvent.click(screen.getByRole('tab', { name: 'Pending' }));
  await waitFor(() => expect(history.location.search).toBe('?sort=newest'));
});

it('says what would bring something to an empty tab', async () => {
  fakeServer({ ...base, 'GET /session': { body: { ...session, may: [...session.may, 'listApprovals'] } }, 'GET /approvals': page([]) });
  open('/approvals?state=approved');
  expect(await screen.findByRole('heading', { name: 'Nothing waits to take effect' })).toBeTruthy();
  expect(screen.queryByRole('button', { name: 'Ask for approval' })).toBeNull();
  await userEvent.click(screen.getByRole('tab', { name: 'Pending' }));
  expect(await screen.findByText(/appears here when a rule of the project asks/)).toBeTruthy();
});

it('reads on from the cursor, and says that an order of the newest is not one of all', async () => {
  const sent = fakeServer({ ...base, 'GET /approvals': ({ path }) => (path.includes('cursor=next') ? page([own]) : page([voted], 'next')) });
  open('/approvals');
  expect(await screen.findByText('The newest 1. Older ones are not in this order yet.')).toBeTruthy();
  await userEvent.click(screen.getByRole('button', { name: 'Load more' }));
  const told = await screen.findByText('2 in all.');
  await waitFor(() => expect(document.activeElement).toBe(told));
  expect(asked(sent).at(-1)?.get('cursor')).toBe('next');
});

it('moves by j and k, and Enter opens with the tab kept for the way back', async () => {
  fakeServer({ ...base, 'GET /approvals': page([own, voted]), 'GET /approvals/ap2': { body: own } });
  const history = open('/approvals?sort=expiry');
  await screen.findByText('2 in all.');
  await userEvent.keyboard('jjjk');
  expect(document.activeElement?.textContent).toBe('pay \\u{202e}drawer');
  await userEvent.keyboard('{Enter}');
  expect(await screen.findByRole('heading', { level: 1, name: 'pay \\u{202e}drawer' })).toBeTruthy();
  expect(history.location.href).toBe('/approvals/ap2?sort=expiry');
});

it('asks for approval, with both sides as text or JSON, and opens the request', async () => {
  const sent = fakeServer({ ...base, 'GET /approvals': page([]), 'POST /approvals': { status: 201, body: own }, 'GET /approvals/ap2': { body: own } });
  const history = open('/approvals');
  await userEvent.click(await screen.findByRole('button', { name: 'Ask for approval' }));
  const dialog = within(await screen.findByRole('alertdialog'));
  await userEvent.click(dialog.getByRole('button', { name: 'Ask' }));
  expect(dialog.getByText('Say why.')).toBeTruthy();
  expect(sent.some(({ method }) => method === 'POST')).toBe(false);
  await userEvent.type(dialog.getByLabelText('Title'), 'A new sender');
  await userEvent.type(dialog.getByLabelText('Reason'), 'It reads better');
  await userEvent.type(dialog.getByLabelText('What would be (optional)'), '{{"from":"hello"}');
  expect(dialog.getByText('Read as JSON.')).toBeTruthy();
  await userEvent.click(dialog.getByRole('button', { name: 'Ask' }));
  await waitFor(() => expect(history.location.pathname).toBe('/approvals/ap2'));
  expect(sent.find(({ method }) => method === 'POST')?.body)
    .toEqual({ title: 'A new sender', reason: 'It reads better', before: null, after: { from: 'hello' } });
});

it('takes only whole objects and lists for JSON', () => {
  expect(['', ' ', '12', 'true', '"a"', '[1]', '{"a":', '[draft] hello'].map(written))
    .toEqual([null, null, '12', 'true', '"a"', [1], '{"a":', '[draft] hello']);
});
