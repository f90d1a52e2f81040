import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it } from 'vitest';
import type { Matches } from '../../api/matches';
import { renderApp } from '../../test/app';
import { line, session } from '../../test/fixtures';
import { accuracy, pair, queue, second, undrawn } from '../../test/matches';
import { fakeServer } from '../../test/server';
import { agreement, bits, fieldsOf, probability, sampled } from './words';

const READS = ['listMatches', 'getMatchAccuracy'];
const DECIDES = [...READS, 'decideMatch', 'drawMatches', 'openMatch'];
const ours = { last: 'Brenner', first: 'Ann', street: '4 Mill Lane' };

function server(may: string[], left: Matches = queue(), decided: Matches = undrawn) {
  const lists: Record<string, Matches> = { queue: left, decided };
  return fakeServer({
    'GET /session': { body: { ...session, may: [...session.may, ...may] } }, 'GET /line': { body: line() },
    'GET /matches': ({ path }) => ({ body: lists[new URLSearchParams(path.split('?')[1]).get('outcome') ?? 'queue'] }),
    'GET /matches/accuracy': { body: accuracy },
    'POST /matches/records': { body: pair({ said: [ours, { ...ours, street: '9 Park Road' }] }) },
    'POST /matches/decisions': { status: 204 },
    'POST /matches/draws': { status: 201, body: queue().draw },
  });
}

it('says levels, weights and probabilities without claiming certainty', () => {
  expect([0, 1, 2, 4, 5].map(agreement)).toEqual(['missing', 'different', 'alike', 'alike', 'equal']);
  expect([bits(8.14), bits(-1.5), bits(null)]).toEqual(['+8.1 bits', '−1.5 bits', '–']);
  expect([0.99996, 0.62, 0.0001, 1].map(probability)).toEqual(['above 99.9%', '62.0%', 'below 0.1%', '100.0%']);
  expect([sampled(null), sampled(accuracy.precision)]).toEqual(['not known', '97.0% (91.0% to 99.0%)']);
  expect(fieldsOf(pair(), null).map(({ name, weight }) => [name, weight])).toEqual([['last', 8.1], ['first', 4.6], ['street', -1.5], ['phone', null]]);
});

it('shows a pair with the evidence of each field, and nothing of the records to those who may not', async () => {
  server(READS);
  renderApp('/matches');
  const card = within(await screen.findByRole('region', { name: 'One person or two?' }));
  expect(card.getByText('62.0%')).toBeTruthy();
  const rows = card.getAllByRole('row').map((row) => row.textContent);
  expect(rows[1]).toBe('Lastsealedsealedequal+8.1 bits');
  expect(rows.at(-1)).toBe('Phonesealedsealedmissingnothing');
  for (const name of ['Join: one person', 'Part: two people', 'Show the records']) expect(card.queryByRole('button', { name })).toBeNull();
  const told = within(screen.getByRole('region', { name: 'Accuracy' }));
  expect(told.getByText('97.0% (91.0% to 99.0%)')).toBeTruthy();
  expect(told.getAllByText('not known')).toHaveLength(1);
  expect(screen.getByRole('img', { name: '50% to 80%, Found: 50.0%, 95% interval 20.0% to 80.0%' })).toBeTruthy();
});

it('opens the records when asked, and decides, skips and undoes by key', async () => {
  const sent = server(DECIDES);
  renderApp('/matches');
  const card = within(await screen.findByRole('region', { name: 'One person or two?' }));
  await userEvent.click(card.getByRole('button', { name: 'Show the records' }));
  expect(await card.findByText('9 Park Road')).toBeTruthy();
  expect(card.getByText(/recorded in the audit log/)).toBeTruthy();

  await userEvent.keyboard('s');
  expect(card.getByText('above 99.9%')).toBeTruthy();
  expect(card.queryByText('9 Park Road')).toBeNull();
  await userEvent.keyboard('j');
  expect(await card.findByText(/Joined/)).toBeTruthy();
  const decisions = () => sent.filter(({ path }) => path === '/matches/decisions').map(({ body }) => body);
  expect(decisions()).toEqual([{ token: second.token, other_token: second.other_token, same: true, reason: '' }]);
  await userEvent.keyboard('z');
  await waitFor(() => expect(decisions()).toHaveLength(2));
  expect(decisions()[1]).toMatchObject({ token: second.token, same: null });
  await waitFor(() => expect(card.queryByRole('button', { name: 'Undo the last' })).toBeNull());
  await userEvent.keyboard('p');
  await waitFor(() => expect(decisions()).toHaveLength(3));
  expect(decisions()[2]).toMatchObject({ same: false });
});

it('draws pairs where there are none, and lists decisions to be taken back', async () => {
  const sent = server(DECIDES, undrawn, queue([pair({ decided: false })]));
  renderApp('/matches');
  await userEvent.click(await screen.findByRole('button', { name: 'Draw 50 pairs' }));
  await waitFor(() => expect(sent.find(({ path }) => path === '/matches/draws')?.body).toEqual({ size: 50 }));
  const decided = within(await screen.findByRole('region', { name: 'Decided' }));
  expect(decided.getByText('two people')).toBeTruthy();
  await userEvent.click(decided.getByRole('button', { name: /^Undo the decision/ }));
  await waitFor(() => expect(sent.find(({ path }) => path === '/matches/decisions')?.body).toMatchObject({ same: null }));
});
