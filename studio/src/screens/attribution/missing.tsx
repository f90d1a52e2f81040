import { humanise } from '../../format';

interface MissingProps {
  /** Reasons by model, of every channel. */
  told: { channel: string; missing: Record<string, string> }[];
  columns: { id: string; title: string }[];
}

/** Which figures there are not, and why: once for each reason. */
export function reasonsOf({ told, columns }: MissingProps): { reason: string; whose: string[] }[] {
  const found = new Map<string, string[]>();
  for (const { channel, missing } of told) {
    for (const reason of new Set(Object.values(missing))) {
      const models = columns.filter(({ id }) => missing[id] === reason).map(({ title }) => title);
      const whose = models.length === columns.length ? humanise(channel) : `${humanise(channel)} under ${models.join(', ')}`;
      found.set(reason, [...(found.get(reason) ?? []), whose]);
    }
  }
  return [...found].map(([reason, whose]) => ({ reason, whose }));
}

export function Missing(props: MissingProps) {
  const reasons = reasonsOf(props);
  if (reasons.length === 0) return null;
  return (
    <ul className="small muted stack-s" aria-label="Figures that are not there">
      {reasons.map(({ reason, whose }) => <li key={reason} className="wrap-anywhere">Without a figure, because {reason}: {whose.join('; ')}.</li>)}
    </ul>
  );
}
