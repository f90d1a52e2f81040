import { screen, within } from '@testing-library/react';
import { expect, it } from 'vitest';
import { renderApp } from '../../test/app';
import { consent } from '../../test/consent';
import { line, session } from '../../test/fixtures';
import { fakeServer } from '../../test/server';
import { sources, unread } from '../../test/sources';
import { age, change, volumes, watermark } from './figures';

function server(body: unknown = sources, status = 200) {
  return fakeServer({
    'GET /session': { body: { ...session, may: [...session.may, 'listSources', 'getConsent'] } }, 'GET /line': { body: line() },
    'GET /sources': { status, body }, 'GET /consent': { body: consent },
  });
}

const rows = (card: HTMLElement) => within(card).getAllByRole('row').map((row) => row.textContent);
const [ads, shop] = [sources.sources[0]!, sources.sources[1]!];

it('draws days without rows as zero, and tells ages and changes in words', () => {
  expect(volumes(shop).map(({ y }) => y)).toEqual([50, 0, 0, 60]);
  expect(volumes({ ...shop, days: [] })).toEqual([]);
  expect([age(shop), age(ads), age({ ...shop, age_hours: null }), age({ ...shop, age_hours: 0 })]).toEqual(['14 h 0 min', '4 days', '–', 'none']);
  expect([watermark(shop), watermark(ads)]).toEqual(['4 Mar 2026', '1 Mar 2026']);
  expect(change(shop.drift[0]!)).toBe('held numbers, holds text');
  expect(change({ ...shop.drift[0]!, change: 'missing' })).toBe('is gone');
});

it('shows how each source stands, what changed and what is gone', async () => {
  server();
  renderApp('/sources');
  const stand = await screen.findByRole('region', { name: 'How they stand' });
  expect(rows(stand)).toHaveLength(3);
  expect(rows(stand).at(-1)).toContain('shopcsv211007');
  expect(rows(screen.getByRole('region', { name: 'Columns that changed' })).at(-1)).toBe('shopvalueheld numbers, holds textreads itdata/shop-2.csv');
  expect(within(screen.getByRole('region', { name: 'To look at' })).getByText(/no longer at its location/)).toBeTruthy();
});

it('draws the days of the source in the address, else of the first', async () => {
  server();
  renderApp('/sources?source=shop');
  const card = await screen.findByRole('region', { name: 'Rows by day' });
  expect(within(card).getAllByRole('img').map((mark) => mark.getAttribute('aria-label'))).toEqual(['1 Mar: 50', '2 Mar: 0', '3 Mar: 0', '4 Mar: 60']);
});

it('tells where refused rows stand and why, and what consent removed', async () => {
  server();
  renderApp('/sources');
  const card = await screen.findByRole('region', { name: 'Quarantine' });
  expect(within(card).getByText('shop: TL209 time missing or unreadable, 7 (2 shown)')).toBeTruthy();
  expect(card.textContent).toContain('corrected, till 7 by ana');
  expect(card.textContent).toContain('Corrected and in use: 3.');
  expect(await screen.findByRole('region', { name: 'What consent removed' })).toBeTruthy();
});

it('says where nothing was read, and when the server fails', async () => {
  server(unread);
  const { unmount } = renderApp('/sources');
  expect(await screen.findByRole('heading', { name: 'Nothing was read yet' })).toBeTruthy();
  unmount();
  server({ title: 'Inside', status: 500, code: 'TL900', request_id: 'r1' }, 500);
  renderApp('/sources');
  expect(await screen.findByRole('alert')).toBeTruthy();
});
