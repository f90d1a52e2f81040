import { humanise } from '../../format';
import './journeys.css';

/** Channels in order. */
export function Path({ path, highlight }: { path: string[]; highlight?: string }) {
  if (path.length === 0) return <span className="muted">no touch</span>;
  return (
    <ol className="path">
      {path.map((channel, at) => (
        <li key={at} className={channel === highlight ? 'here' : undefined}>{humanise(channel)}</li>
      ))}
    </ol>
  );
}
