import type { ProblemDocument } from './types';

const BASE = '/api/v1';
const SAFE = new Set(['GET', 'HEAD']);

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

export type Query = Record<string, string | number | boolean | null | undefined>;

export interface RequestOptions {
  query?: Query;
  body?: unknown;
  signal?: AbortSignal;
  /** Set where a 401 is an answer and not the end of a session (the sign-in page). */
  expect401?: boolean;
}

export function url(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== '') search.set(name, String(value));
  }
  const text = search.toString();
  return BASE + path + (text ? `?${text}` : '');
}

async function send(method: string, path: string, options: RequestOptions): Promise<Response> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (options.body !== undefined) headers['content-type'] = 'application/json';
  if (!SAFE.has(method) && csrfToken) headers['x-csrf-token'] = csrfToken;
  try {
    return await fetch(url(path, options.query), {
      method,
      headers,
      body: options.body === undefined ? undefined : JSON.stringify(options.body),
      credentials: 'same-origin',
      signal: options.signal,
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new Problem({
      status: 0,
      code: 'offline',
      title: 'The server cannot be reached',
      detail: 'Check that Throughline is running and that this computer is connected, then try again.',
    });
  }
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

/** Sends one request and gives the parsed answer, or throws a [`Problem`]. */
export async function request<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
  const response = await send(method, path, options);
  if (response.ok) {
    const text = response.status === 204 ? '' : await response.text();
    return (text ? JSON.parse(text) : undefined) as T;
  }
  const problem = await problemOf(response);
  if (problem.status === 401 && !options.expect401) {
    csrfToken = null;
    onSignedOut?.();
  }
  throw problem;
}

export const api = {
  get: <T>(path: string, options?: RequestOptions) => request<T>('GET', path, options),
  post: <T>(path: string, body?: unknown, options?: RequestOptions) => request<T>('POST', path, { ...options, body }),
  patch: <T>(path: string, body?: unknown, options?: RequestOptions) => request<T>('PATCH', path, { ...options, body }),
  delete: <T>(path: string, body?: unknown, options?: RequestOptions) => request<T>('DELETE', path, { ...options, body }),
};
