import { render, screen } from '@testing-library/react';
import { expect, it } from 'vitest';
import { signed, Waterfall, waterfallTwin } from './waterfall';

const props = {
  caption: 'From ours to theirs', file: 'bridge', unit: 'Conversions', format: String,
  start: { name: 'Ours', text: 'What we say.', value: 10 }, end: { name: 'Theirs', text: 'What they say.', value: 4 },
  steps: [{ id: 'a', name: 'Up', text: 'More.', difference: 5, after: 15 }, { id: 'b', name: 'Down', text: 'Less.', difference: -11, after: 4 }],
};

it('starts each bar where the one above it ends', () => {
  const { container } = render(<Waterfall {...props} />);
  const bars = [...container.querySelectorAll('rect.bar')].map((bar) => [bar.getAttribute('x'), bar.getAttribute('width')]);
  // The axis runs from 0 to 15.
  expect(bars).toEqual([['0%', '66.667%'], ['66.667%', '33.333%'], ['26.667%', '73.333%'], ['0%', '26.667%']]);
  expect(screen.getByRole('img', { name: 'Up: +5, 15 so far' })).toBeTruthy();
  expect(screen.getByRole('img', { name: 'Theirs: 4' })).toBeTruthy();
});

it('has the same numbers as a table', () => {
  expect(waterfallTwin(props).rows).toEqual([
    ['Ours', 'What we say.', null, 10], ['Up', 'More.', 5, 15], ['Down', 'Less.', -11, 4], ['Theirs', 'What they say.', null, 4],
  ]);
  expect([signed(0, String), signed(2, String), signed(-2, String)]).toEqual(['0', '+2', '-2']);
});
