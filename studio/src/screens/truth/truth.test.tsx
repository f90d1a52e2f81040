import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it } from 'vitest';
import { type Measure, truthOf } from '../../api/truth';
import type { RunItem } from '../../api/types';
import { renderApp } from '../../test/app';
import { attribution, line, session } from '../../test/fixtures';
import { fakeServer } from '../../test/server';
import { runItem, simulated, unscored } from '../../test/truth';
import { CAUSED, creditRows, creditsOf } from './credits';
import { figure, noteText, spread } from './words';

const measure = (change: Partial<Measure>): Measure => ({
  name: 'x', measure: 'bias', value: 0.5, unit: '', n: 3, interval: null, coverage: null, note: '', ...change,
});

function server(items: RunItem[], change: Parameters<typeof fakeServer>[0] = {}) {
  return fakeServer({
    'GET /session': { body: { ...session, may: [...session.may, 'getRun'] } }, 'GET /line': { body: line() },
    'GET /runs': { body: { items, next_cursor: null, total: items.length } }, 'GET /runs/3': { body: simulated },
    'GET /runs/4': { body: unscored }, 'GET /attribution': { body: attribution }, ...change,
  });
}

it('writes every value with its unit, and none where there is none', () => {
  const written = [
    { unit: 'share' }, { unit: 'share of caused', value: -1.25 }, { unit: 'EUR', value: 354.879 }, { unit: 'EUR per EUR', value: -5.125 },
    { unit: 'probability', value: 0.006926 }, { unit: 'people', value: 801 }, { unit: 'days', value: 1 }, { value: 0.92218 },
    { value: 58.6735 }, { value: null, unit: 'EUR' },
  ].map((change) => figure(measure(change)));
  expect(written).toEqual([
    '50.0%', '−125.0% of caused', '€355', '−€5.13 per EUR', '0.00693 probability', '801 people', '1 day', '0.922', '58.7', null,
  ]);
});

it('says open ends, and how many intervals hold the truth', () => {
  expect(spread(measure({}))).toBeNull();
  expect(spread(measure({ unit: 'EUR', interval: [null, 2] }))).toBe('no lower limit to €2.00');
  expect(spread(measure({ interval: [-0.25, null] }))).toBe('−0.250 to no upper limit');
  expect(spread(measure({ coverage: { covered: 1, total: 8, nominal: 0.9 } }))).toBe('1 of 8 intervals hold the truth, promised 90%');
  expect(spread(measure({ coverage: { covered: 0, total: 1, nominal: 0.95 } }))).toBe('0 of 1 interval holds the truth, promised 95%');
  expect(['email_news', 'none', 'not noticed: late_feed'].map(noteText)).toEqual(['Email news', 'No action', 'not noticed: late_feed']);
});

it('reads the truth of a report, and nothing from one without', () => {
  expect([null, 'text', {}, unscored, { run_seq: 1, truth: null }].map(truthOf)).toEqual([null, null, null, null, null]);
  const odd = truthOf({ run_seq: 1, truth: { channels: [{ channel: 'email', true_conversions: null }], scores: [{ rows: [{ value: 'NaN' }] }] } });
  expect(odd?.channels).toEqual([]);
  expect(odd?.parts[0]?.rows[0]).toMatchObject({ value: null, unit: '', interval: null, coverage: null });
});

it('puts the channels in the order of what they caused, and those that the market does not have last', () => {
  const truth = truthOf(simulated)!;
  const credits = creditsOf(truth);
  expect(credits).toMatchObject({ models: ['markov:1', 'first'], level: 0.9 });
  const rows = creditRows(truth, credits);
  expect(rows.map(({ channel, caused, known }) => [channel, caused, known])).toEqual([
    ['email', 37.295254928225134, true], ['paid_search', 13.40459302467275, true], ['direct', 0, true], ['fax', 0, false],
  ]);
  expect(rows[0]?.marks[CAUSED]?.outer).toBeNull();
  expect(rows[2]?.marks.first).toEqual({ value: 0, outer: null, inner: null });
});

it('shows the latest run that was held against the truth, and says that there are newer ones', async () => {
  const sent = server([runItem(5, 'failed'), runItem(4), runItem(3), runItem(2)]);
  renderApp('/truth');
  const link = await screen.findByRole('link', { name: 'run 3' });
  expect(link.getAttribute('href')).toBe('/api/v1/runs/3/report.html');
  expect(link.parentElement?.textContent).toBe('Estimates of run 3, as of 5 Apr 2026, 00:00 UTC, beside what is true in the simulated market.');
  expect(await screen.findByText(/^1 newer run, the last as of 6 Apr 2026/)).toBeTruthy();
  expect(sent.filter(({ path }) => path.startsWith('/runs/')).map(({ path }) => path).filter((path) => /\d/.test(path))).toEqual(['/runs/4', '/runs/3']);
  expect(sent.find(({ path }) => path.startsWith('/runs?'))?.path).toBe('/runs?limit=10');
});

it('draws what channels caused beside what models credit, with the same numbers as a table', async () => {
  server([runItem(3)]);
  renderApp('/truth');
  const card = await screen.findByRole('region', { name: 'Credited and caused' });
  const marks = within(card).getAllByRole('img').map((mark) => mark.getAttribute('aria-label'));
  expect(marks.slice(0, 3)).toEqual([
    'Email, First touch: 140, 90% interval 119 to 157.1',
    'Email, Markov, order 1: 91.3, 90% interval 82.5 to 102',
    'Email, Caused: the truth: 37.3, known, without an interval',
  ]);
  expect(marks).toContain('Direct, First touch: 0, no interval');
  expect(marks.at(-1)).toBe('Fax, Caused: the truth: 0, the market has no such channel');
  expect(card.querySelectorAll('.reference')).toHaveLength(4);
  await userEvent.click(within(card).getByRole('button', { name: 'Show as table' }));
  expect(within(card).getAllByRole('row')).toHaveLength(marks.length + 1);
});

it('tells every part with its measures, or the reason why there are none', async () => {
  server([runItem(3)]);
  renderApp('/truth');
  const credit = await screen.findByRole('region', { name: 'Attribution' });
  expect(within(credit).getAllByRole('row').map((row) => row.textContent)).toEqual([
    'OfMeasureValuenInterval', 'First touchBias138.8% of caused3', 'First touchShare error60.6% of credit3',
    'First touchCoverage12.5%81 of 8 intervals hold the truth, promised 90%',
  ]);
  const about = within(credit).getByText(/Credited against caused/);
  expect(about.closest('details')?.open).toBe(false);
  await userEvent.click(within(credit).getByText(/How it is measured/));
  expect(about.closest('details')?.open).toBe(true);
  expect(within(about).getByText('Share error')).toBeTruthy();
  const uplift = screen.getByRole('region', { name: 'Uplift' });
  expect(within(uplift).getAllByRole('row').at(-1)?.textContent).toBe('Email offerRank correlationnone660all predicted effects are equal');
  const loop = screen.getByRole('region', { name: 'Closed loop' });
  expect(within(loop).getByText(/^Nothing to score/).textContent).toBe('Nothing to score. The market has not gone on (throughline market step).');
  expect(within(loop).queryByRole('table')).toBeNull();
});

it('without credits shows what channels caused alone', async () => {
  const [credit, ...others] = simulated.truth.scores;
  const absent = { ...credit, absent: 'the last run attributed nothing', rows: [], details: undefined };
  server([runItem(3)], { 'GET /runs/3': { body: { ...simulated, truth: { ...simulated.truth, scores: [absent, ...others] } } } });
  renderApp('/truth');
  const card = await screen.findByRole('region', { name: 'What each channel caused' });
  expect(within(card).getAllByRole('img').map((mark) => mark.getAttribute('aria-label'))).toEqual(['Email: 37.3', 'Paid search: 13.4', 'Direct: 0']);
});

it('claims nothing where no run knows the truth, and says how to make one that does', async () => {
  server([runItem(4)]);
  const { unmount } = renderApp('/truth');
  expect(await screen.findByRole('heading', { name: 'No run was held against a truth' })).toBeTruthy();
  expect(screen.getByText(/Unless this project's market is simulated, nobody knows the truth/)).toBeTruthy();
  expect(screen.getByLabelText('Commands for a simulated project').textContent).toContain('throughline init shop --example demo');
  expect(screen.queryByRole('region', { name: 'Attribution' })).toBeNull();
  unmount();
  server([runItem(4, 'running')]);
  renderApp('/truth');
  expect(await screen.findByRole('heading', { name: 'No run has finished yet' })).toBeTruthy();
});

it('shows the problem when the report cannot be read, and goes on where there is none yet', async () => {
  server([runItem(4), runItem(3)], { 'GET /runs/4': { status: 404, body: { title: 'Not found', status: 404, code: 'TL904', request_id: 'r1' } } });
  const { unmount } = renderApp('/truth');
  expect(await screen.findByRole('link', { name: 'run 3' })).toBeTruthy();
  unmount();
  server([runItem(3)], { 'GET /runs/3': { status: 500, body: { title: 'Broken', status: 500, code: 'TL999', request_id: 'r9' } } });
  renderApp('/truth');
  expect((await screen.findByRole('alert')).textContent).toContain('TL999');
});
