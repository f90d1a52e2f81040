import { render, screen } from '@testing-library/react';
import { expect, it } from 'vitest';
import { DotInterval, Paths, Whiskers } from './index';
import { linearAxis } from './scale';
import { areaBetween, lineThrough } from './trace';

it('lines stop where there is nothing, and areas close', () => {
  expect(lineThrough([[0, 1], [2, 3], null, [4, 5]])).toBe('M0 1L2 3M4 5Z');
  expect(lineThrough([])).toBe('');
  expect(areaBetween([{ x: 0, low: 9, high: 1 }, { x: 5, low: 8, high: 2 }, null])).toBe('M0 1L5 2L5 8L0 9Z');
});

it('an axis without zero keeps to its values, on round numbers', () => {
  const { domain, ticks } = linearAxis([98.2, 103.9], 5, { zero: false });
  expect(domain[0]).toBeGreaterThan(90);
  expect(ticks.every((tick) => Number.isInteger(tick))).toBe(true);
  expect(linearAxis([-0.31, 0.12]).ticks).toContain(0);
  expect(linearAxis([0.1, 0.3]).ticks).toContain(0.3);
  expect(linearAxis([7, 7], 5, { zero: false }).at(7)).toBeCloseTo(0);
});

it('several lines have one mark for each figure; left and right stay on a line', () => {
  render(<Paths
    caption="Both" file="x" xs={[1, 2]} x={{ title: 'Year', format: String }} y={{ title: 'Outcome', format: String }} level={0.9} event={{ x: 1.5, name: 'it begins' }}
    lines={[{ id: 'a', title: 'Actual', values: [1, null] }, { id: 'b', title: 'Expected', values: [2, 3], band: { low: [1, null], high: [3, 4] } }]}
    faint={{ title: 'Placebos', lines: [{ title: 'p', values: [0, 1] }] }}
  />);
  const marks = screen.getAllByRole('img');
  expect(marks.map((mark) => [mark.getAttribute('data-mark'), mark.getAttribute('aria-label')])).toEqual([
    ['0:0', '1, Actual: 1'], ['0:1', '1, Expected: 2, 1 to 3'], ['1:1', '2, Expected: 3, up to 4'],
  ]);
  expect(screen.getByText('Band: 90%. Dashed upright: it begins.')).toBeTruthy();
});

it('an interval without an end runs to the edge, and a set may have pieces', () => {
  const { container } = render(<DotInterval
    caption="Sets" file="x" unit="Effect" format={String} levels={{ outer: 0.95 }} series={[{ id: 'e', title: 'Effect' }]}
    rows={[{ id: 'a', name: 'A', marks: { e: { value: 2, outer: null, inner: null, set: [[null, -1], [1, null]] } } }, { id: 'b', name: 'B', marks: { e: { value: 0, outer: null, inner: null, set: [], note: 'nothing fits' } } }]}
  />);
  expect(screen.getAllByRole('img').map((mark) => mark.getAttribute('aria-label'))).toEqual(['A, Effect: 2, 95% interval up to -1 or 1 and more', 'B, Effect: 0, nothing fits']);
  expect(container.querySelectorAll('.open-end')).toHaveLength(2);
});

it('whiskers say both intervals', () => {
  render(<Whiskers
    caption="Study" file="x" level={0.95} words={{ solid: 'After', hollow: 'Before' }} x={{ title: 'Since', format: String }} y={{ title: 'Effect', format: String }}
    points={[{ x: -1, value: 0, interval: null, band: null, hollow: true, note: 'base' }, { x: 0, value: 1, interval: [0, 2], band: [-1, null], hollow: false }]}
  />);
  expect(screen.getAllByRole('img').map((mark) => mark.getAttribute('aria-label'))).toEqual(['Since -1: 0, base', 'Since 0: 1, 0 to 2 alone, -1 and more with all others, after']);
});
