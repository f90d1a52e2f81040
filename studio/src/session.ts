import { useSuspenseQuery } from '@tanstack/react-query';
import { queries } from './api/queries';
import type { Session } from './api/types';

/** The session of a page behind the sign-in, where there always is one. */
export function useSession(): Session {
  const { data } = useSuspenseQuery(queries.session());
  if (!data) throw new Error('signed out');
  return data;
}

/** Whether the user may call an operation, by its id. */
export function useMay(): (operation: string) => boolean {
  const { may } = useSession();
  return (operation) => may.includes(operation);
}
