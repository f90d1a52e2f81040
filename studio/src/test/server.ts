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
  vi.stubGlobal('fetch', async (request: Request) => {
    const { pathname, search } = new URL(request.url);
    const path = pathname.replace('/api/v1', '');
    const text = await request.text();
    const sent: Sent = {
      method: request.method, path: path + search, headers: Object.fromEntries(request.headers), body: text ? JSON.parse(text) : undefined,
    };
    log.push(sent);
    const route = routes[`${sent.method} ${path}`] ?? {
      status: 404, body: { title: 'Not found', status: 404, code: 'TL904', request_id: 'r1' },
    };
    const { status = 200, body } = typeof route === 'function' ? route(sent) : route;
    const type = status < 400 ? 'application/json' : 'application/problem+json';
    return new Response(status === 204 ? null : JSON.stringify(body ?? null), { status, headers: { 'content-type': type } });
  });
  return log;
}
