import { createMemoryHistory } from '@tanstack/react-router';
import { render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it } from 'vitest';
import { App } from '../../app';
import { renderApp } from '../../test/app';
import { PERSON, person, reader } from '../../test/decisions';
import { line } from '../../test/fixtures';
import { fakeServer } from '../../test/server';

const mayReveal = { ...reader, may: [...reader.may, 'revealIdentifiers'] };
const values = { identifiers: [{ kind: 'email', value: 'ada@example.com' }, { kind: null, value: null }] };
const server = (session: unknown, body = person) =>
  fakeServer({
    'GET /session': { body: session }, 'GET /line': { body: line() }, 'GET /decisions': { status: 500 },
    [`GET /persons/${PERSON}`]: { body }, [`POST /persons/${PERSON}/identifiers`]: { body: values },
  });

it('says how a person is known and what happened last, and offers no reveal to those who may not', async () => {
  server(reader, { ...person, masked: true });
  renderApp(`/persons/${PERSON}`);
  const card = within(await screen.findByRole('region', { name: 'Identifiers' }));
  expect(card.getByText('Email, Cookie × 2')).toBeTruthy();
  expect(card.getByText('masked for your role')).toBeTruthy();
  expect(card.queryByRole('button', { name: 'Reveal identifiers' })).toBeNull();
  expect(screen.getByRole('img', { name: /^Click, 1 Dec 2025/ })).toBeTruthy();
});

it('reveals identifiers for a reason only, says that it was recorded, and forgets them when the page is left', async () => {
  const sent = server(mayReveal);
  const history = createMemoryHistory({ initialEntries: [`/persons/${PERSON}`] });
  render(<App history={history} />);
  await userEvent.click(await screen.findByRole('button', { name: 'Reveal identifiers' }));
  const dialog = within(await screen.findByRole('alertdialog'));
  await userEvent.click(dialog.getByRole('button', { name: 'Reveal' }));
  expect(await dialog.findByText('Say why.')).toBeTruthy();
  expect(sent.some(({ method }) => method === 'POST')).toBe(false);

  await userEvent.type(dialog.getByLabelText('Reason'), 'the person asked');
  await userEvent.click(dialog.getByRole('button', { name: 'Reveal' }));
  expect(await screen.findByText('ada@example.com')).toBeTruthy();
  expect(screen.getByText('erased')).toBeTruthy();
  expect(screen.getByText(/This access was recorded in the audit log/)).toBeTruthy();
  expect(sent.find(({ method }) => method === 'POST')).toMatchObject({
    path: `/persons/${PERSON}/identifiers`, body: { reason: 'the person asked' }, headers: { 'x-csrf-token': 'csrf-1' },
  });

  history.push('/decisions');
  expect(await screen.findByRole('heading', { name: 'Decisions', level: 1 })).toBeTruthy();
  history.back();
  expect(await screen.findByRole('button', { name: 'Reveal identifiers' })).toBeTruthy();
  expect(screen.queryByText('ada@example.com')).toBeNull();
});

it('keeps a refusal in the dialog and shows nothing', async () => {
  fakeServer({
    'GET /session': { body: mayReveal }, 'GET /line': { body: line() }, [`GET /persons/${PERSON}`]: { body: person },
    [`POST /persons/${PERSON}/identifiers`]: { status: 403, body: { title: 'Not allowed', status: 403, code: 'TL903', request_id: 'r3' } },
  });
  renderApp(`/persons/${PERSON}`);
  await userEvent.click(await screen.findByRole('button', { name: 'Reveal identifiers' }));
  const dialog = within(await screen.findByRole('alertdialog'));
  await userEvent.type(dialog.getByLabelText('Reason'), 'curious');
  await userEvent.click(dialog.getByRole('button', { name: 'Reveal' }));
  expect((await dialog.findByRole('alert')).textContent).toContain('TL903');
  expect(screen.queryByText(/was recorded/)).toBeNull();
});
