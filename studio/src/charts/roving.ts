import { type KeyboardEvent, useCallback } from 'react';

/**
 * Arrow keys among the marks of a chart, which together are one stop of the Tab key. Marks carry
 * `data-mark` with "row:column". Up and down go along the reading order, left and right to the same
 * column of the row before or after; where a chart has one row, all arrows go along it.
 */
export function moveFocus(root: Element, current: Element, key: string): Element | null {
  const marks = [...root.querySelectorAll('[data-mark]')];
  const at = marks.indexOf(current);
  if (at < 0) return null;
  if (key === 'Home') return marks[0] ?? null;
  if (key === 'End') return marks.at(-1) ?? null;
  const step = key === 'ArrowDown' || key === 'ArrowRight' ? 1 : key === 'ArrowUp' || key === 'ArrowLeft' ? -1 : 0;
  if (step === 0) return null;
  if (key === 'ArrowLeft' || key === 'ArrowRight') {
    const column = current.getAttribute('data-mark')?.split(':')[1];
    const peers = marks.filter((mark) => mark.getAttribute('data-mark')?.split(':')[1] === column);
    if (peers.length > 1) return peers[peers.indexOf(current) + step] ?? null;
  }
  return marks[at + step] ?? null;
}

export function useRoving() {
  return useCallback((event: KeyboardEvent<Element>) => {
    const current = (event.target as Element).closest('[data-mark]');
    if (!current) return;
    const next = moveFocus(event.currentTarget, current, event.key);
    if (!next) return;
    event.preventDefault();
    current.setAttribute('tabindex', '-1');
    next.setAttribute('tabindex', '0');
    (next as SVGElement).focus();
  }, []);
}
