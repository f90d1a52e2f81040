import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it } from 'vitest';
import { renderApp } from '../../test/app';
import { entry, failed, ledger, old, opposed, retired, unapproved, unbounded } from '../../test/evidence';
import { line, session } from '../../test/fixtures';
import { fakeServer } from '../../test/server';
import { chosen, contradictions, grouped, uses } from './ledger';

const DECIDES = ['listEvidence', 'approveEvidence', 'retireEvidence'];
const server = (body: unknown = ledger(), may: string[] = DECIDES, answers: Parameters<typeof fakeServer>[0] = {}) => fakeServer({
  'GET /session': { body: { ...session, may: [...session.may, ...may] } }, 'GET /line': { body: line() }, 'GET /evidence': { body },
  'POST /evidence/approvals': { status: 204 }, 'POST /evidence/retirements': { status: 204 }, ...answers,
});

const region = (name: string) => screen.findByRole('region', { name });
const address = (id: string) => `/evidence/record?id=${encodeURIComponent(id)}`;
const charts = () => screen.getAllByRole('group').map((group) => group.getAttribute('aria-label'));

it('groups by action, the best standing first, and leaves out what no longer counts', () => {
  const { items } = ledger();
  expect(chosen(items, {}).map(({ standing }) => standing)).toEqual(['standing', 'unapproved', 'standing', 'unapproved', 'suspect']);
  expect(chosen(items, { standing: 'all', action: 'tax' })).toHaveLength(3);
  expect(chosen(items, { standing: 'retired' })).toEqual([retired]);
  expect(grouped(items).map(({ action, entries }) => [action, ...entries.map(({ standing }) => standing)])).toEqual([
    ['mens_email', 'standing', 'superseded'], ['tax', 'standing', 'unapproved', 'retired'], ['price_cut', 'unapproved'], ['radio', 'suspect'],
  ]);
  expect(contradictions({ ...ledger(), items: [opposed] })).toEqual([]);
  expect([uses(opposed), uses(unbounded)]).toEqual([1, 0]);
});

it('shows contradictions first, then every record with its effect, standing and reason', async () => {
  server();
  renderApp('/evidence');
  const conflict = await region('Contradictions');
  expect(within(conflict).getByText('opposite directions')).toBeTruthy();
  expect(within(conflict).getByText(/They differ by 25.8, and their intervals do not overlap/)).toBeTruthy();
  expect(within(conflict).getAllByRole('img').map((mark) => mark.getAttribute('aria-label'))).toEqual([
    'california, until 31 Dec 2000, Effect: −19.6, 95% interval −27.3 to −4.1',
    'a_study_with_a_long_name_about_the_tax_in_other_states, until 31 Dec 2000, Effect: 6.2, 95% interval 1.1 to 11.3',
  ]);
  const tax = within(await region('Tax'));
  expect(tax.getAllByRole('row')[1]?.textContent).toContain('Decisions may rest on it.');
  expect(tax.getAllByRole('row')[2]?.textContent).toContain('Nobody answers for its assumptions yet');
  expect(within(await region('Price cut')).getByText('up to −90.0% or 2.0% and more (95%)')).toBeTruthy();
  expect(screen.getByText(/2 records superseded, expired or retired are left out/)).toBeTruthy();
});

it('filters by what the address says', async () => {
  server();
  renderApp('/evidence?standing=retired');
  expect((await region('Tax')).textContent).toContain('Retired by ada: The price was wrong for a week.');
  expect(screen.queryByRole('region', { name: 'Mens email' })).toBeNull();
  await userEvent.click(screen.getByRole('button', { name: 'Clear filters' }));
  expect(await region('Mens email')).toBeTruthy();
});

it('has every assumption read before it is approved', async () => {
  const sent = server();
  renderApp(address(unapproved.record.id));
  await userEvent.click(await screen.findByRole('button', { name: 'Approve its assumptions' }));
  const dialog = within(await screen.findByRole('alertdialog'));
  const boxes = dialog.getAllByRole('checkbox');
  expect(boxes).toHaveLength(2);
  await userEvent.click(boxes[0]!);
  await userEvent.click(dialog.getByRole('button', { name: 'Approve' }));
  expect(await dialog.findByText('Tick each of them, or do not approve.')).toBeTruthy();
  expect(sent.some(({ method }) => method === 'POST')).toBe(false);
  await userEvent.click(boxes[1]!);
  await userEvent.type(dialog.getByRole('textbox'), 'no other tax');
  await userEvent.click(dialog.getByRole('button', { name: 'Approve' }));
  await waitFor(() => expect(screen.queryByRole('alertdialog')).toBeNull());
  expect(await screen.findByText(/^Approved: you answer for its assumptions/)).toBeTruthy();
  expect(sent.find(({ path }) => path === '/evidence/approvals')?.body).toEqual({ id: unapproved.record.id, reason: 'no other tax' });
  expect(sent.filter(({ path }) => path === '/evidence').length).toBeGreaterThan(1);
});

it('retires with a reason only, and shows why the server refused', async () => {
  const refusal = { title: 'Not possible now', detail: 'bob retired it: wrong price', status: 409, code: 'TL068', request_id: 'r1' };
  const sent = server(ledger(), DECIDES, { 'POST /evidence/retirements': { status: 409, body: refusal } });
  renderApp(address(entry().record.id));
  expect(await screen.findByText('It needs no approval: people were assigned at random.')).toBeTruthy();
  await userEvent.click(screen.getByRole('button', { name: 'Retire' }));
  const dialog = within(await screen.findByRole('alertdialog'));
  await userEvent.click(dialog.getByRole('button', { name: 'Retire for good' }));
  expect(await dialog.findByText('Say why.')).toBeTruthy();
  await userEvent.type(dialog.getByRole('textbox'), 'old price');
  await userEvent.click(dialog.getByRole('button', { name: 'Retire for good' }));
  expect(await dialog.findByText(/bob retired it: wrong price/)).toBeTruthy();
  expect(sent.find(({ path }) => path === '/evidence/retirements')?.body).toEqual({ id: entry().record.id, reason: 'old price' });
});

it('offers nothing to those who may not, and no approval of what failed', async () => {
  server(ledger(), ['listEvidence']);
  const { unmount } = renderApp(address(unapproved.record.id));
  await region('What must hold');
  expect(screen.queryByRole('button', { name: /Approve|Retire/ })).toBeNull();
  unmount();
  server();
  renderApp(address(failed.record.id));
  expect(await screen.findByText('It cannot be approved: a check failed.')).toBeTruthy();
  expect(screen.getByText(/nobody can approve that away/)).toBeTruthy();
});

it('tells what happened to a record, in order', async () => {
  server();
  renderApp(address(opposed.record.id));
  const notes = within(await region('What happened to it')).getAllByRole('listitem').map((item) => item.textContent);
  expect(notes).toEqual([
    '19 Mar 2026, 08:00 UTCada answers for its assumptions. Parallel before; no other campaign.',
    '20 Mar 2026, 08:00 UTCUsed by cycle-2026-03-20. Policy spring_mail held tax.',
    '24 Mar 2026, 06:00 UTCRecorded. ',
  ]);
});

it('draws what a synthetic control shows: paths, placebos and weights', async () => {
  server();
  renderApp(address(unapproved.record.id));
  await region('Actual and counterfactual');
  expect(charts()).toEqual(expect.arrayContaining(['Actual and counterfactual', 'Effect over time']));
  expect(screen.getByRole('img', { name: /^1989, Counterfactual: 93/ })).toBeTruthy();
  const gaps = await region('Effect over time');
  expect(gaps.querySelectorAll('.line.faint')).toHaveLength(39);
  expect(gaps.textContent).toContain('None of them have a mean effect at least as large');
  await userEvent.click(within(gaps).getByRole('button', { name: 'Show as table' }));
  expect(within(gaps).getAllByRole('columnheader')).toHaveLength(2 + 38);
  expect(within(await region('Weights')).getByRole('img', { name: 'Utah: 33.4%' })).toBeTruthy();
  expect((await region('Of the method')).textContent).toContain('Lambda0.34');
});

it('draws an event study, its sensitivity and its cells', async () => {
  server();
  renderApp(address(opposed.record.id));
  const study = await region('Event study');
  const marks = within(study).getAllByRole('img').map((mark) => mark.getAttribute('aria-label'));
  expect(marks[2]).toBe('Periods since treatment −1: 0, what the others are compared with, zero by definition');
  expect(marks[6]).toBe('Periods since treatment 3: −0.101, −0.17 to −0.033 alone, −0.19 and more with all others, from the treatment on');
  expect(within(study).getByText(/χ² = 6.84 with 5 degrees of freedom, p = 0.233. No sign that trends differed/)).toBeTruthy();
  expect((await region('When trends were not parallel')).textContent).toContain('a factor of 0.62');
  expect(within(await region('Groups and periods')).getAllByRole('row')).toHaveLength(3);
});

it('draws a series with its band, and anything else as values and tables', async () => {
  server();
  const { unmount } = renderApp(address(failed.record.id));
  expect(await region('Effect added up')).toBeTruthy();
  expect(screen.getByRole('img', { name: '31 Jan 2026, Counterfactual: 101, 98 to 104' })).toBeTruthy();
  unmount();
  server();
  renderApp(address(unbounded.record.id));
  expect(within(await region('Tests')).getByRole('row', { name: 'Sargan 0.40' })).toBeTruthy();
  expect((await region('Of the method')).textContent).toContain('Weak instruments: effective f4.2');
});

it('says where nothing is recorded, and of an unknown record', async () => {
  server(ledger([]));
  const { unmount } = renderApp('/evidence');
  expect(await screen.findByRole('heading', { name: 'Nothing is recorded yet' })).toBeTruthy();
  unmount();
  server(ledger([old]));
  renderApp(address('a/b'));
  expect(await screen.findByRole('heading', { name: 'There is no such record' })).toBeTruthy();
});
