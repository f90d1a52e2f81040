import { vi } from 'vitest';

export interface Sent {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: unknown;
}

type Answer = { status?: number; body?: unknown };
type Routes = Record<string, Answer | ((sent: Sent) => Answer)>;

/** Replaces `fetch` by answers under "METHOD /path"; keeps what was sent. Unknown paths answer 404. */
export function fakeServer(routes: Routes): Sent[] {
  const log: Sent[] = [];
  vi.stubGlobal('fetch', async (input: string, init: RequestInit = {}) => {
    const path = input.replace('/api/v1', '');
    const sent: Sent = {
      method: init.method ?? 'GET',
      path,
      headers: init.headers as Record<string, string>,
      body: typeof init.body === 'string' ? JSON.parse(init.body) : undefined,
    };
    log.push(sent);
    const route = routes[`${sent.method} ${path.split('?')[0]}`] ?? {
      status: 404, body: { title: 'Not found', status: 404, code: 'TL904', request_id: 'r1' },
    };
    const { status = 200, body } = typeof route === 'function' ? route(sent) : route;
    const type = status < 400 ? 'application/json' : 'application/problem+json';
    return new Response(status === 204 ? null : JSON.stringify(body ?? null), { status, headers: { 'content-type': type } });
  });
  return log;
}
