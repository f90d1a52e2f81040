import { humanise } from '../../format';

/** Kinds of identifiers and how many there are of each; never a value. */
export function Identifiers({ kinds }: { kinds: string[] }) {
  if (kinds.length === 0) return <>no identifier</>;
  const counts = new Map<string, number>();
  for (const kind of kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return <>{[...counts].map(([kind, n]) => (n > 1 ? `${humanise(kind)} × ${n}` : humanise(kind))).join(', ')}</>;
}
