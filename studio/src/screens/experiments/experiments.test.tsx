import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it } from 'vitest';
import { renderApp } from '../../test/app';
import { comparison, estimate, experiments, healthy, ledger, segment, segmentation, suspect } from '../../test/evidence';
import { writer } from '../../evidence/words';
import { line, session } from '../../test/fixtures';
import { fakeServer } from '../../test/server';
import { lineOf } from './effects';
import { ordered } from './experiments';
import { marginText } from './experiment';
import { single, sizes } from './health';
import { told } from './segments';

const server = (body: unknown = experiments(), may: string[] = ['listExperiments', 'listEvidence'], status = 200) => fakeServer({
  'GET /session': { body: { ...session, may: [...session.may, ...may] } }, 'GET /line': { body: line() },
  'GET /experiments': { body, status }, 'GET /evidence': { body: ledger() },
});

const region = (name: string) => screen.findByRole('region', { name });
const rows = (card: HTMLElement) => within(card).getAllByRole('row').map((row) => row.textContent);

it('puts suspect experiments first and arms beside what was promised', () => {
  expect(ordered([healthy, suspect]).map(({ name }) => name)).toEqual([suspect.name, 'email']);
  expect(sizes(healthy)[2]).toEqual({ arm: 'womens_email', weight: 1, observed: 21_387, expected: 21_333.3 });
  const drawn = lineOf(healthy.history!.filter(({ arm, metric }) => arm === 'mens_email' && metric === 'visit'));
  expect(drawn.dots).toEqual([null, 'a check failed', null, null, null]);
  expect(drawn.band.low[4]).toBeCloseTo(0.0696);
});

it('lists experiments with their health and studies with their result or its absence', async () => {
  server();
  renderApp('/experiments');
  const list = rows(await region('Experiments'));
  expect(list[1]).toContain('✗ suspect');
  expect(list[1]).toContain('Nothing to be used');
  expect(list[2]).toContain('✓ healthy');
  expect(list[2]).toContain('3 positive1 hold');
  const studies = await region('Studies');
  expect(await within(studies).findByText('−19.6')).toBeTruthy();
  expect(within(studies).getByText('Not approved')).toBeTruthy();
  expect(within(studies).getByText(/one treated unit has no untreated period/)).toBeTruthy();
  expect(within(studies).getByText('What to do: name a later treatment.')).toBeTruthy();
  await userEvent.click(within(studies).getByRole('link', { name: 'Open its record' }));
  expect(await screen.findByRole('heading', { level: 1, name: 'Tax → Packs per capita' })).toBeTruthy();
});

it('reads an experiment: health first, then verdicts, effects and their course', async () => {
  server();
  renderApp('/experiments/email');
  const health = await region('Health checks');
  expect(screen.getAllByRole('heading', { level: 2 }).map((each) => each.textContent)[0]).toBe('Health checks');
  expect(within(health).getByText(/χ² = 0.20 with 2 degrees of freedom, p = 0.903/)).toBeTruthy();
  expect(within(health).getByRole('row', { name: /Mens email Visit 21,300 7 0/ })).toBeTruthy();
  expect(within(await region('What it says')).getByText(/could be anything from −0.012 to 0.021/)).toBeTruthy();
  const visit = await region('Effect on visit');
  expect(within(visit).getByRole('img', { name: 'Mens email, Effect: 0.0766, 95% interval 0.0695 to 0.0836' })).toBeTruthy();
  expect(within(visit).getByRole('img', { name: '9 Mar 2026: 0.082, 0.060 to 0.104, a check failed' })).toBeTruthy();
  expect(within(visit).getByText(/stopping at the first that excludes zero/)).toBeTruthy();
  const arms = rows(await region('Arms'));
  expect(arms[1]).toBe('No email21,3060.106 ± 0.00210.653 ± 0.0796');
  expect(screen.queryByText(/must not be used/)).toBeNull();
});

it('tells relative effects where there are some, and draws a reading without a lower limit', async () => {
  server();
  renderApp('/experiments/email?effect=relative');
  const spend = await region('Effect on spend');
  expect(within(spend).getByRole('img', { name: 'Mens email, Effect: 117.9%, 95% interval 60.0% to 175.0%' })).toBeTruthy();
  expect(within(spend).getByText(/no relative effect, because the control’s mean does not allow one/)).toBeTruthy();
  await userEvent.click(screen.getByRole('radio', { name: 'Per person' }));
  expect(await screen.findAllByText(/^Over time/)).toHaveLength(2);
});

it('keeps the arm that is looked at over time in the address', async () => {
  server();
  renderApp('/experiments/email?arm=womens_email');
  const spend = await region('Effect on spend');
  expect(within(spend).getByRole('img', { name: '24 Mar 2026: 0.0044, up to 0.021' })).toBeTruthy();
});

it('tells segments in words: whether they differ, and those that show an effect after the correction', () => {
  const format = writer('absolute');
  const two = [segment('new', 0.02, false), segment('returning', 0.11, true)];
  expect(told(segmentation('mens_email', 0.002, two), format)).toBe(
    'Mens email: the effect differs between segments (p = 0.002). After the correction for 2 segments, drawn towards their mean: returning 0.099, 0.079 to 0.119 (95%).',
  );
  expect(told(segmentation('mens_email', 0.4, two.slice(0, 1)), format)).toBe(
    'Mens email: the data do not show that segments differ (p = 0.400). No segment shows an effect after the correction for 1 segment.',
  );
  expect(told(segmentation('mens_email', null, []), format)).toContain('there are too few segments to compare');
});

it('tells checks of single people in words, whether or not they found something', () => {
  const about = { arm: 'mens_email', metric: 'visit' };
  const trend = { ...about, periods: [], slope: estimate(0.1, [[0.05, 0.15]], { p_value: 0.0004 }) };
  const nothing = { crossover: null, outliers: [], trends: [], implausible: [] };
  expect(single(nothing)).toEqual(['People were assigned on too few days to see whether effects change with time.']);
  expect(single({
    crossover: { units: 900, crossed: 0, alarm: false }, outliers: [{ ...about, variance_share: 0.1, effect_without: 0 }], trends: [{ ...trend, alarm: false }], implausible: [],
  })).toEqual(['Nobody was assigned to two arms.', 'No single person carries an effect.', 'No effect changes with the day of the assignment.']);
  expect(single({
    crossover: { units: 1, crossed: 1, alarm: true }, outliers: [{ ...about, variance_share: 0.31, effect_without: 0 }], trends: [{ ...trend, alarm: true }],
    implausible: [{ ...about, at_least: -0.6 }],
  })).toEqual([
    '1 of 1 person was assigned to two arms: too many.',
    'Mens email on visit: one person brings 31% of the variance.',
    'Mens email on visit: the effect changes with the day of the assignment (p < 0.001).',
    'Mens email on visit: a change of at least 60% is more often a fault than a finding.',
  ]);
});

it('says whether a margin that was set beforehand is kept', () => {
  const text = (non_inferiority: { margin: number; relative: boolean; shown: boolean } | null) => marginText(comparison({ non_inferiority }));
  expect(text(null)).toBe('');
  expect(text({ margin: 0.02, relative: true, shown: true })).toBe(' Shown not to be worse by more than 2.0% of the control.');
  expect(text({ margin: 0.5, relative: false, shown: false })).toBe(' Not shown not to be worse by more than 0.50.');
});

it('shows segments beside the effect, a chart for each column with the arms side by side', async () => {
  server();
  renderApp('/experiments/email');
  const visit = await region('Effect on visit');
  expect(within(visit).getByRole('heading', { name: 'By customer kind' })).toBeTruthy();
  expect(within(visit).getByRole('img', { name: 'returning, Mens email: 0.11, 95% interval 0.080 to 0.14' })).toBeTruthy();
  expect(within(visit).getByRole('img', { name: 'new, Womens email: 0.050, 95% interval 0.020 to 0.080' })).toBeTruthy();
  expect(within(await region('Health checks')).getByText('12 of 64,000 people were assigned to two arms.')).toBeTruthy();
});

it('says of a suspect experiment that it must not be used, and why', async () => {
  server();
  renderApp(`/experiments/${suspect.name}`);
  expect(await screen.findByText('The differences of this experiment must not be used.')).toBeTruthy();
  expect(within(await region('What it says')).getByText('not to be used')).toBeTruthy();
  const health = await region('Health checks');
  expect(within(health).getByText('✗ mismatch')).toBeTruthy();
  expect(within(health).getByText(/What to do: compare what is logged/)).toBeTruthy();
  expect(within(await region('Effect on repeat purchase')).getByText('not to be used')).toBeTruthy();
  expect(screen.getByText(/No reading of it is kept yet/)).toBeTruthy();
});

it('says where there is nothing, no such experiment, and when the server fails', async () => {
  server({ experiments: [], studies: [], published_at: null });
  const first = renderApp('/experiments');
  expect(await screen.findByRole('heading', { name: 'No experiment was read yet' })).toBeTruthy();
  first.unmount();
  server();
  const second = renderApp('/experiments/nothing');
  expect(await screen.findByRole('heading', { name: 'There is no experiment of this name' })).toBeTruthy();
  second.unmount();
  server({ title: 'Inside', status: 500, code: 'TL900', request_id: 'r1' }, undefined, 500);
  renderApp('/experiments');
  expect(await screen.findByRole('alert')).toBeTruthy();
});
