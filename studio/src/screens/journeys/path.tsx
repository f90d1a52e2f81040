import { Link } from '@tanstack/react-router';
import { humanise } from '../../format';
import './journeys.css';

interface PathProps {
  path: string[];
  highlight?: string;
  /** With it, every channel leads to the conversions of this kind that have it in their path. */
  conversion?: string;
}

/** Channels in order. */
export function Path({ path, highlight, conversion }: PathProps) {
  if (path.length === 0) return <span className="muted">no touch</span>;
  const className = (channel: string) => (channel === highlight ? 'here' : undefined);
  return (
    <ol className={conversion === undefined ? 'path' : 'path chips'}>
      {path.map((channel, at) => (
        <li key={at} className={className(channel)}>
          {conversion === undefined ? humanise(channel) : <Link to="/journeys" search={{ conversion, channel }} className="chip">{humanise(channel)}</Link>}
        </li>
      ))}
    </ol>
  );
}
