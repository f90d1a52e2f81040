import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it } from 'vitest';
import { renderApp } from '../../test/app';
import { consent, nobody } from '../../test/consent';
import { line, session } from '../../test/fixtures';
import { fakeServer } from '../../test/server';
import { share, weekOf, withdrawals } from './figures';

function server(body: unknown = consent, status = 200) {
  return fakeServer({
    'GET /session': { body: { ...session, may: [...session.may, 'getConsent'] } }, 'GET /line': { body: line() },
    'GET /consent': { status, body },
  });
}

const marks = (card: HTMLElement) => within(card).getAllByRole('img').map((mark) => mark.getAttribute('aria-label'));

it('begins weeks on Mondays, also before 1970', () => {
  expect(['2026-03-01', '2026-03-02', '2026-03-08', '1969-12-31'].map(weekOf)).toEqual(['2026-02-23', '2026-03-02', '2026-03-02', '1969-12-29']);
});

it('adds withdrawals up by week, and says shares with their intervals', () => {
  const { rows, purposes } = withdrawals(consent);
  expect(purposes).toEqual(['messaging']);
  expect(rows.map(({ name, parts }) => [name, parts[0]?.value])).toEqual([['2026-02-23', 2], ['2026-03-02', 5]]);
  expect(share({ value: 0.6, interval: [0.5, 0.69] })).toBe('60.0% (50.0% to 69.0%)');
  expect(share({ value: null, interval: null })).toBe('nobody');
});

it('shows what stands, with the same numbers as a table', async () => {
  server();
  renderApp('/consent');
  const card = await screen.findByRole('region', { name: 'What stands' });
  expect(marks(card)).toContain('Messaging, Granted: 60');
  expect(marks(card)).toHaveLength(15);
  await userEvent.click(within(card).getByRole('button', { name: 'Show as table' }));
  const rows = within(card).getAllByRole('row').map((row) => row.textContent);
  expect(rows).toHaveLength(6);
  expect(rows.at(-1)).toBe('Messaging603010');
  expect(screen.getByText(/^What 100 people agreed to, in 640 events\. A withdrawal stops use from then on\.$/)).toBeTruthy();
});

it('says who may be activated where, and what each source documents', async () => {
  server();
  renderApp('/consent');
  const reach = await screen.findByRole('region', { name: 'Who may be activated where' });
  expect(marks(reach)).toEqual([
    'Email service, for messaging, Permitted and reachable: 55', 'Email service, for messaging, Permitted, no address: 5',
    'Email service, for messaging, Denied: 30', 'Email service, for messaging, Nothing said: 10',
  ]);
  const shares = screen.getByRole('region', { name: 'Share with a grant, by source' });
  expect(marks(shares)).toEqual([
    'Messaging, crm: 70.0%, 95% interval 10.0% to 80.0%', 'Messaging, preference_centre: 2.0%, 95% interval 10.0% to 80.0%',
  ]);
  const documented = within(screen.getByRole('region', { name: 'What each source documents' })).getAllByRole('row');
  expect(documented).toHaveLength(11);
  expect(documented.map((row) => row.textContent)).toContain('crmMessaging10070201070.0% (10.0% to 80.0%)90.0%70');
});

it('names contradictions with who wins, and what consent removed from each stage', async () => {
  server();
  renderApp('/consent');
  const conflicts = await screen.findByRole('region', { name: 'Contradictions' });
  expect(within(conflicts).getAllByRole('row').at(-1)?.textContent).toBe('Messagingcrmpreference_centre43');
  const removed = within(screen.getByRole('region', { name: 'What consent removed' })).getAllByRole('row').map((row) => row.textContent);
  expect(removed.slice(1)).toEqual([
    'Linkevents with several identifiersLinking3002051', 'Activate: email_service/spring_maildecisionsMessaging50032',
  ]);
});

it('says where there is nothing, and when the server fails', async () => {
  server({ ...consent, conflicts: [], changes: [], activation: [], removed: [] });
  const { unmount } = renderApp('/consent');
  for (const text of ['No two sources contradict each other.', 'Nobody has withdrawn.', 'The project has no destinations.', 'No stage has run yet.']) {
    expect(await screen.findByText(text)).toBeTruthy();
  }
  unmount();
  server(nobody);
  const empty = renderApp('/consent');
  expect(await screen.findByRole('heading', { name: 'Nobody is known yet' })).toBeTruthy();
  empty.unmount();
  server({ title: 'Inside', status: 500, code: 'TL900', request_id: 'r1' }, 500);
  renderApp('/consent');
  expect(await screen.findByRole('alert')).toBeTruthy();
});
