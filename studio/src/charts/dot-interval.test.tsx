import { render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it, vi } from 'vitest';
import { DotInterval, type DotIntervalProps } from './dot-interval';

const props: DotIntervalProps = {
  caption: 'Conversions by channel', file: 'x', unit: 'Conversions', format: (value) => value.toFixed(1),
  levels: { outer: 0.9, inner: 0.5 },
  series: [{ id: 'a', title: 'First touch' }, { id: 'b', title: 'Markov' }],
  rows: [
    { id: 'email', name: 'Email', marks: { a: { value: 5, outer: [3, 7], inner: [4, 6] }, b: { value: 6, outer: null, inner: null, note: 'too few draws' } } },
    { id: 'search', name: 'Search', marks: { a: { value: 1, outer: [0, 2], inner: [0.5, 1.5] } } },
  ],
};

it('draws a labelled mark for every figure, with the reason where there is no interval', () => {
  render(<DotInterval {...props} />);
  expect(screen.getAllByRole('img').map((mark) => mark.getAttribute('aria-label'))).toEqual([
    'Email, First touch: 5.0, 90% interval 3.0 to 7.0',
    'Email, Markov: 6.0, too few draws',
    'Search, First touch: 1.0, 90% interval 0.0 to 2.0',
  ]);
});

it('has a table twin with the same figures as the marks', async () => {
  render(<DotInterval {...props} />);
  const values = screen.getAllByRole('img').map((mark) => /: ([\d.]+),/.exec(mark.getAttribute('aria-label') ?? '')?.[1]);
  await userEvent.click(screen.getByRole('button', { name: 'Show as table' }));
  const rows = within(screen.getByRole('table', { name: props.caption })).getAllByRole('row').slice(1);
  expect(rows.map((row) => within(row).getAllByRole('cell')[1]?.textContent)).toEqual(values);
  expect(rows[1]?.textContent).toBe('EmailMarkov6.0––––');
  expect(screen.queryByRole('img')).toBeNull();
});

it('is one tab stop, moves by arrow keys and opens by Enter', async () => {
  const onSelect = vi.fn();
  render(<DotInterval {...props} onSelect={onSelect} />);
  const marks = screen.getAllByRole('link');
  expect(marks.filter((mark) => mark.getAttribute('tabindex') === '0')).toHaveLength(1);
  marks[0]?.focus();
  await userEvent.keyboard('{ArrowRight}{Enter}');
  expect(document.activeElement).toBe(marks[2]);
  expect(onSelect).toHaveBeenCalledWith('search', 'a');
});

it('with one series and no inner interval has no legend to press, and a table of what there is', async () => {
  render(<DotInterval {...props} series={props.series.slice(0, 1)} levels={{ outer: 0.9 }} titles={{ row: 'Action', series: 'Estimate' }} />);
  expect(screen.queryByRole('button', { name: 'First touch' })).toBeNull();
  await userEvent.click(screen.getByRole('button', { name: 'Show as table' }));
  expect(screen.getAllByRole('columnheader').map((head) => head.textContent)).toEqual(['Action', 'Estimate', 'Conversions', '90% low', '90% high']);
});

it('writes a mark that is far away at the edge, with the axis left to the others and no link behind it', () => {
  const rest = { id: 'rest', name: 'Rest', inert: true, beyond: true };
  const { container, rerender } = render(<DotInterval {...props} onSelect={() => undefined} rows={[...props.rows, { ...rest, marks: { a: { value: 900, outer: [800, 1000], inner: null } } }]} />);
  expect(screen.getByRole('img', { name: 'Rest, First touch: 900.0, 90% interval 800.0 to 1000.0' }).textContent).toBe('900.0 →');
  expect(screen.getAllByRole('link')).toHaveLength(3);
  expect([...container.querySelectorAll('.axis text')].at(-1)?.textContent).toBe('6.0');
  rerender(<DotInterval {...props} rows={[{ ...rest, marks: { a: { value: -900, outer: null, inner: null } } }]} />);
  expect(screen.getByRole('img').textContent).toBe('← -900.0');
});

it('has its tab stop where there is a mark, even if the first row lacks the first series', () => {
  const { container } = render(<DotInterval {...props} rows={[{ id: 'x', name: 'X', marks: { b: { value: 2, outer: null, inner: null } } }, ...props.rows]} />);
  expect([...container.querySelectorAll('[data-mark][tabindex="0"]')].map((mark) => mark.getAttribute('data-mark'))).toEqual(['0:1']);
});
