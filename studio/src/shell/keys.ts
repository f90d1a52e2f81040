import { useEffect, useRef } from 'react';

/** How long after `g` a letter still means a screen. */
export const PAUSE_MS = 1_500;

const typing = (target: EventTarget | null) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

/** Whether a key is meant for something else: a field, a dialog or menu, the browser. */
export const meantElsewhere = (event: KeyboardEvent): boolean =>
  event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || typing(event.target) ||
  document.querySelector('[role="dialog"], [role="alertdialog"], [role="menu"], [role="listbox"]') !== null;

/** Keys of one screen, by the character they write. A letter after `g` is left to the navigation. */
export function useKeys(keys: Record<string, () => void>) {
  const latest = useRef(keys);
  useEffect(() => {
    latest.current = keys;
  });
  useEffect(() => {
    let pressedG = -PAUSE_MS;
    const onKey = (event: KeyboardEvent) => {
      if (meantElsewhere(event)) return;
      const navigates = event.timeStamp - pressedG < PAUSE_MS;
      pressedG = event.key === 'g' ? event.timeStamp : -PAUSE_MS;
      const action = navigates ? undefined : latest.current[event.key];
      if (!action) return;
      // The letter must not be written into a field that takes the focus now.
      event.preventDefault();
      action();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
}
