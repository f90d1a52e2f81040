import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it } from 'vitest';
import { conversion } from '../../test/decisions';
import { renderApp } from '../../test/app';
import { attribution, line, partial, paths, session } from '../../test/fixtures';
import { fakeServer, type Sent } from '../../test/server';
import { touchText } from './conversion';
import { chance, methodWords, outcomeWords } from './identity';
import { pathsTwin, summary } from './paths';

const may = [...session.may, 'listPaths'];
const asked = ({ path }: Sent) => new URL(path, 'http://localhost').searchParams;
const serve = (more: Parameters<typeof fakeServer>[0] = {}) => fakeServer({
  'GET /session': { body: { ...session, may } }, 'GET /line': { body: line() }, 'GET /attribution': { body: attribution }, 'GET /paths': { body: paths },
  'GET /conversions': { body: { items: [], next_cursor: null, total: 0 } }, 'GET /conversions/j1': { body: conversion }, ...more,
});
const rows = (table: HTMLElement) => within(table).getAllByRole('row').map((row) => row.textContent);

it('lists paths with their rates; a channel leads to its conversions', async () => {
  const sent = serve();
  renderApp('/journeys/paths');
  const table = await screen.findByRole('table', { name: 'Paths' });
  expect(rows(table)[1]).toBe('EmailSearch4012€48130.0% 18.0% to 45.0%');
  expect(rows(table)[3]).toContain('no touch');
  expect(screen.getByText(/115 journeys on 3 different paths, 21 \(18.3%\) with the conversion “Purchase”/)).toBeTruthy();
  expect(sent.find(({ path }) => path.startsWith('/paths'))?.path).toBe('/paths?conversion=purchase&limit=50');
  await userEvent.click(within(table).getAllByRole('link', { name: 'Search' })[0]!);
  expect(await screen.findByRole('heading', { name: 'Conversions with Search in the path' })).toBeTruthy();
});

it('keeps filters of paths in the address and asks for them', async () => {
  const sent = serve({ 'GET /paths': { body: { ...paths, total: 312 } } });
  renderApp('/journeys/paths?channel=search');
  expect(await screen.findByRole('heading', { name: 'Paths with Search' })).toBeTruthy();
  const bar = screen.getByRole('region', { name: 'Filters' });
  expect(within(bar).getByRole('status').textContent).toBe('All journeys');
  await userEvent.selectOptions(within(bar).getByRole('combobox', { name: 'Place' }), 'Bern');
  await userEvent.selectOptions(within(bar).getByRole('combobox', { name: 'Segment' }), 'Tier: gold');
  await userEvent.type(within(bar).getByLabelText('From'), '2026-01-01{Enter}');
  await userEvent.click(await screen.findByRole('button', { name: 'Show 200' }));
  await screen.findByText(/^3 of 312/);
  const last = sent.filter(({ path }) => path.startsWith('/paths') && path.includes('geo')).at(-1)!;
  expect(Object.fromEntries(asked(last))).toEqual({ conversion: 'purchase', channel: 'search', geo: 'Bern', segment: 'tier=gold', from: '2026-01-01', limit: '200' });
  expect(asked(sent.find(({ path }) => path.startsWith('/attribution'))!).size).toBe(0);
});

it('says how many journeys a part has, and leads to the credit of the same part', async () => {
  const sent = serve({
    'GET /paths': (each) => ({ body: asked(each).has('device') ? { ...paths, journeys: 40 } : paths }), 'GET /attribution': (each) => ({ body: asked(each).has('device') ? partial : attribution }),
  });
  renderApp('/journeys/paths?conversion=purchase&device=mobile&channel=search');
  expect(await screen.findByText('Part: 40 of 115 journeys')).toBeTruthy();
  await userEvent.click(within(screen.getByRole('navigation', { name: 'Screens' })).getByRole('link', { name: 'Attribution' }));
  expect(await screen.findByText('Part: 1,204 of 5,310 journeys')).toBeTruthy();
  expect(screen.getByRole<HTMLSelectElement>('combobox', { name: 'Device' }).value).toBe('mobile');
  await userEvent.click(within(screen.getByRole('navigation', { name: 'Screens' })).getByRole('link', { name: 'Journeys' }));
  expect((await screen.findByText(/This list is of all conversions\./)).textContent).toContain('Device: mobile');
  expect([...asked(sent.find(({ path }) => path.startsWith('/conversions'))!).keys()]).toEqual(['conversion', 'limit']);
  expect(screen.getByRole('link', { name: 'Explore paths' }).getAttribute('href')).toBe('/journeys/paths?device=mobile&conversion=purchase');
  await userEvent.click(screen.getByRole('link', { name: 'Clear it' }));
  await waitFor(() => expect(screen.getByRole('link', { name: 'Explore paths' }).getAttribute('href')).toBe('/journeys/paths?conversion=purchase'));
});

it('makes days of the month of an older link', async () => {
  const sent = serve();
  renderApp('/journeys/paths?month=2024-02');
  const chips = await screen.findByRole('list', { name: 'Chosen' });
  expect(within(chips).getAllByRole('button').map((chip) => chip.textContent)).toEqual(['From: 1 Feb 2024 ×, remove', 'To: 29 Feb 2024 ×, remove', 'Clear']);
  await userEvent.click(within(chips).getByRole('button', { name: 'Clear' }));
  await waitFor(() => expect(screen.queryByRole('list', { name: 'Chosen' })).toBeNull());
  expect(sent.filter(({ path }) => path.startsWith('/paths')).map(({ path }) => path)).toContain('/paths?conversion=purchase&limit=50&from=2024-02-01&to=2024-02-29');
});

it('says where no path fits and where there is no journey yet', async () => {
  serve({ 'GET /paths': { body: { ...paths, paths: [], total: 0, journeys: 0, conversions: 0 } } });
  const first = renderApp('/journeys/paths?geo=Nowhere');
  expect(await screen.findByRole('heading', { name: 'No path fits' })).toBeTruthy();
  first.unmount();
  serve({ 'GET /attribution': { status: 404, body: { title: 'Not found', status: 404, code: 'TL904', request_id: 'r1' } } });
  renderApp('/journeys/paths');
  expect(await screen.findByRole('heading', { name: 'No journey yet' })).toBeTruthy();
  expect(pathsTwin(paths).rows[0]).toEqual(['email > search', 40, 12, 480.5, 0.3, 0.18, 0.45]);
  expect(summary({ conversion: 'purchase', journeys: 0, conversions: 0, total: 0 })).toBe('0 journeys on 0 different paths, 0 with the conversion “Purchase”.');
});

it('shows what the identity behind a conversion rests on, and where touches were', async () => {
  serve();
  renderApp('/journeys/j1');
  const identity = await screen.findByRole('region', { name: 'Identity' });
  expect(within(identity).getByRole('row', { name: /seen in the same event shop 3 1 Nov 2025/ })).toBeTruthy();
  expect(within(identity).getByRole('row', { name: /crm, till above 99.9% 14.2 bits of one person probable enough/ })).toBeTruthy();
  expect(within(identity).getByRole('row', { name: /crm, panel 62.0% 3.1 bits to be looked at between the thresholds/ })).toBeTruthy();
  expect(screen.getByRole('img', { name: /^Paid search: visit \(click\), spring, in Bern, on mobile/ })).toBeTruthy();
  expect(screen.getByText('Configuration')).toBeTruthy();
  expect(screen.getByText('Nov 2025')).toBeTruthy();
});

it('writes touches, links and outcomes in words, known or not', async () => {
  const [kept] = conversion.touches_kept;
  expect(touchText({ ...kept!, interaction: 'visit', campaign: 'paid_search', ad: 'a7', geo: undefined, device: undefined })).toBe('Paid search: visit, advertisement a7');
  expect([chance(1), chance(0.0001), chance(0.5)]).toEqual(['100.0%', 'below 0.1%', '50.0%']);
  expect([methodWords('by_mail'), outcomeWords('by_court').name]).toEqual(['by mail', 'by court']);
  serve({ 'GET /conversions/j1': { body: { ...conversion, identity: { links: [], matches: [] } } } });
  renderApp('/journeys/j1');
  expect(await screen.findByText(/Nothing had to be linked/)).toBeTruthy();
});

it('offers paths on the list of conversions to those who may see them', async () => {
  serve();
  const first = renderApp('/journeys');
  expect((await screen.findByRole('link', { name: 'Explore paths' })).getAttribute('href')).toBe('/journeys/paths');
  first.unmount();
  serve({ 'GET /session': { body: session } });
  renderApp('/journeys');
  expect(await screen.findByRole('heading', { name: 'No conversions yet' })).toBeTruthy();
  expect(screen.queryByRole('link', { name: 'Explore paths' })).toBeNull();
});
