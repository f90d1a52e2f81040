import { createMemoryHistory } from '@tanstack/react-router';
import { render, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it } from 'vitest';
import { App } from '../../app';
import { renderApp } from '../../test/app';
import { decisionItem, decisionPage, reader } from '../../test/decisions';
import { line } from '../../test/fixtures';
import { fakeServer, type Sent } from '../../test/server';

const base = { 'GET /session': { body: reader }, 'GET /line': { body: line() } };
const asked = (sent: Sent[]) => sent.filter(({ path }) => path.startsWith('/decisions')).map(({ path }) => new URLSearchParams(path.split('?')[1]));

it('says of every decision what it is worth, on what evidence, why, and whether it is stale', async () => {
  const living = { ...line(), project: { ...line().project, as_of: null } };
  fakeServer({ ...base, 'GET /line': { body: living }, 'GET /decisions': { body: decisionPage() } });
  renderApp('/decisions');
  const table = await screen.findByRole('table', { name: 'Decisions' });
  const [, first, second] = within(table).getAllByRole('row').map((row) => row.textContent ?? '');
  expect(first).toContain('0420aa…0815Email offer€0.60no interval: no standard error');
  expect(first).toContain('Best expected net value of the actions allowedEmail news: a consent it needs is missingRandomised');
  expect(first).toContain('Expired');
  expect(first).toContain('Spring mail v2');
  expect(second).toContain('No actionholdout€3.00−€1.00 to €7.00Held out, to measure what the policy is worthModelled');
  expect(second).toContain('Expires');
  expect(screen.getByText('2 of 2')).toBeTruthy();
});

it('lets nothing go stale in a project that lives at a fixed instant', async () => {
  fakeServer({ ...base, 'GET /decisions': { body: decisionPage() } });
  renderApp('/decisions');
  await screen.findByRole('table', { name: 'Decisions' });
  // The project lives at 1 January, the decision ends on the second.
  expect(await screen.findByText(/2 Jan 2026/)).toBeTruthy();
  expect(screen.queryByText(/Expired/)).toBeNull();
});

it('keeps filters in the address and sends them, with counts that still offer the other choices', async () => {
  const sent = fakeServer({ ...base, 'GET /decisions': { body: decisionPage() } });
  const history = createMemoryHistory({ initialEntries: ['/decisions?arm=holdout'] });
  render(<App history={history} />);
  await screen.findByRole('table', { name: 'Decisions' });
  expect(asked(sent).some((query) => query.get('arm') === 'holdout' && query.get('limit') === '50')).toBe(true);
  // The arms are counted as if none were chosen.
  await waitFor(() => expect(asked(sent).some((query) => !query.has('arm') && query.get('limit') === '1')).toBe(true));

  await userEvent.click(screen.getByRole('button', { name: /Action/ }));
  await userEvent.click(await screen.findByRole('option', { name: 'Email offer · 1,234' }));
  await userEvent.type(await screen.findByLabelText('Person id begins with'), '04AB{Enter}');
  await waitFor(() => {
    const query = asked(sent).findLast((each) => each.get('limit') === '50');
    expect(Object.fromEntries(query ?? [])).toEqual({ arm: 'holdout', action: 'email_offer', entity: '04ab', limit: '50' });
  });
  expect(Object.fromEntries(new URLSearchParams(history.location.search))).toEqual({ arm: 'holdout', action: 'email_offer', entity: '04ab' });
  await userEvent.click(screen.getByRole('button', { name: 'Clear filters' }));
  await waitFor(() => expect(screen.queryByRole('button', { name: 'Clear filters' })).toBeNull());
  expect(history.location.search).toBe('');
});

it('reads on from the cursor', async () => {
  const sent = fakeServer({
    ...base,
    'GET /decisions': ({ path }) => ({
      body: path.includes('cursor=next')
        ? decisionPage({ items: [decisionItem({ entity_id: 'eeee0000000000000000000000000009' })] })
        : decisionPage({ next_cursor: 'next', total: 3 }),
    }),
  });
  renderApp('/decisions');
  await userEvent.click(await screen.findByRole('button', { name: 'Load more' }));
  expect(await screen.findByText('3 of 3')).toBeTruthy();
  expect(screen.getByRole('link', { name: 'eeee00…0009' })).toBeTruthy();
  expect(screen.queryByRole('button', { name: 'Load more' })).toBeNull();
  expect(asked(sent).some((query) => query.get('cursor') === 'next')).toBe(true);
});
