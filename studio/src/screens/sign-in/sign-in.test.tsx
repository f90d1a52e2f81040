import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, it } from 'vitest';
import { renderApp } from '../../test/app';
import { line, session } from '../../test/fixtures';
import { fakeServer } from '../../test/server';

const signIn = { project: 'shop', version: '0.1.0', methods: { password: true, token: true, oidc: [{ id: 'idp', label: 'Company' }] } };
const signedOut = { status: 401, body: { title: 'Signed out', status: 401, code: 'TL901' } };

afterEach(() => window.history.replaceState(null, '', '/'));

it('asks for a name and a password and announces a refusal', async () => {
  const sent = fakeServer({
    'GET /session': signedOut, 'GET /sign-in': { body: signIn },
    'POST /session': { status: 401, body: { title: 'Wrong name or password', status: 401, code: 'TL902', request_id: 'r2' } },
  });
  renderApp('/attribution');
  await userEvent.type(await screen.findByLabelText('Name'), 'ada');
  await userEvent.type(screen.getByLabelText('Password'), 'secret');
  await userEvent.click(screen.getByRole('button', { name: 'Sign in' }));
  const alert = await screen.findByRole('alert');
  expect(alert.textContent).toContain('Wrong name or password');
  expect(alert.textContent).toContain('r2');
  expect(sent.at(-1)?.body).toEqual({ name: 'ada', password: 'secret' });
  expect(screen.getByRole('link', { name: 'Continue with Company' }).getAttribute('href')).toBe('/api/v1/oidc/idp/start');
});

it('takes the token of a link out of the address bar, posts it and goes in', async () => {
  window.history.replaceState(null, '', '/sign-in#token=once');
  let signedIn = false;
  const sent = fakeServer({
    'GET /session': () => (signedIn ? { body: session } : signedOut), 'GET /sign-in': { body: signIn },
    'GET /line': { body: line() },
    'POST /session': () => {
      signedIn = true;
      return { body: session };
    },
  });
  renderApp('/sign-in');
  await waitFor(() => expect(window.location.hash).toBe(''));
  await screen.findByRole('heading', { name: 'Overview' });
  expect(sent.filter(({ method }) => method === 'POST').map(({ body }) => body)).toEqual([{ token: 'once' }]);
});
