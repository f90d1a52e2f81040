import { expect, it } from 'vitest';
import type { Json } from '../../api/govern';
import { diff, pathText, unitOf, visible } from './diff';

const told = (before: Json, after: Json) =>
  diff(before, after).map(({ path, state, before: was, after: is }) => [path.join('.'), state, was, is]);

it('puts what changed first and keeps the rest', () => {
  expect(told({ a: 1, b: { c: 2, d: null } }, { a: 1, b: { c: 3, d: null, e: [] } })).toEqual([
    ['b.c', 'changed', 2, 3], ['b.e', 'added', undefined, []], ['a', 'same', 1, 1], ['b.d', 'same', null, null],
  ]);
});

it('goes by the names of the items, wherever they stand', () => {
  const before: Json = { actions: [{ name: 'none' }, { name: 'mail', cost: 1 }] };
  const after: Json = { actions: [{ name: 'call', cost: 9 }, { name: 'none' }, { name: 'mail', cost: 2 }] };
  expect(told(before, after).filter(([, state]) => state !== 'same')).toEqual([
    ['actions.call.name', 'added', undefined, 'call'],
    ['actions.call.cost', 'added', undefined, 9],
    ['actions.mail.cost', 'changed', 1, 2],
    ['actions.order', 'changed', ['none', 'mail'], ['call', 'none', 'mail']],
  ]);
});

it('a new thing is all new, and a thing that ends is all gone', () => {
  expect(told(null, { a: 1 })).toEqual([['a', 'added', undefined, 1]]);
  expect(told({ frozen: { by: 'ada' } }, { frozen: null })).toEqual([['frozen.by', 'removed', 'ada', undefined]]);
  expect(told(null, 'only words')).toEqual([['', 'changed', null, 'only words']]);
});

it('tells nothing, null, empty and the same written otherwise apart', () => {
  const values: Json[] = [
    null, '', 0, '0', false, [], {}, [null], [[]], [{}], { a: null }, { a: {} }, { a: [] }, { a: [1, 2] }, { a: [2, 1] },
    { a: { 0: 1 } }, { a: [1] }, { a: ['1'] }, { a: '1' }, { a: '1,2' }, { 'a/b': 1 }, { a: { b: 1 } }, { 'a.b': 1 },
    { a: [{ name: 'x' }] }, { a: { x: { name: 'x' } } }, { a: [{ name: 'x' }, { name: 'x' }] }, { a: [{ name: 'x' }, { name: 'y' }] },
    { a: [{ name: 'y' }, { name: 'x' }] }, { a: [1, { b: 2 }] }, { a: [{ b: 2 }, 1] }, { order: ['x'] }, { a: [{ b: null }] },
    { a: { order: ['x', 'y'], x: { name: 'x' }, y: { name: 'y' } } }, { '': 1 }, { '': { '': 1 } },
  ];
  for (const [m, before] of values.entries()) {
    for (const [n, after] of values.entries()) {
      const changed = diff(before, after).some(({ state }) => state !== 'same');
      expect(changed, `${JSON.stringify(before)} to ${JSON.stringify(after)}`).toBe(m !== n);
    }
  }
  expect(told({ a: 1, b: 2 }, { b: 2, a: 1 }).every(([, state]) => state === 'same')).toBe(true);
});

it('every row has a key of its own', () => {
  const rows = diff({ a: [{ name: '0' }, { name: 'order' }], order: 1 }, { a: [{ b: 1 }, { name: '0' }], 'a/0': 1 });
  expect(new Set(rows.map(({ key }) => key)).size).toBe(rows.length);
});

it('shows characters that would hide or turn a text', () => {
  expect(visible('pay \u202edrawer\u0000\nok')).toBe('pay \\u{202e}drawer\\u{0}\nok');
  expect(pathText(['actions', 'cost_micros'])).toEqual(['Actions', 'Cost']);
  expect([unitOf(['facts', 'cost']), unitOf(['budget_micros']), unitOf(['frozen_hours']), unitOf([]), unitOf(['roles'])])
    .toEqual(['money', 'micros', 'hours', 'plain', 'plain']);
});
