import type { QueryClient } from '@tanstack/react-query';
import { Problem } from '../../api/client';
import { governQueries } from '../../api/govern';

/** Reads a request again after an answer that it changed meanwhile, and gives the problem that says so. */
export async function readAgain(client: QueryClient, id: string, error: unknown): Promise<unknown> {
  if (!(error instanceof Problem) || error.status !== 409) return error;
  await client.invalidateQueries({ queryKey: governQueries.approval(id).queryKey });
  return new Problem({
    status: error.status, code: error.code, request_id: error.requestId ?? undefined, detail: error.detail,
    title: 'The request changed meanwhile and was read again; what you typed is still here',
  });
}
