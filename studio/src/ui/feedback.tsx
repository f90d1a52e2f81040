import type { ReactNode } from 'react';

/** Nothing here yet: why, and what to do about it. */
export function EmptyState({ title, children, action }: { title: string; children: ReactNode; action?: ReactNode }) {
  return (
    <div className="empty">
      <svg className="mark" width="72" height="24" viewBox="0 0 72 24" aria-hidden="true">
        <path d="M6 12H66" stroke="currentColor" strokeWidth="1.5" strokeDasharray="3 4" />
        {[6, 26, 46, 66].map((x) => (
          <circle key={x} cx={x} cy="12" r="4.5" fill="var(--surface)" stroke="currentColor" strokeWidth="1.5" />
        ))}
      </svg>
      <h2>{title}</h2>
      <div className="stack-s">{children}</div>
      {action}
    </div>
  );
}

/** Grey bars in the room of the content to come. `lines` are widths in percent. */
export function Skeleton({ lines = [100, 92, 60], height = 16, label = 'Loading' }: { lines?: number[]; height?: number; label?: string }) {
  return (
    <div role="status" aria-label={label} className="stack-s">
      {lines.map((width, at) => (
        <span key={at} className="skeleton" style={{ width: `${width}%`, height }} />
      ))}
    </div>
  );
}

export function Notice({ tone, children }: { tone?: 'info' | 'bad'; children: ReactNode }) {
  return <div className={tone ? `notice ${tone}` : 'notice'} role="status">{children}</div>;
}
