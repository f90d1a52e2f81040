import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it } from 'vitest';
import { renderApp } from '../../test/app';
import { attribution, line, session } from '../../test/fixtures';
import { fakeServer } from '../../test/server';
import { ordered, reconcile } from './figures';

it('adds every model up again and says where it is off', () => {
  expect(reconcile(attribution, 'value').map(({ sum, off }) => [sum, off])).toEqual([[100, null], [100, null]]);
  const lost = { ...attribution, totals: { ...attribution.totals, conversions: 11 } };
  expect(reconcile(lost, 'conversions')[0]?.off).toBe(-1);
  expect(ordered(attribution, 'conversions').map(({ channel }) => channel)).toEqual(['email', 'search']);
});

it('changes the measure, and a mark opens the journeys behind it', async () => {
  const sent = fakeServer({
    'GET /session': { body: session }, 'GET /line': { body: line() }, 'GET /attribution': { body: attribution },
    'GET /conversions': { body: { items: [
      { id: 'j1', conversion: 'purchase', ended_at: '2026-01-01T00:00:00Z', value: 5, touches: 1, person_id: 'p1', path: ['search'] },
    ], next_cursor: null, total: 2 } },
  });
  renderApp('/attribution');
  expect(await screen.findByRole('link', { name: 'Email, First touch: 6, 90% interval 4 to 8' })).toBeTruthy();
  expect(within(screen.getByRole('region', { name: 'Totals' })).getAllByText('✓ exact')).toHaveLength(2);
  await userEvent.click(screen.getByRole('radio', { name: 'Value (EUR)' }));
  await userEvent.click(await screen.findByRole('link', { name: 'Search, Markov, order 1: €30.00, 90% interval €24.00 to €36.00' }));
  expect(await screen.findByRole('heading', { name: 'Conversions with Search in the path' })).toBeTruthy();
  expect(await screen.findByText('1 of 2')).toBeTruthy();
  expect(sent.find(({ path }) => path.startsWith('/conversions'))?.path).toContain('channel=search');
});
