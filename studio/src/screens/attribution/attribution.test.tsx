import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it, vi } from 'vitest';
import { renderApp } from '../../test/app';
import type { Attribution } from '../../api/types';
import { absent, attribution, bridges, cells, credit, evidenced, line, partial, session } from '../../test/fixtures';
import { fakeServer, type Sent } from '../../test/server';
import { cellTwin, dimensionsOf, dimensionWords, dotsOf, inSentence, expected, itemText, linesOf } from './cells';
import { columnsOf, markOf, marksOf, ordered, reconcile, supportWords } from './figures';
import { reasonsOf } from './missing';
import { addsUp, causeWords } from './platforms';
import { identityWords } from './totals-card';

const may = [...session.may, 'listCreditCells', 'listBridges', 'listEvidence'];
const asked = ({ path }: Sent) => new URL(path, 'http://localhost').searchParams;
const serve = (data: Attribution, more: Parameters<typeof fakeServer>[0] = {}) => fakeServer({
  'GET /session': { body: { ...session, may } }, 'GET /line': { body: line() }, 'GET /attribution': { body: data },
  'GET /attribution/cells': (sent) => ({ body: cells(asked(sent).get('dimension')!, asked(sent).has('channel') ? { cells: cells('day').cells.slice(0, 12), total: 12, conversions: 6, value: 60 } : {}) }),
  'GET /attribution/bridges': { body: bridges() }, ...more,
});
const region = (name: string) => screen.findByRole('region', { name });
const rows = (table: HTMLElement) => within(table).getAllByRole('row').map((row) => row.textContent);

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

it('puts what evidence says first and adds it up with what no channel caused', () => {
  expect(columnsOf(evidenced).map(({ title }) => title)).toEqual(['Caused, by evidence', 'First touch', 'Markov, order 1']);
  // 14 − 2 are the ten with a touch and the two without.
  expect(reconcile(evidenced, 'conversions')[0]).toMatchObject({ sum: 12, total: 12, off: null });
  expect(reconcile(evidenced, 'value')[0]).toMatchObject({ sum: 100, total: 100, off: null });
  const lost = { ...evidenced, incremental: { ...evidenced.incremental!, baseline: credit(-1) } };
  expect(reconcile(lost, 'conversions')[0]?.off).toBe(1);
  expect(reconcile({ ...evidenced, incremental: { ...evidenced.incremental!, baseline: null } }, 'value')).toHaveLength(2);
  // It does not move a channel in the order of the models.
  expect(ordered(evidenced, 'conversions').map(({ channel }) => channel)).toEqual(['email', 'search']);
  expect(['own', 'own_elsewhere', 'population', null].map(supportWords)).toEqual([
    'own experiment', 'own experiment at another time or place', 'other channels’ experiments only', 'no experiment says anything about it',
  ]);
});

it('exempts a model that counts everyone in full from adding up', () => {
  const models = [{ id: 'participation', title: 'participation' }];
  const channels = attribution.channels.map((of) => ({ ...of, credits: { participation: credit(9) } }));
  expect(reconcile({ ...attribution, models, channels }, 'conversions')).toMatchObject([{ sum: 18, total: 10, off: null, exempt: true }]);
});

it('marks every measure, and says once why a figure is not there', () => {
  const [email, search] = evidenced.channels;
  const of = email!.credits.first!;
  expect(markOf(of, 'share')).toEqual({ value: 0.6, outer: [0.4, 0.8], inner: null });
  expect(markOf(of, 'cpa')).toEqual({ value: 2, outer: null, inner: null, set: [[1.5, 3]] });
  expect(markOf({ ...of, cpa: { value: 12, interval: [4, null], absent: null } }, 'cpa')).toMatchObject({ set: [[4, null]] });
  expect(markOf({ ...of, roas: absent('nothing was spent on it') }, 'roas')).toBe('nothing was spent on it');
  const told = [email!, search!].map((channel) => ({ channel: channel.channel, missing: marksOf(evidenced, channel, 'cpa').missing }));
  expect(reasonsOf({ told, columns: columnsOf(evidenced) })).toEqual([
    { reason: 'no experiment says anything about it', whose: ['Search under Caused, by evidence'] },
    { reason: 'nothing is known of what was spent on it', whose: ['Search under First touch, Markov, order 1'] },
  ]);
});

it('shows the baseline below zero, what a number rests on and the evidence used', async () => {
  serve(evidenced);
  renderApp('/attribution');
  const chart = await region('Credited by model');
  expect(within(chart).getByRole('link', { name: 'Email, Caused, by evidence: 14, 90% interval 12 to 16' })).toBeTruthy();
  // Nothing stands behind the baseline, so it is no link.
  expect(within(chart).getByRole('img', { name: '(not caused by any channel), Caused, by evidence: −2, 90% interval −4 to 0' })).toBeTruthy();
  expect(within(chart).getByText(/Without a figure, because no experiment says anything about it: Search under Caused, by evidence/)).toBeTruthy();
  const caused = await region('Caused, by evidence');
  const table = rows(within(caused).getByRole('table'));
  expect(table[1]).toContain('own experiment');
  expect(table[1]).toContain('Randomised');
  expect(table[2]).toContain('no experiment says anything about it');
  expect(table[3]).toContain('(not caused by any channel)−2 −4 to 0');
  const link = within(caused).getByRole('link', { name: 'mail/purchase/email/1' });
  expect(decodeURIComponent(link.getAttribute('href') ?? '')).toContain('/evidence/record?id=mail/purchase/email/1');
  expect(within(caused).getByText(/caused −0.20 to 2.40 conversions for each one credited/)).toBeTruthy();
  expect(screen.queryByText(/How to have it/)).toBeNull();
  expect(within(await region('Totals')).getAllByText('✓ exact')).toHaveLength(3);
});

it('keeps the measure in the address and draws costs and returns', async () => {
  serve(attribution);
  renderApp('/attribution?measure=cpa');
  expect(await screen.findByRole('link', { name: 'Email, First touch: €2.00, 90% interval €1.50 to €3.00' })).toBeTruthy();
  expect(screen.getByText(/because nothing is known of what was spent on it: Search\./)).toBeTruthy();
  expect(screen.getByText(/How to have it/)).toBeTruthy();
  await userEvent.click(screen.getByRole('radio', { name: 'Return on spend' }));
  expect(await screen.findByRole('link', { name: 'Email, First touch: 5.00, 90% interval 4.00 to 6.00' })).toBeTruthy();
  await userEvent.click(screen.getByRole('radio', { name: 'Share' }));
  expect(await screen.findByRole('link', { name: 'Search, First touch: 40.0%, 90% interval 20.0% to 60.0%' })).toBeTruthy();
});

it('breaks credit down, with the sum beside what the model credits', async () => {
  const sent = serve(attribution);
  renderApp('/attribution?view=breakdown');
  const card = await region('Credit broken down');
  expect(await within(card).findByText('✓ ties out')).toBeTruthy();
  expect(within(card).getByText(/4 cells, together 10 conversions worth €100, as the model credits in all\./)).toBeTruthy();
  expect(within(card).getByRole('img', { name: 'spring, Email: 3, 90% interval 1.5 to 6' })).toBeTruthy();
  expect(rows(within(card).getByRole('table'))).toHaveLength(5);
  await userEvent.click(within(card).getByRole('radio', { name: 'Day' }));
  expect(await within(card).findByRole('img', { name: '1 Jan 2026, Email: 0.5, 0.3 to 1' })).toBeTruthy();
  expect(sent.some(({ path }) => path.startsWith('/attribution/cells') && path.includes('dimension=day'))).toBe(true);
  await userEvent.click(within(card).getByRole('button', { name: /all.*Channel|Channel.*all/ }));
  await userEvent.click(screen.getByRole('option', { name: 'Email' }));
  expect(await within(card).findByText(/12 cells, together 6 conversions/)).toBeTruthy();
});

it('says that cells do not add up, and where nothing is broken down', async () => {
  serve(attribution, { 'GET /attribution/cells': { body: cells('geo', { conversions: 9 }) } });
  const first = renderApp('/attribution?view=breakdown&by=geo');
  expect(await screen.findByText('off by −1')).toBeTruthy();
  expect(within(screen.getByRole('table')).getAllByText('not known')).toHaveLength(2);
  first.unmount();
  serve(attribution, { 'GET /attribution/cells': { status: 404, body: { title: 'Not found', status: 404, code: 'TL904', request_id: 'r1' } } });
  renderApp('/attribution?view=breakdown');
  expect(await screen.findByRole('heading', { name: 'No credit is broken down yet' })).toBeTruthy();
});

it('draws the channels with most credit over time and leaves gaps where cells are left out', () => {
  const all = cells('day');
  const part = { ...all, cells: all.cells.filter(({ channel, item }) => channel === 'email' || item !== '2026-01-02') };
  expect(linesOf({ ...part, total: part.cells.length }, 'conversions').lines[1]?.values[1]).toBe(0);
  expect(linesOf(part, 'conversions').lines[1]?.values[1]).toBeNull();
  expect(linesOf(part, 'conversions').lines[1]?.band?.low[1]).toBeNull();
  expect(linesOf(all, 'value')).toMatchObject({ others: 0, lines: [{ title: 'Email' }, { title: 'Search' }] });
  expect(dotsOf(cells('campaign'), 'value', 'value', 1)).toMatchObject({ rows: [{ item: 'always_on' }], channels: ['email', 'search'], more: 1 });
  const [head, first] = [cellTwin(all).columns, cellTwin(all).rows[0]!];
  expect([first.length, first.slice(0, 6)]).toEqual([head.length, ['2026-01-01', 'email', null, 0.5, 0.25, 1]]);
  expect([expected(attribution, all, undefined, undefined, 'value'), expected(attribution, all, 'email', undefined, 'conversions'), expected(attribution, all, 'email', 'x', 'value')]).toEqual([100, 6, null]);
  expect(expected(attribution, { ...all, model: 'path:markov:1' }, undefined, undefined, 'value')).toBeNull();
  expect([itemText('month', '2026-03'), itemText('campaign', '2026-03'), itemText('geo', '')]).toEqual(['Mar 2026', '2026-03', 'not known']);
});

const servePart = (whole: Attribution, part: Attribution = partial) => serve(whole, {
  'GET /attribution': (sent) => ({ body: [...asked(sent).keys()].some((key) => key !== 'conversion') ? part : whole }),
});
const ofCredit = (sent: Sent[]) => sent.filter(({ path }) => /^\/attribution(\?|$)/.test(path)).map((each) => Object.fromEntries(asked(each)));

it('shows credit of a part, keeps the part in the address, and clears it', async () => {
  const sent = servePart(evidenced);
  renderApp('/attribution?measure=value');
  const bar = await region('Filters');
  expect(within(bar).getByRole('status').textContent).toBe('All journeys');
  expect(within(bar).getAllByRole('combobox').map((each) => within(each).getAllByRole('option').map((option) => option.textContent).join())).toEqual([
    'all,Basel,Bern', 'all,desktop,mobile', 'all,Nov 2025,Dec 2025', 'all,Tier: basic,Tier: gold',
  ]);
  await userEvent.selectOptions(within(bar).getByRole('combobox', { name: 'Segment' }), 'Tier: gold');
  expect(await within(bar).findByText('Part: 1,204 of 5,310 journeys')).toBeTruthy();
  expect(ofCredit(sent).at(-1)).toEqual({ conversion: 'purchase', segment: 'tier=gold' });
  // The part's own total, and nothing that is not told of it.
  const totals = await region('Totals');
  expect(within(totals).getAllByText('✓ exact')).toHaveLength(1);
  expect(totals.textContent).toContain('the same 5 conversions worth €50.00.');
  expect(totals.textContent).not.toMatch(/ended without one|Spend/);
  expect(screen.queryByRole('region', { name: 'Caused, by evidence' })).toBeNull();
  expect(screen.queryByText(/How to have it/)).toBeNull();
  expect(within(screen.getByRole('list', { name: 'What is not told of a part' })).getAllByRole('listitem').map((each) => each.textContent)).toEqual([
    'Left out: Markov, order 1. It credits all journeys together, so there is no credit of a part. Write path:markov:1 in attribution.yaml to have one path by path.',
    'No spend, cost per conversion or return on spend, because spend is told by day and place, not by device, cohort or segment.',
    'What channels caused is left out: experiments hold for the journeys they were about, not for a part of them.',
  ]);
  expect(screen.getByRole('figure').textContent).toContain('Download');
  await userEvent.click(within(bar).getByRole('button', { name: 'Tier: gold , remove' }));
  expect(await within(bar).findByText('All journeys')).toBeTruthy();
  expect(within(bar).getByRole('status')).toBe(document.activeElement);
  expect(await region('Caused, by evidence')).toBeTruthy();
});

it('leads from a number of a part to its journeys and back, with the part', async () => {
  servePart(attribution);
  renderApp('/attribution?geo=Bern&from=2026-01-01');
  await userEvent.click(await screen.findByRole('link', { name: 'Email, First touch: 3, 90% interval 1 to 5' }));
  expect((await screen.findByText(/This list is of all conversions\./)).textContent).toContain('From: 1 Jan 2026, Place: Bern');
  expect(screen.getByRole('link', { name: 'Back to attribution' }).getAttribute('href')).toBe('/attribution?from=2026-01-01&geo=Bern&conversion=purchase');
});

it('shows names that nothing has as chosen, drops days that are none, and says when a period is the wrong way round', async () => {
  const sent = servePart(attribution, { ...partial, channels: [], part: { ...partial.part!, journeys: 0, has_spend: true, without_parts: [] } });
  renderApp('/attribution?geo=Nowhere&from=2026-01-09&to=2026-01-02&cohort=2026-02-31');
  const bar = await region('Filters');
  expect(await within(bar).findByText('Part: 0 of 5,310 journeys')).toBeTruthy();
  expect(screen.getByRole('heading', { name: 'No journey fits' })).toBeTruthy();
  expect(within(bar).getByRole<HTMLSelectElement>('combobox', { name: 'Place' }).selectedOptions[0]?.textContent).toBe('Nowhere (no journey)');
  const [from, to] = [within(bar).getByLabelText<HTMLInputElement>('From'), within(bar).getByLabelText<HTMLInputElement>('To')];
  expect([from.value, to.value, from.getAttribute('aria-invalid')]).toEqual(['2026-01-09', '2026-01-02', 'true']);
  expect(document.getElementById(to.getAttribute('aria-describedby')!)?.textContent).toBe('“From” is after “To”, so no journey fits.');
  await userEvent.clear(to);
  await userEvent.type(to, '2026-01-31');
  await userEvent.tab();
  await waitFor(() => expect(ofCredit(sent).at(-1)?.to).toBe('2026-01-31'));
  expect(from.getAttribute('aria-invalid')).toBeNull();
  await userEvent.click(within(bar).getByRole('button', { name: 'Clear' }));
  expect(await within(bar).findByText('All journeys')).toBeTruthy();
  expect([from.value, to.value]).toEqual(['', '']);
});

it('drops what is no day, as everything malformed', async () => {
  const sent = servePart(attribution);
  renderApp('/attribution?from=2026-02-30&to=soon&device=');
  expect((await region('Filters')).textContent).toContain('All journeys');
  expect(ofCredit(sent)).toEqual([{}]);
});

it('keeps the figures in sight while a part loads, and the bar when it fails', async () => {
  let answer: (() => void) | undefined;
  servePart(attribution);
  const fake = globalThis.fetch;
  vi.stubGlobal('fetch', async (request: Request) => {
    if (request.url.includes('device')) await new Promise<void>((resolve) => { answer = resolve; });
    return fake(request);
  });
  renderApp('/attribution');
  const bar = await region('Filters');
  await userEvent.selectOptions(within(bar).getByRole('combobox', { name: 'Device' }), 'mobile');
  expect(await within(bar).findByText('Loading the part…')).toBeTruthy();
  const mark = screen.getByRole('link', { name: 'Email, First touch: 6, 90% interval 4 to 8' });
  expect(mark.closest('[aria-busy="true"]')?.hasAttribute('inert')).toBe(true);
  await waitFor(() => expect(answer).toBeTruthy());
  answer!();
  expect(await screen.findByRole('link', { name: 'Email, First touch: 3, 90% interval 1 to 5' })).toBeTruthy();
  // From one part to another: what is said of the first one is not said of the second.
  answer = undefined;
  await userEvent.selectOptions(within(bar).getByRole('combobox', { name: 'Segment' }), 'Tier: gold');
  expect(await within(bar).findByText('Loading the part…')).toBeTruthy();
  await waitFor(() => expect(answer).toBeTruthy());
  answer!();
  expect(await within(bar).findByText('Part: 1,204 of 5,310 journeys')).toBeTruthy();
  serve(attribution, { 'GET /attribution': { status: 422, body: { title: 'No', status: 422, code: 'TL458', request_id: 'r1' } } });
  await userEvent.selectOptions(within(bar).getByRole('combobox', { name: 'Place' }), 'Bern');
  expect(await within(bar).findByText('The part could not be loaded')).toBeTruthy();
  expect(within(bar).getByRole('button', { name: 'Clear' })).toBeTruthy();
});

it('says what a part has no cost and no credit for', async () => {
  servePart(attribution);
  const first = renderApp('/attribution?measure=cpa&device=mobile');
  expect(await screen.findByText('Cost per conversion is not known of any channel here: spend is told by day and place, not by device, cohort or segment.')).toBeTruthy();
  first.unmount();
  servePart(attribution);
  const second = renderApp('/attribution?measure=share&device=mobile');
  expect(await screen.findByRole('link', { name: 'Email, First touch: 60.0%, a share of a part has no interval' })).toBeTruthy();
  second.unmount();
  servePart(attribution, { ...partial, channels: [], models: [] });
  renderApp('/attribution?device=mobile');
  expect(await screen.findByRole('heading', { name: 'No model here has parts' })).toBeTruthy();
});

it('breaks all journeys down, by segments as well, and says so where a part is chosen', async () => {
  const sent = servePart(attribution);
  renderApp('/attribution?view=breakdown&by=segment:tier&device=mobile');
  const card = await region('Credit broken down');
  expect(await within(card).findByText('✓ ties out')).toBeTruthy();
  expect(within(card).getByText(/The breakdown is of all journeys\./).textContent).toContain('Device: mobile');
  expect(within(card).getAllByRole('radio').map(({ textContent }) => textContent)).toEqual(['Campaign', 'Place', 'Device', 'Cohort', 'Day', 'Month', 'Segment: tier']);
  expect(within(card).getByRole('img', { name: /^gold, Email: 3/ })).toBeTruthy();
  expect(ofCredit(sent)).toEqual([{}]);
  await userEvent.click(within(card).getByRole('link', { name: 'Clear it' }));
  await waitFor(() => expect(within(card).queryByText(/The breakdown is of all journeys/)).toBeNull());
  expect(dimensionsOf(undefined, ['tier=gold', 'tier=basic'], 'day')).toEqual(['campaign', 'geo', 'device', 'cohort', 'day', 'month', 'segment:tier']);
  expect(dimensionsOf(['weather', 'day'], [], 'segment:old')).toEqual(['day', 'segment:old', 'weather']);
  expect([dimensionWords('weather').label, inSentence('segment:Tier'), inSentence('geo')]).toEqual(['Weather', 'segment: Tier', 'place']);
});

it('offers campaigns where nothing is broken down by what the address asks for', async () => {
  serve(attribution, { 'GET /attribution/cells': (sent) => asked(sent).get('dimension') === 'campaign' ? { body: cells('campaign') } : { status: 404, body: { title: 'Not found', status: 404, code: 'TL904', request_id: 'r1' } } });
  renderApp('/attribution?view=breakdown&by=segment:old');
  expect(await screen.findByRole('heading', { name: 'No credit is broken down by segment: old' })).toBeTruthy();
  await userEvent.click(screen.getByRole('button', { name: 'Take campaigns' }));
  expect(await screen.findByText('✓ ties out')).toBeTruthy();
});

it('tells why platforms report other numbers, line by line', async () => {
  serve(attribution);
  renderApp('/attribution?view=platforms');
  const card = await region('Search ads');
  expect(within(card).getByText('✓ adds up')).toBeTruthy();
  expect(within(card).getByText(/the platform claims all of it for itself/)).toBeTruthy();
  expect(within(card).getByRole('img', { name: 'Shared credit: +30, 80 so far' })).toBeTruthy();
  expect(within(card).getByRole('img', { name: 'Window: −4, 76 so far' })).toBeTruthy();
  expect(within(card).getByRole('img', { name: 'Reported: 100' })).toBeTruthy();
  expect(within(await region('Social')).getByText(/reports nothing yet/)).toBeTruthy();
  const [bridge] = bridges().platforms;
  expect(addsUp(bridge!, 'value')).toBe(true);
  expect(addsUp({ ...bridge!, reported: { conversions: 99, value: 2000 } }, 'conversions')).toBe(false);
  expect(causeWords('weather').name).toBe('Weather');
});

it('says how to declare platforms where there are none', async () => {
  serve(attribution, { 'GET /attribution/bridges': { body: { platforms: [], currency: 'EUR' } } });
  renderApp('/attribution');
  await userEvent.click(await screen.findByRole('tab', { name: 'Why platforms differ' }));
  expect(await screen.findByRole('heading', { name: 'No platform is declared' })).toBeTruthy();
  expect(screen.getByText(/like: google_ads/)).toBeTruthy();
});

it('says how much of a variance comes from not knowing who is whom, where it is most', () => {
  expect(identityWords(attribution)).toBe('');
  const told: Attribution = {
    ...attribution,
    channels: attribution.channels.map((each, at) => ({
      ...each, credits: { ...each.credits, first: credit(4, { identity_share: at === 0 ? 0.3 : 0.1, identity_share_interval: [0.2, 0.45] }) },
    })),
  };
  expect(identityWords(told)).toContain('at most 30% of a variance (Email, First touch, 20% to 45%)');
});
