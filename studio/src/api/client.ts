import createClient, { type Middleware } from 'openapi-fetch';
import type { components, paths } from './schema';

const BASE = '/api/v1';
/** The address of what a browser follows by itself: a link, a stream. */
export const url = (path: string) => BASE + path;
const SAFE = new Set(['GET', 'HEAD']);
/** Where a 401 is an answer and not the end of a session. */
const SIGNING_IN = new Set(['/api/v1/session', '/api/v1/session/password']);

type ProblemDocument = components['schemas']['Problem'];

/** An answer that is not a success, as the server's problem document says it. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly requestId: string | null;
  readonly detail: string;

  constructor(document: Partial<ProblemDocument> & { status: number }) {
    super(document.title ?? `The server answered ${document.status}`);
    this.name = 'Problem';
    this.status = document.status;
    this.code = document.code ?? `HTTP ${document.status}`;
    this.detail = document.detail ?? '';
    this.requestId = document.request_id ?? null;
  }
}

let csrfToken: string | null = null;
let onSignedOut: (() => void) | null = null;

/** The token sent with every unsafe request; it lives in memory only. */
export function setCsrfToken(token: string | null) {
  csrfToken = token;
}

/** What to do when the server says the session is over. */
export function whenSignedOut(action: (() => void) | null) {
  onSignedOut = action;
}

async function problemOf(response: Response): Promise<Problem> {
  const requestId = response.headers.get('x-request-id') ?? undefined;
  const fallback = { status: response.status, request_id: requestId };
  if (!response.headers.get('content-type')?.includes('json')) return new Problem(fallback);
  try {
    return new Problem({ ...fallback, ...(await response.json()) });
  } catch {
    return new Problem(fallback);
  }
}

const house: Middleware = {
  onRequest({ request }) {
    if (!SAFE.has(request.method) && csrfToken) request.headers.set('x-csrf-token', csrfToken);
    return request;
  },
  async onResponse({ response, schemaPath }) {
    if (response.ok) return;
    const problem = await problemOf(response);
    if (problem.status === 401 && !SIGNING_IN.has(schemaPath)) {
      csrfToken = null;
      onSignedOut?.();
    }
    throw problem;
  },
  onError({ error }) {
    if (error instanceof DOMException && error.name === 'AbortError') return;
    return new Problem({
      status: 0,
      code: 'offline',
      title: 'The server cannot be reached',
      detail: 'Check that Throughline is running and that this computer is connected, then try again.',
    });
  },
};

/** The operations of the API's document. What is not a success is thrown as a [`Problem`]. */
export const api = createClient<paths>({
  baseUrl: globalThis.location.origin,
  credentials: 'same-origin',
  headers: { accept: 'application/json' },
  // Looked up at each call, so that tests can answer in its place.
  fetch: (request) => globalThis.fetch(request),
});
api.use(house);

/** What a success holds. */
export async function answer<T>(pending: Promise<{ data?: T }>): Promise<T> {
  return (await pending).data as T;
}
