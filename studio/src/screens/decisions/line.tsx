import { type ReactNode, useEffect, useRef, useState } from 'react';

/** The thread in the order in which the line is walked. */
const PARTS = [
  { id: 'event', title: 'Event' },
  { id: 'person', title: 'Person' },
  { id: 'journey', title: 'Journey' },
  { id: 'credit', title: 'Credit' },
  { id: 'evidence', title: 'Evidence' },
  { id: 'decision', title: 'Decision' },
  { id: 'delivery', title: 'Delivery' },
] as const;

/** What a reader does to move about. */
const MOVES = ['wheel', 'touchstart', 'pointerdown', 'keydown'] as const;

export type PartId = (typeof PARTS)[number]['id'];

/** The part under the navigation, as the reader scrolls. */
function useHere(): PartId {
  const [here, setHere] = useState<PartId>('event');
  useEffect(() => {
    if (typeof IntersectionObserver === 'undefined') return;
    const inSight = new Set<string>();
    const observer = new IntersectionObserver(
      (entries) => {
        for (const { target, isIntersecting } of entries) {
          if (isIntersecting) inSight.add(target.id);
          else inSight.delete(target.id);
        }
        const first = PARTS.find(({ id }) => inSight.has(id));
        if (first) setHere(first.id);
      },
      // A band under the navigation: what the eye is on, not what peeps in from below.
      { rootMargin: '-150px 0px -60% 0px' },
    );
    for (const { id } of PARTS) {
      const part = document.getElementById(id);
      if (part) observer.observe(part);
    }
    return () => observer.disconnect();
  }, []);
  return here;
}

/**
 * An address that names a part was opened before the part was there, and parts above it are still
 * loading. It is kept in place until they have, or until the reader moves.
 */
function pinNamedPart() {
  const part = document.getElementById(window.location.hash.slice(1));
  const thread = part?.parentElement;
  if (!thread) return;
  const pin = () => part.scrollIntoView();
  pin();
  if (typeof ResizeObserver === 'undefined') return;
  const observer = new ResizeObserver(pin);
  const release = () => {
    observer.disconnect();
    for (const kind of MOVES) window.removeEventListener(kind, release);
  };
  observer.observe(thread);
  for (const kind of MOVES) window.addEventListener(kind, release, { passive: true });
  return release;
}

/** Where am I: the parts as nodes on a line, each a way there. */
export function LineNav() {
  const here = useHere();
  const strip = useRef<HTMLElement>(null);
  // Where the strip is wider than the screen, the current part is kept in sight.
  useEffect(() => {
    const link = strip.current?.querySelector<HTMLElement>('[aria-current]');
    if (strip.current && link) strip.current.scrollLeft = link.offsetLeft - (strip.current.clientWidth - link.offsetWidth) / 2;
  }, [here]);
  useEffect(pinNamedPart, []);
  return (
    <nav ref={strip} className="thread-nav" aria-label="Parts of the thread">
      <ol>
        {PARTS.map(({ id, title }) => (
          <li key={id}>
            <a href={`#${id}`} aria-current={here === id ? 'location' : undefined}>{title}</a>
          </li>
        ))}
      </ol>
    </nav>
  );
}

/** One part of the thread: a place to jump to, and a node on the line beside it. */
export function Part({ id, children }: { id: PartId; children: ReactNode }) {
  return <div id={id} className="part" tabIndex={-1}>{children}</div>;
}
