import { useSuspenseQuery } from '@tanstack/react-query';
import { queries } from './api/queries';
import type { Session } from './api/types';

/** Signed out, and on the way to the sign-in: there is nothing to show until then. */
const LEAVING = new Promise<never>(() => undefined);

/** The session of a page behind the sign-in, where there always is one. */
export function useSession(): Session {
  const { data } = useSuspenseQuery(queries.session());
  if (!data) throw LEAVING;
  return data;
}

/** Whether the user may call an operation, by its id. */
export function useMay(): (operation: string) => boolean {
  const { may } = useSession();
  return (operation) => may.includes(operation);
}
