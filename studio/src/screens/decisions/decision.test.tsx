import { screen, within } from '@testing-library/react';
import { expect, it } from 'vitest';
import { renderApp } from '../../test/app';
import { conversion, journey, PERSON, reader, thread } from '../../test/decisions';
import { attribution, line } from '../../test/fixtures';
import { fakeServer } from '../../test/server';
import { candidates } from './candidates';
import { markOf } from './evidence';
import { consents, reasons } from './words';

const base = {
  'GET /session': { body: reader }, 'GET /line': { body: line() }, 'GET /attribution': { body: attribution },
  'GET /conversions': { body: { items: [journey], next_cursor: null, total: null } }, 'GET /conversions/j1': { body: conversion },
};
const region = (name: string) => screen.findByRole('region', { name });

it('walks the thread: each part has its section, and a place in the navigation', async () => {
  fakeServer({ ...base, [`GET /decisions/${PERSON}`]: { body: thread() } });
  const { container } = renderApp(`/decisions/${PERSON}`);
  expect(await screen.findByRole('heading', { level: 1, name: 'Email offer for 0420aa…0815' })).toBeTruthy();
  const nav = screen.getByRole('navigation', { name: 'Parts of the thread' });
  const links = within(nav).getAllByRole('link').map((link) => link.getAttribute('href') ?? '');
  expect(links).toEqual(['#event', '#person', '#journey', '#credit', '#evidence', '#decision', '#delivery']);
  for (const link of links) expect(container.querySelector(link)).toBeTruthy();

  expect(within(await region('Event')).getByRole('img', { name: /^Purchase, 2 Dec 2025.*€12\.50$/ })).toBeTruthy();
  const person = within(await region('Person'));
  expect(person.getByText('Email, Cookie × 2')).toBeTruthy();
  expect(person.getByRole('link', { name: '0420aa…0815' }).getAttribute('href')).toBe(`/persons/${PERSON}`);
  expect(person.getAllByRole('listitem').map((item) => item.textContent)).toEqual([
    'Measurement unknown', 'Linking granted', 'Personalisation unknown', 'Advertising denied', 'Messaging granted',
  ]);
  expect((await within(await region('Journey')).findByRole('link', { name: /Purchase/ })).getAttribute('href')).toBe('/journeys/j1');
  expect(await within(await region('Credit')).findByRole('img', { name: /Markov, order 1.*100%/ })).toBeTruthy();
  expect(within(await region('Evidence')).getByRole('img', { name: 'Email offer, Effect: 0.030, 95% interval 0.010 to 0.050' })).toBeTruthy();
  const delivery = within(await region('Delivery'));
  expect(delivery.getByText('rejected')).toBeTruthy();
  expect(delivery.getByText('no identifier of the kind the destination needs')).toBeTruthy();
});

it('shows every candidate with its rule, worth and probability, and what the decision rests on', async () => {
  fakeServer({ ...base, [`GET /decisions/${PERSON}`]: { body: thread() } });
  renderApp(`/decisions/${PERSON}`);
  const decision = within(await region('Decision'));
  expect(decision.getByRole('img', { name: 'Email offer (decided): €0.60, −€0.10 to €1.30' })).toBeTruthy();
  const rows = within(decision.getByRole('table', { name: 'Candidates' })).getAllByRole('row').slice(1).map((row) => row.textContent);
  expect(rows).toEqual([
    'Email offerdecidedallowed1.2 on 2.5€0.6096.0%',
    'No actionallowed–€0.002.0%',
    'Email smsallowed–−€0.402.0%',
    'Email newskept outa consent it needs is missing–––',
  ]);
  expect(within(await region('What the model saw')).getByText('north')).toBeTruthy();
  expect(within(await region('Made by')).getByText(/The latest is version 2/)).toBeTruthy();
});

it('hides what describes the person from those who may not see it', async () => {
  const { decision, person } = thread();
  const events = person.last_events.map((event) => ({ ...event, event: '•••' }));
  const masked = thread({ masked: true, decision: { ...decision, feature_values: '•••' }, person: { ...person, last_events: events } });
  fakeServer({ ...base, [`GET /decisions/${PERSON}`]: { body: masked } });
  renderApp(`/decisions/${PERSON}`);
  expect(within(await region('Person')).getByText('masked for your role')).toBeTruthy();
  expect(within(await region('What the model saw')).getByText(/your role does not include them/)).toBeTruthy();
  // Events with the same dots are still two marks and one stop of the Tab key.
  const marks = within(await region('Event')).getAllByRole('img', { name: /2025/ });
  expect(marks.map((mark) => mark.getAttribute('tabindex'))).toEqual(['0', '-1']);
});

it('says when it is not the decision the reader came from, and when the person has not converted', async () => {
  fakeServer({
    ...base, [`GET /decisions/${PERSON}`]: { body: thread() },
    'GET /conversions': { body: { items: [], next_cursor: null, total: null } },
  });
  renderApp(`/decisions/${PERSON}?cycle=mail@2025-12-01`);
  expect(await screen.findByText(/You came from the cycle mail@2025-12-01/)).toBeTruthy();
  expect(await screen.findByText('This person has not converted.')).toBeTruthy();
  expect(within(await region('Credit')).getByText('Without a conversion there is nothing to credit.')).toBeTruthy();
});

it('reads codes, consents and sets that are not one interval', () => {
  expect(reasons(['no_consent:a', 'no_consent:b', 'brand_new'])).toEqual([
    { text: 'a consent it needs is missing', actions: ['a', 'b'] }, { text: 'brand new', actions: [] },
  ]);
  expect(consents('').every(({ state }) => state === 'unknown')).toBe(true);
  const estimate = { ...thread().evidence[0]!.estimate, set: [[-2, -1], [3, null]] as never };
  expect(markOf(estimate)).toMatchObject({ outer: null, note: '95% set −2.0 to −1.0 or 3.0 to no upper limit' });
  const broken = { ...thread().decision, eligibility: '{', top_n: null, action_probabilities: null };
  expect(candidates(broken, []).map(({ action, allowed }) => [action, allowed])).toEqual([['email_offer', null]]);
});
