import { type ReactNode, useEffect, useRef, useState } from 'react';
import { Button } from './button';

export interface Said {
  text: ReactNode;
  /** What to do next, which is in sight and not read out. */
  detail?: ReactNode;
  /** For actions after which the button that began them is gone. */
  takesFocus?: boolean;
}

/** While a dialog closes, the page behind it is still hidden from screen readers and the focus is on its way back. */
const SETTLED_MS = 100;

/** What the last action led to: announced, and in sight however far the page is scrolled. */
export function Outcome({ said, onDismiss }: { said: Said | null; onDismiss: () => void }) {
  const place = useRef<HTMLDivElement>(null);
  const [shown, setShown] = useState<Said | null>(null);
  useEffect(() => {
    const timer = window.setTimeout(() => setShown(said), said ? SETTLED_MS : 0);
    return () => window.clearTimeout(timer);
  }, [said]);
  useEffect(() => {
    if (shown?.takesFocus) place.current?.focus({ preventScroll: true });
  }, [shown]);

  return (
    <div ref={place} className={shown ? 'outcome notice info' : 'outcome'} tabIndex={-1}>
      <div role="status" className="wrap-anywhere">{shown?.text}</div>
      {shown && (
        <Button
          look="quiet"
          onPress={() => {
            onDismiss();
            document.getElementById('main')?.focus({ preventScroll: true });
          }}
        >
          Dismiss
        </Button>
      )}
      {shown?.detail && <div className="outcome-detail">{shown.detail}</div>}
    </div>
  );
}
