import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it } from 'vitest';
import { Band, Bars, Curve, Timeline } from './index';

const labels = () => screen.getAllByRole('img').map((mark) => mark.getAttribute('aria-label'));
const frame = {
  caption: 'Response', file: 'x', x: { title: 'Spend', format: String }, y: { title: 'Sales', format: String },
  points: [{ x: 0, y: 0, band: [0, 1] as [number, number] }, { x: 10, y: 4 }, { x: 20, y: 6 }],
};

it('bars name each part and keep the parts in the table', async () => {
  render(<Bars
    caption="Split" file="x" rowTitle="Model" format={(x) => `${x * 100}%`}
    series={[{ id: 'a', title: 'Email' }, { id: 'b', title: 'Search' }]}
    rows={[{ id: 'm', name: 'Linear', parts: [{ series: 'a', value: 0.25 }, { series: 'b', value: 0.75 }] }]}
  />);
  expect(labels()).toEqual(['Linear, Email: 25%', 'Linear, Search: 75%']);
  await userEvent.click(screen.getByRole('button', { name: 'Show as table' }));
  expect(screen.getByRole('row', { name: 'Linear 25% 75%' })).toBeTruthy();
});

it('a bar below zero runs to the left of it, and shares that add up to a hair above one fill the axis', () => {
  const series = [{ id: 'a', title: 'Value' }];
  const bars = (rows: [string, number][]) => (
    <Bars caption="Value" file="x" rowTitle="Action" format={String} series={series} rows={rows.map(([id, value]) => ({ id, name: id, parts: [{ series: 'a', value }] }))} />
  );
  const places = (container: Element) => [...container.querySelectorAll('.bar')].map((bar) => [bar.getAttribute('x'), bar.getAttribute('width')]);
  const { container, rerender } = render(bars([['up', 1], ['down', -1]]));
  expect(places(container)).toEqual([['50%', '50%'], ['0%', '50%']]);
  rerender(bars([['all', 1.0000000000000002]]));
  expect(places(container)).toEqual([['0%', '100%']]);
});

it('a timeline without an end says what its own marks mean', async () => {
  const { container } = render(<Timeline
    caption="Events" file="x" lanes={[{ id: 'shop', title: 'Shop' }]}
    words={{ solid: 'With a value', hollow: 'Without', column: 'With a value', detail: 'Value' }}
    events={[{ id: '1', lane: 'shop', at: '2026-01-01T10:00:00Z', name: 'Purchase', solid: true }]}
  />);
  expect(labels()).toEqual(['Purchase, 1 Jan 2026, 10:00 UTC']);
  expect(container.querySelectorAll('.end-line, .end-flag')).toHaveLength(0);
  await userEvent.click(screen.getByRole('button', { name: 'Show as table' }));
  expect(screen.getAllByRole('columnheader').map((head) => head.textContent)).toEqual(['Time (UTC)', 'Lane', 'Event', 'With a value', 'Value']);
});

it('a timeline tells what was left out and why', () => {
  render(<Timeline
    caption="Touches" file="x" lanes={[{ id: 'email', title: 'Email' }]} end={{ at: '2026-01-03T00:00:00Z', name: 'Purchase' }}
    events={[{ id: '1', lane: 'email', at: '2026-01-01T10:00:00Z', name: 'Email: open', solid: false, rule: 'no consent at the time' }]}
  />);
  expect(labels()).toEqual(['Email: open, 1 Jan 2026, 10:00 UTC, no consent at the time']);
});

it('a band and a curve have a focusable point for every figure', () => {
  const { container } = render(<><Band {...frame} /><Curve {...frame} observed={[0, 10]} marks={[{ x: 10, y: 4, name: 'Today' }]} /></>);
  expect(labels().slice(0, 3)).toEqual(['0: 0, 0 to 1', '10: 4', '20: 6']);
  expect(container.querySelectorAll('.line.dashed')).toHaveLength(1);
});
