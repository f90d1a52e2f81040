import { Link } from '@tanstack/react-router';
import { allowed, type NavEntry } from '../nav';
import { Badge } from '../ui';

export function Brand({ project }: { project?: string }) {
  return (
    <Link to="/" className="brand">
      <svg width="26" height="26" viewBox="0 0 32 32" aria-hidden="true">
        <path d="M3 23H11L21 9H29" fill="none" stroke="currentColor" strokeWidth="2.5" strokeLinecap="round" strokeLinejoin="round" />
        <circle cx="11" cy="23" r="3.5" fill="currentColor" />
        <circle cx="21" cy="9" r="3.5" fill="currentColor" />
      </svg>
      <span>Throughline{project && <small>{project}</small>}</span>
    </Link>
  );
}

interface NavListProps {
  may: string[];
  approvals: number;
  onNavigate?: () => void;
}

export function NavList({ may, approvals, onNavigate }: NavListProps) {
  const entries = allowed(may);
  const render = (entry: NavEntry) => (
    <li key={entry.to}>
      <Link
        to={entry.to} className="nav-entry" onClick={onNavigate}
        activeOptions={{ exact: entry.to === '/', includeSearch: false }} activeProps={{ 'aria-current': 'page' }}
      >
        {entry.label}
        {entry.badge === 'approvals' && approvals > 0 && (
          <Badge tone="warn">{approvals}<span className="visually-hidden"> waiting</span></Badge>
        )}
      </Link>
    </li>
  );
  const govern = entries.filter((entry) => entry.group === 'govern');
  return (
    <nav aria-label="Screens">
      <ul className="nav-line">{entries.filter((entry) => entry.group === 'line').map(render)}</ul>
      {govern.length > 0 && (
        <div className="nav-group">
          <span className="nav-label" id="nav-govern">Govern</span>
          <ul className="nav-line" aria-labelledby="nav-govern">{govern.map(render)}</ul>
        </div>
      )}
    </nav>
  );
}
