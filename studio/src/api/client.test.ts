import { beforeEach, expect, it, vi } from 'vitest';
import { fakeServer } from '../test/server';
import { session } from '../test/fixtures';
import { api, Problem, setCsrfToken, whenSignedOut } from './client';
import { commands, makeQueryClient, queries } from './queries';

beforeEach(() => setCsrfToken(null));

it('builds addresses without what is not set, and escapes what is', async () => {
  const sent = fakeServer({ 'GET /runs': { body: {} }, 'GET /persons/a%2Fb': { body: {} } });
  await api.GET('/api/v1/runs', { params: { query: { limit: 5, cursor: undefined } } });
  await api.GET('/api/v1/persons/{id}', { params: { path: { id: 'a/b' } } });
  expect(sent.map(({ path }) => path)).toEqual(['/runs?limit=5', '/persons/a%2Fb']);
});

it('sends the CSRF token with unsafe requests only, once the session gave it', async () => {
  const sent = fakeServer({ 'GET /session': { body: session }, 'POST /runs': { status: 202, body: {} }, 'DELETE /session': { status: 204 } });
  await commands.startRun({ stage: null, from: null });
  await makeQueryClient().fetchQuery(queries.session());
  await commands.startRun({ stage: null, from: null });
  await api.GET('/api/v1/session');
  await commands.signOut();
  expect(sent.map(({ headers }) => headers['x-csrf-token'])).toEqual([undefined, undefined, 'csrf-1', undefined, 'csrf-1']);
});

it('turns a problem document into a typed error', async () => {
  fakeServer({ 'GET /line': { status: 503, body: { title: 'Busy', status: 503, detail: 'Try later', code: 'TL905', request_id: 'r7' } } });
  const problem = await api.GET('/api/v1/line').catch((error: unknown) => error);
  expect(problem).toBeInstanceOf(Problem);
  expect(problem).toMatchObject({ message: 'Busy', status: 503, code: 'TL905', requestId: 'r7', detail: 'Try later' });
});

it('survives an error page that is not JSON and a server that is away', async () => {
  vi.stubGlobal('fetch', async () => new Response('<h1>Bad gateway</h1>', { status: 502, headers: { 'content-type': 'text/html' } }));
  await expect(api.GET('/api/v1/line')).rejects.toMatchObject({ status: 502, code: 'HTTP 502' });
  vi.stubGlobal('fetch', async () => Promise.reject(new TypeError('failed')));
  await expect(api.GET('/api/v1/line')).rejects.toMatchObject({ status: 0, code: 'offline' });
});

it('says when the session is over, but not for a wrong password', async () => {
  const ended = vi.fn();
  whenSignedOut(ended);
  fakeServer({ 'GET /line': { status: 401, body: {} }, 'POST /session': { status: 401, body: {} } });
  await expect(commands.signIn({ token: 'x' })).rejects.toBeInstanceOf(Problem);
  expect(ended).not.toHaveBeenCalled();
  await expect(api.GET('/api/v1/line')).rejects.toBeInstanceOf(Problem);
  expect(ended).toHaveBeenCalledOnce();
  whenSignedOut(null);
});

it('no session is an answer, not an error', async () => {
  fakeServer({ 'GET /session': { status: 401, body: {} } });
  expect(await makeQueryClient().fetchQuery(queries.session())).toBeNull();
});
