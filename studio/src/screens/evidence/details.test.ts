import { expect, it } from 'vitest';
import { didDetails, panelDetails, seriesDetails } from '../../test/evidence';
import { ends, found, plain, startsAt, tables, timeLine } from './details';
import { beyond } from './panel';

it('places times by date, by size or in order', () => {
  expect(timeLine(['2026-01-01', '2026-01-03']).xs).toEqual([Date.UTC(2026, 0, 1), Date.UTC(2026, 0, 3)]);
  const years = timeLine(['1988', '1989', '1991']);
  expect([years.xs, startsAt(years, 1), startsAt(years, 0)]).toEqual([[1988, 1989, 1991], 1988.5, null]);
  expect(timeLine(['2025-10', '2025-11']).x.format(Date.UTC(2025, 9, 1))).toBe('Oct 2025');
  const weeks = timeLine(['2026-W1', '2026-W2', '2026-W3']);
  expect([weeks.xs, weeks.x.format(1)]).toEqual([[0, 1, 2], '2026-W2']);
  // Numbers out of order have no place on a line but their own.
  expect(timeLine(['3', '1']).xs).toEqual([0, 1]);
});

it('takes what is there and leaves what is not', () => {
  expect(found(undefined)).toBeNull();
  expect(found({})).toBeNull();
  expect(found([1])).toBeNull();
  expect(found({ cohorts: [{ weights: [{ unit: 'a', weight: 1 }] }] })?.cohorts).toEqual([]);
  const bare = found({ cohorts: [{ treated: [1, 2, 4], synthetic: [1, 2, 3] }] })?.cohorts[0];
  expect([bare?.gaps, bare?.times, bare?.before, bare?.placebos]).toEqual([[0, 0, 1], ['1', '2', '3'], 0, []]);
  expect(found({ windows: [{ after: {} }], event_study: { points: [{ value: null }] }, honest: null, pre_test: null, line: 'x' })).toMatchObject({
    series: [], eventStudy: null, honest: null, preTest: null, fitted: null,
  });
  const panel = found(panelDetails)!;
  expect([panel.cohorts[0]!.before, panel.cohorts[0]!.placebos.length, panel.rest.map(([name]) => name)]).toEqual([19, 38, ['solver', 'lambda']]);
  expect(found(didDetails)?.eventStudy?.points[6]?.band).toEqual([-0.19, null]);
  expect(found(seriesDetails)?.series[0]).toMatchObject({ before: 30, controls: [{ name: 'other_market' }], placebos: [{ time: '2026-01-16' }] });
});

it('reads ends that may be infinite', () => {
  expect([ends([1, 2]), ends([null, 2]), ends([null, null]), ends([1]), ends('x')]).toEqual([[1, 2], [null, 2], null, null, null]);
});

it('lists the rest as it is', () => {
  expect(plain([['a', 1], ['b', { c: true, d: { e: 'x', f: { g: 1 } } }], ['h', [1, null]], ['i', null], ['j', Array(9).fill(1)], ['k', NaN]])).toEqual([
    ['a', 1], ['b: c', true], ['b: d: e', 'x'], ['h', '1, no limit'],
  ]);
  expect(tables([['t', [{ name: 'x', at: [0, 1], deep: { a: 1 } }]], ['u', [1, 2]], ['v', []]])).toEqual([{ name: 't', rows: [{ name: 'x', at: '0, 1' }] }]);
});

it('counts placebos that are as far from zero', () => {
  expect(beyond([0, 0, 4], [[0, 0, -5], [0, 0, 1], [null, null, null]], 2)).toBe('1 of them has a mean effect at least as large, in either direction.');
  expect(beyond([0, 0, 4], [[0, 0, 1]], 2)).toMatch(/^None of them have/);
  expect(beyond([], [], 0)).toBe('');
});
