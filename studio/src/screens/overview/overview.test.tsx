import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it } from 'vitest';
import { renderApp } from '../../test/app';
import { line, run, session, stages } from '../../test/fixtures';
import { fakeServer } from '../../test/server';
import { runText, withRun } from './stages';

const runs = { body: { items: [line().last_run], next_cursor: null, total: 1 } };

it('shows the ten stages in order, the counts and the navigation that is allowed', async () => {
  fakeServer({ 'GET /session': { body: session }, 'GET /line': { body: line() }, 'GET /runs': runs });
  renderApp('/');
  const card = await screen.findByRole('region', { name: 'The line' });
  expect(within(card).getAllByRole('heading', { level: 3 }).map((heading) => heading.textContent))
    .toEqual(['Ingest', 'Link', 'Journeys', 'Attribute', 'Prove', 'Features', 'Model', 'Decide', 'Activate', 'Observe']);
  expect(within(card).getAllByText('1,234')).toHaveLength(10);
  expect(screen.getByText('17')).toBeTruthy();
  const links = within(screen.getByRole('navigation')).getAllByRole('link').map((link) => link.textContent);
  expect(links.slice(0, 3)).toEqual(['Overview', 'Journeys', 'Attribution']);
  await waitFor(() => expect(document.title).toBe('Overview · Throughline'));
});

it('before the first run: says what a run does and starts one', async () => {
  const empty = line({ stages: stages('never'), last_run: null, quarantined: 0, approvals_pending: 0 });
  const sent = fakeServer({ 'GET /session': { body: session }, 'GET /line': { body: empty }, 'GET /runs': runs, 'POST /runs': { status: 202, body: run } });
  renderApp('/');
  await userEvent.click(await screen.findByRole('button', { name: 'Run the line' }));
  expect(await screen.findByText(/2 of 10 stages done, journeys under way/)).toBeTruthy();
  const post = sent.find(({ method }) => method === 'POST');
  expect(post).toMatchObject({ path: '/runs', body: { stage: null, from: null }, headers: { 'x-csrf-token': 'csrf-1' } });
  expect(screen.getByRole('progressbar', { name: 'Journeys' }).getAttribute('aria-valuenow')).toBe('25');
});

it('does not freeze without a reason', async () => {
  const sent = fakeServer({ 'GET /session': { body: session }, 'GET /line': { body: line() }, 'GET /runs': runs, 'POST /freeze': { body: {} } });
  renderApp('/');
  await userEvent.click(await screen.findByRole('button', { name: 'Freeze deliveries' }));
  const dialog = await screen.findByRole('alertdialog');
  await userEvent.click(within(dialog).getByRole('button', { name: 'Freeze now' }));
  expect(await within(dialog).findByText('Say why.')).toBeTruthy();
  expect(sent.some(({ path }) => path === '/freeze')).toBe(false);
  await userEvent.type(within(dialog).getByLabelText('Reason'), 'wrong code');
  await userEvent.click(within(dialog).getByRole('button', { name: 'Freeze now' }));
  await waitFor(() => expect(sent.find(({ path }) => path === '/freeze')?.body).toEqual({ reason: 'wrong code' }));
});

it('shows the banner when frozen and the problem with its code when the line cannot be read', async () => {
  fakeServer({ 'GET /session': { body: session }, 'GET /line': { body: line({ frozen: { reason: 'wrong code', by: 'ada', at: '2026-01-01T00:00:00Z' } }) }, 'GET /runs': runs });
  const { unmount } = renderApp('/');
  expect(await screen.findByText('Deliveries are frozen.')).toBeTruthy();
  unmount();
  fakeServer({ 'GET /session': { body: session }, 'GET /line': { status: 500, body: { title: 'Broken', status: 500, code: 'TL999', request_id: 'r9' } } });
  renderApp('/');
  const alert = await screen.findByRole('alert');
  expect(alert.textContent).toContain('TL999');
  expect(alert.textContent).toContain('r9');
});

it('an unknown address keeps the shell', async () => {
  fakeServer({ 'GET /session': { body: session }, 'GET /line': { body: line() } });
  renderApp('/nowhere/at/all');
  expect(await screen.findByRole('heading', { name: 'Page not found' })).toBeTruthy();
  expect(screen.getByRole('navigation')).toBeTruthy();
});

it('? opens the help and g with a letter goes to a screen', async () => {
  fakeServer({ 'GET /session': { body: session }, 'GET /line': { body: line() }, 'GET /runs': runs });
  renderApp('/');
  await screen.findByRole('region', { name: 'The line' });
  await userEvent.keyboard('?');
  const help = await screen.findByRole('dialog', { name: 'Keyboard shortcuts' });
  await userEvent.keyboard('{Escape}');
  await waitFor(() => expect(help.isConnected).toBe(false));
  await userEvent.keyboard('gj');
  const heading = await screen.findByRole('heading', { name: 'Journeys', level: 1 });
  await waitFor(() => expect(document.activeElement).toBe(heading));
});

it('keeps published figures after a run and only then shows a failure', () => {
  const failed = withRun(stages('done'), { ...run, status: 'failed', stages: [{ name: 'link', state: 'failed', done: 0, total: null, summary: 'half' }] });
  expect(failed[1]).toMatchObject({ state: 'failed', summary: 'link summary' });
  expect(failed[0]).toMatchObject({ state: 'done' });
  expect(runText(run)).toBe('2 of 10 stages done, journeys under way');
});
