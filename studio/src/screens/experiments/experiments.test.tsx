import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it } from 'vitest';
import { renderApp } from '../../test/app';
import { experiments, healthy, ledger, suspect } from '../../test/evidence';
import { line, session } from '../../test/fixtures';
import { fakeServer } from '../../test/server';
import { lineOf } from './effects';
import { ordered } from './experiments';
import { sizes } from './health';

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
