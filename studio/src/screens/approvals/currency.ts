import { useQuery } from '@tanstack/react-query';
import { queries } from '../../api/queries';
import { useMay } from '../../session';

/** The project's currency; undefined until it is known. */
export function useCurrency(): string | undefined {
  const may = useMay();
  const { data } = useQuery({ ...queries.line(), enabled: may('getLine') });
  return data?.project.currency;
}
