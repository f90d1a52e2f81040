import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it } from 'vitest';
import type { Approval } from '../../api/govern';
import { renderApp } from '../../test/app';
import { approval, approver, simple, vote } from '../../test/approvals';
import { line } from '../../test/fixtures';
import { fakeServer } from '../../test/server';
import { texts } from './changes';
import { effectText, needsAfter } from './effect';

const base = { 'GET /session': { body: approver }, 'GET /line': { body: line() } };
const OVER: Approval['may'] = { vote: false, withdraw: false, sign_offs: [], why_not: 'the request is approved' };
const region = async (name: string) => within(await screen.findByRole('region', { name }));
const votes = (sent: ReturnType<typeof fakeServer>) => sent.filter(({ path }) => path.endsWith('/votes')).map(({ body }) => body);
const conflict = { status: 409, body: { title: 'Conflict', status: 409, code: 'TL905', request_id: 'r1', detail: 'the vote is about revision 1 of the request, which is at revision 2 by now' } };

it('shows what would change first, what is at stake, the rules and how far they are met', async () => {
  const one = approval({
    votes: [vote()], needs: { approvals: 1, sign_offs: ['finance'] }, comments: [{ by: 'u2', text: 'pay \u202edrawer', at: '2026-01-02T09:00:00Z' }],
  });
  fakeServer({ ...base, 'GET /approvals/ap1': { body: one } });
  renderApp('/approvals/ap1');
  const standing = await region('Where it stands');
  expect(standing.getByText('Needs 1 more approval and the sign-off of finance')).toBeTruthy();
  expect(standing.getByText(/leave with the next run, which begins at once/)).toBeTruthy();

  const changes = await region('What would change');
  const rows = changes.getAllByRole('row').map((row) => row.textContent);
  expect(rows).toContain('Actions › Email offer › CostChanged€0.02€0.025');
  expect(rows).toContain('Actions › Call › CostAdded– not there€4.50');
  expect(rows.some((row) => row?.startsWith('Margin'))).toBe(false);
  expect(changes.getByText('6 parts unchanged')).toBeTruthy();

  expect((await region('What is at stake')).getByText('€11,250.50').textContent).toBe('€11,250.50was €9,000.00, +25%');
  const tallies = (await region('Who has to agree')).getAllByRole('list', { name: 'So far' }).map((list) => list.textContent);
  expect(tallies).toEqual(['1 of 2 approvals', '1 of 1 approvalFinance: not signed off']);
  expect((await region('Votes')).getByText('The lift was measured twice.')).toBeTruthy();
  expect((await region('Comments')).getByText('pay \\u{202e}drawer')).toBeTruthy();
  expect(screen.getByRole('link', { name: 'The decisions of the policy spring_mail' }).getAttribute('href')).toBe('/decisions?policy=spring_mail');
});

it('approves what was seen, tells what comes of it, and moves the focus there', async () => {
  const after = simple({ state: 'applied', revision: 5, votes: [vote({ by: 'u1' })], may: OVER, needs: { approvals: 0, sign_offs: [] } });
  const sent = fakeServer({ ...base, 'GET /approvals/ap1': { body: simple({ revision: 4 }) }, 'POST /approvals/ap1/votes': { body: after } });
  renderApp('/approvals/ap1');
  await screen.findByRole('button', { name: 'Approve' });
  await userEvent.keyboard('a');
  const dialog = within(await screen.findByRole('alertdialog', { name: 'Approve this request?' }));
  expect(dialog.getByText('Nothing else is missing. It is recorded that people agreed. Nothing else happens by itself.')).toBeTruthy();
  await userEvent.click(dialog.getByRole('button', { name: 'Approve' }));
  const result = await screen.findByText('You approved it, and it is in effect now.');
  expect(votes(sent)).toEqual([{ vote: 'approve', revision: 4, reason: null, as: null }]);
  await waitFor(() => expect(document.activeElement).toBe(result));
  expect(screen.queryByRole('button', { name: 'Approve' })).toBeNull();
});

it('does not choose a sign-off for anybody, and says what each choice leads to', async () => {
  const one = approval({ votes: [vote()], needs: { approvals: 1, sign_offs: ['finance'] }, revision: 2 });
  const sent = fakeServer({ ...base, 'GET /approvals/ap1': { body: one }, 'POST /approvals/ap1/votes': { body: { ...one, state: 'approved', may: OVER } } });
  renderApp('/approvals/ap1');
  await userEvent.click(await screen.findByRole('button', { name: 'Approve' }));
  const dialog = within(await screen.findByRole('alertdialog'));
  await userEvent.click(dialog.getByRole('button', { name: 'Approve' }));
  expect(dialog.getByText('Choose what your vote gives.')).toBeTruthy();
  expect(votes(sent)).toEqual([]);
  await userEvent.click(dialog.getByRole('radio', { name: 'Approve only' }));
  expect(dialog.getByText('Your approval alone changes nothing yet: the sign-off of finance will still be missing.')).toBeTruthy();
  await userEvent.click(dialog.getByRole('radio', { name: 'Approve and sign off for finance' }));
  expect(dialog.getByText(/Nothing else is missing\. Deliveries of this policy leave/)).toBeTruthy();
  await userEvent.click(dialog.getByRole('button', { name: 'Approve for finance' }));
  await waitFor(() => expect(votes(sent)).toEqual([{ vote: 'approve', revision: 2, reason: null, as: 'finance' }]));
});

it('somebody without the role votes as the sign-off that they hold', async () => {
  const one = approval();
  const signer = { ...approver, user: { ...approver.user, roles: ['viewer' as const] } };
  const sent = fakeServer({ ...base, 'GET /session': { body: signer }, 'GET /approvals/ap1': { body: one }, 'POST /approvals/ap1/votes': { body: { ...one, state: 'rejected', may: OVER } } });
  renderApp('/approvals/ap1');
  await userEvent.click(await screen.findByRole('button', { name: 'Approve' }));
  expect(await screen.findByRole('button', { name: 'Approve for finance' })).toBeTruthy();
  await userEvent.click(screen.getByRole('button', { name: 'Cancel' }));
  await userEvent.click(await screen.findByRole('button', { name: 'Reject' }));
  await userEvent.type(await screen.findByLabelText('Reason'), 'Too dear');
  await userEvent.click(within(screen.getByRole('alertdialog')).getByRole('button', { name: 'Reject' }));
  await waitFor(() => expect(votes(sent)).toEqual([{ vote: 'reject', revision: 1, reason: 'Too dear', as: 'finance' }]));
});

it('does not reject without a reason', async () => {
  const sent = fakeServer({ ...base, 'GET /approvals/ap1': { body: simple() }, 'POST /approvals/ap1/votes': { body: simple({ state: 'rejected', may: OVER }) } });
  renderApp('/approvals/ap1');
  await screen.findByRole('button', { name: 'Reject' });
  await userEvent.keyboard('r');
  const dialog = within(await screen.findByRole('alertdialog', { name: 'Reject this request?' }));
  expect(dialog.getByText(/One rejection ends the request/)).toBeTruthy();
  await userEvent.type(dialog.getByLabelText('Reason'), '  ');
  await userEvent.click(dialog.getByRole('button', { name: 'Reject' }));
  expect(dialog.getByText('A rejection needs a reason.')).toBeTruthy();
  expect(votes(sent)).toEqual([]);
  await userEvent.type(dialog.getByLabelText('Reason'), 'Not now');
  await userEvent.click(dialog.getByRole('button', { name: 'Reject' }));
  expect(await screen.findByText('You rejected it. The request is over, and nothing changes.')).toBeTruthy();
  expect(votes(sent)).toEqual([{ vote: 'reject', revision: 1, reason: 'Not now', as: null }]);
});

it('reads a request that changed meanwhile again, says so, and keeps what was typed', async () => {
  const commented = simple({ revision: 2, history: [...simple().history, { at: '2026-01-02T09:00:00Z', by: 'u3', what: 'commented' }] });
  let now = simple();
  const sent = fakeServer({
    ...base,
    'GET /approvals/ap1': () => ({ body: now }),
    'POST /approvals/ap1/votes': ({ body }) => {
      if ((body as { revision: number }).revision === 2) return { body: { ...commented, state: 'applied', revision: 3, may: OVER } };
      now = commented;
      return conflict;
    },
  });
  renderApp('/approvals/ap1');
  await userEvent.click(await screen.findByRole('button', { name: 'Approve' }));
  const dialog = within(await screen.findByRole('alertdialog'));
  await userEvent.type(dialog.getByLabelText('Reason (optional)'), 'Fine');
  await userEvent.click(dialog.getByRole('button', { name: 'Approve' }));
  const alert = await dialog.findByText('This request changed while you were looking at it.');
  expect(alert.closest('[role="alert"]')?.textContent).toContain('Ben Approver: commented');
  expect((dialog.getByLabelText('Reason (optional)') as HTMLTextAreaElement).value).toBe('Fine');
  await userEvent.click(dialog.getByRole('button', { name: 'Approve' }));
  await screen.findByText('You approved it, and it is in effect now.');
  expect(votes(sent)).toEqual([1, 2].map((revision) => ({ vote: 'approve', revision, reason: 'Fine', as: null })));
});

it('when it is over by then, says that too and takes no vote', async () => {
  let now = simple();
  fakeServer({
    ...base, 'GET /approvals/ap1': () => ({ body: now }),
    'POST /approvals/ap1/votes': () => {
      now = simple({ state: 'withdrawn', revision: 2, may: { ...OVER, why_not: 'the request is withdrawn' } });
      return conflict;
    },
  });
  renderApp('/approvals/ap1');
  await userEvent.click(await screen.findByRole('button', { name: 'Approve' }));
  const dialog = within(await screen.findByRole('alertdialog'));
  await userEvent.click(dialog.getByRole('button', { name: 'Approve' }));
  expect(await dialog.findByText('You cannot vote any more: the request is withdrawn.')).toBeTruthy();
  expect(dialog.queryByRole('button', { name: 'Approve' })).toBeNull();
  await userEvent.click(dialog.getByRole('button', { name: 'Close' }));
  expect(await screen.findByText('It was taken back.')).toBeTruthy();
});

it('tells who may not vote why, without buttons, and lets the requester withdraw with a reason', async () => {
  const own = simple({ may: { vote: false, withdraw: true, sign_offs: [], why_not: 'you asked for it yourself: somebody else must decide' } });
  const sent = fakeServer({ ...base, 'GET /approvals/ap1': { body: own }, 'POST /approvals/ap1/withdrawal': { body: simple({ state: 'withdrawn', revision: 2, may: OVER }) } });
  renderApp('/approvals/ap1');
  expect(await screen.findByText('You cannot vote: you asked for it yourself: somebody else must decide')).toBeTruthy();
  expect(screen.queryByRole('button', { name: /Approve|Reject/ })).toBeNull();
  await userEvent.keyboard('ar');
  expect(screen.queryByRole('alertdialog')).toBeNull();
  await userEvent.click(screen.getByRole('button', { name: 'Withdraw' }));
  const dialog = within(await screen.findByRole('alertdialog'));
  await userEvent.click(dialog.getByRole('button', { name: 'Withdraw' }));
  expect(dialog.getByText('Say why.')).toBeTruthy();
  await userEvent.type(dialog.getByLabelText('Reason'), 'Not needed any more');
  await userEvent.click(dialog.getByRole('button', { name: 'Withdraw' }));
  expect(await screen.findByText('It was taken back. The request is over, and nothing changes.')).toBeTruthy();
  expect(sent.find(({ path }) => path.endsWith('/withdrawal'))?.body).toEqual({ reason: 'Not needed any more' });
});

it('adds a comment, and keeps it where the request ended meanwhile', async () => {
  let now = simple();
  let over = false;
  fakeServer({
    ...base, 'GET /approvals/ap1': () => ({ body: now }),
    'POST /approvals/ap1/comments': () => {
      now = simple({ revision: 2, comments: [{ by: 'u1', text: 'Hello', at: '2026-01-02T09:00:00Z' }], ...(over && { state: 'expired', may: OVER }) });
      return over ? conflict : { body: now };
    },
  });
  renderApp('/approvals/ap1');
  await screen.findByRole('button', { name: 'Approve' });
  await userEvent.keyboard('c');
  await userEvent.keyboard('Hello');
  await userEvent.click(screen.getByRole('button', { name: 'Add comment' }));
  expect(await screen.findByText('Your comment was added.')).toBeTruthy();
  const field = () => screen.getByLabelText('Comment') as HTMLTextAreaElement;
  expect(field().value).toBe('');
  over = true;
  await userEvent.type(field(), 'Too late');
  await userEvent.click(screen.getByRole('button', { name: 'Add comment' }));
  expect(await screen.findByText(/changed meanwhile and was read again/)).toBeTruthy();
  expect(field().value).toBe('Too late');
  expect(screen.queryByRole('button', { name: 'Add comment' })).toBeNull();
});

it('counts by every rule, and tells each kind of effect', () => {
  const one = approval({ votes: [vote()] });
  // Two people are enough only if the second counts by the rule that asks for two.
  expect(needsAfter(one, vote({ by: 'u9', as: 'finance', roles: ['viewer'] }))).toEqual({ approvals: 1, sign_offs: [] });
  expect(needsAfter(one, vote({ by: 'u9', as: 'finance', roles: ['admin'] }))).toEqual({ approvals: 0, sign_offs: [] });
  expect(needsAfter(one, vote())).toEqual({ approvals: 1, sign_offs: ['finance'] });
  expect(effectText(one, line({ frozen: { reason: 'x', by: 'ada', at: '2026-01-01T00:00:00Z' } }))).toMatch(/only after the release/);
  expect(effectText(approval({ kind: 'unfreeze' }), undefined)).toMatch(/released at once/);
});

it('never writes two values that differ in the same way', () => {
  const changed = (before: never, after: never, path = ['a']) => texts({ path, state: 'changed', before, after }, 'EUR');
  expect(changed(1 as never, '1' as never)).toEqual(['1', '"1"']);
  expect(changed(['a, b'] as never, ['a', 'b'] as never)).toEqual(['["a, b"]', '["a","b"]']);
  expect(changed(20_000 as never, 25_000 as never, ['cost_micros'])).toEqual(['€0.02', '€0.025']);
  expect(texts({ path: [], state: 'added', before: undefined, after: null }, undefined)).toEqual([null, 'null']);
});
