import { type ReactNode, useId } from 'react';

interface CardProps {
  title: string;
  note?: ReactNode;
  actions?: ReactNode;
  /** For tables that reach the card's edges. */
  flush?: boolean;
  className?: string;
  children: ReactNode;
}

/** A titled region of a page. */
export function Card({ title, note, actions, flush, className, children }: CardProps) {
  const id = useId();
  return (
    <section className={className ? `card ${className}` : 'card'} aria-labelledby={id}>
      <div className="card-head">
        <h2 id={id}>{title}</h2>
        {actions}
        {note && <p>{note}</p>}
      </div>
      <div className={flush ? 'card-body flush' : 'card-body'}>{children}</div>
    </section>
  );
}
