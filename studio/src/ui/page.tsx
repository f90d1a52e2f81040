import { type ReactNode, useEffect, useRef } from 'react';

let navigated = false;

/** Called by the router after every navigation but the first: the next page takes the focus. */
export function markNavigated() {
  navigated = true;
}

interface PageProps {
  title: string;
  /** One sentence under the title. */
  lead?: ReactNode;
  /** A way back, above the title. */
  crumbs?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

/** Every screen is one of these: it sets the document's title and takes the focus after a navigation. */
export function Page({ title, lead, crumbs, actions, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Throughline`;
  }, [title]);
  useEffect(() => {
    if (navigated) heading.current?.focus({ preventScroll: true });
    navigated = false;
  }, []);

  return (
    <div className="page">
      <header className="page-head">
        <div className="titles">
          {crumbs && <p className="crumbs">{crumbs}</p>}
          <h1 ref={heading} tabIndex={-1}>{title}</h1>
          {lead && <p className="lead">{lead}</p>}
        </div>
        {actions && <div className="row">{actions}</div>}
      </header>
      {children}
    </div>
  );
}
