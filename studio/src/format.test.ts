import { describe, expect, it } from 'vitest';
import * as format from './format';

describe('numbers', () => {
  it.each([[1234567, '1,234,567'], [-5, '−5'], [-0.2, '0'], [null, '–'], [Number.NaN, '–']])('count %s', (value, text) => {
    expect(format.count(value)).toBe(text);
  });
  it.each([[0.9, '90%'], [-0.125, '−13%']])('percent %s', (value, text) => expect(format.percent(value)).toBe(text));
  it.each([[0.0345014, '0.0345'], [-1.160955, '−1.16'], [0, '0.0']])('effect %s', (value, text) => expect(format.effect(value)).toBe(text));
});

it.each([[0.1, '0.1'], [0.30000000000000004, '0.30000000000000004'], [-80_000_000, '−80,000,000'], [1e-30, '1e−30'], [0, '0'], [null, '–']])(
  'every digit of %s', (value, text) => expect(format.exact(value)).toBe(text),
);

describe('money', () => {
  it.each([[185394.63, '€185,395'], [84.17, '€84.17'], [-3.5, '−€3.50'], [-0.001, '€0.00'], [undefined, '–']])('%s', (value, text) => {
    expect(format.money(value, 'EUR')).toBe(text);
  });
  it('survives a currency that is none', () => expect(format.money(12.5, 'points')).toBe('12.50 points'));
  it.each([[80, '€80.00'], [0.0201, '€0.0201'], [185394.63, '€185,394.63']])('to the last digit of %s', (value, text) => {
    expect(format.exactMoney(value, 'EUR')).toBe(text);
  });
});

describe('time', () => {
  const now = new Date('2026-04-05T12:00:00Z');
  it.each([
    ['2026-04-05T11:59:58Z', 'just now'], ['2026-04-05T11:39:00Z', '21 minutes ago'],
    ['2026-04-05T14:00:00Z', 'in 2 hours'], ['2026-04-04T11:00:00Z', 'yesterday'],
  ])('%s', (instant, text) => expect(format.relativeTime(instant, now)).toBe(text));
  it('is always UTC', () => expect(format.absoluteTime('2026-04-05T00:00:00Z')).toBe('5 Apr 2026, 00:00 UTC'));
  it.each([[0.284, '284 ms'], [2.8, '2.8 s'], [61, '1 min 1 s'], [3720, '1 h 2 min']])('duration %s', (s, text) => expect(format.duration(s)).toBe(text));
});

it('writes intervals and names', () => {
  expect(format.interval([1.5, 2.25], (x) => format.decimal(x))).toBe('1.5 to 2.3');
  expect(format.interval(null, String)).toBe('–');
  expect(format.humanise('paid_search')).toBe('Paid search');
  expect(format.shortId('0420b380227f45cb43bcb94302fd0815')).toBe('0420b3…0815');
  expect(format.plural(1, 'unit')).toBe('1 unit');
});
