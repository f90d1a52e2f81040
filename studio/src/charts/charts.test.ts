import { describe, expect, it } from 'vitest';
import { toCsv } from './csv';
import { moveFocus } from './roving';
import { linearAxis, timeAxis } from './scale';

describe('axes', () => {
  it('hold every value and zero, on round numbers', () => {
    const axis = linearAxis([564, 916.05]);
    expect(axis.domain).toEqual([0, 1000]);
    expect(axis.at(500)).toBeCloseTo(50);
    expect(linearAxis([-3.2, 0.9]).domain[0]).toBeLessThanOrEqual(-3.2);
  });
  it('have at most six ticks, zero among them', () => {
    for (const top of [7, 70_000, 68_123, 0.0042]) {
      const { ticks } = linearAxis([top]);
      expect(ticks.length).toBeLessThanOrEqual(6);
      expect(ticks).toContain(0);
    }
  });
  it('have at most six ticks in time', () => {
    const day = 86_400_000;
    for (const days of [2, 9, 48, 70, 400]) expect(timeAxis([0, days * day]).ticks.length).toBeLessThanOrEqual(6);
  });
  it('exist without values', () => expect(linearAxis([]).domain).toEqual([0, 1]));
  it('keep the first and the last instant inside', () => {
    const axis = timeAxis([Date.UTC(2026, 0, 1), Date.UTC(2026, 0, 31)]);
    expect(axis.at(Date.UTC(2026, 0, 1))).toBeGreaterThan(0);
    expect(axis.at(Date.UTC(2026, 0, 31))).toBeLessThan(100);
    expect(timeAxis([5, 5]).at(5)).toBeCloseTo(50);
  });
});

it('CSV is quoted, keeps full precision and disarms formulas', () => {
  const columns = [{ title: 'a' }, { title: 'b' }];
  expect(toCsv({ caption: '', columns, rows: [['x,"y"', 0.1 + 0.2], ['=1+1', null]] }))
    .toBe('a,b\r\n"x,""y""",0.30000000000000004\r\n\'=1+1,\r\n');
});

it('arrow keys: down along the marks, right to the same column of the next row', () => {
  const root = document.createElement('div');
  root.innerHTML = '<i data-mark="0:0"></i><i data-mark="0:1"></i><i data-mark="1:0"></i><i data-mark="1:1"></i>';
  const marks = [...root.children];
  expect(moveFocus(root, marks[0]!, 'ArrowDown')).toBe(marks[1]);
  expect(moveFocus(root, marks[0]!, 'ArrowRight')).toBe(marks[2]);
  expect(moveFocus(root, marks[3]!, 'ArrowLeft')).toBe(marks[1]);
  expect(moveFocus(root, marks[3]!, 'ArrowDown')).toBeNull();
  expect(moveFocus(root, marks[1]!, 'End')).toBe(marks[3]);
});
