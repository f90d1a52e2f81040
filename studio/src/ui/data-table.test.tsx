import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it } from 'vitest';
import { type Column, DataTable, sorted } from './data-table';

interface Row { name: string; n: number | null }
const rows: Row[] = [{ name: 'b2', n: 1 }, { name: 'B10', n: null }, { name: 'a', n: 3 }];
const columns: Column<Row>[] = [
  { accessorKey: 'name', header: 'Name', meta: { rowHeader: true } },
  { id: 'n', accessorFn: ({ n }) => n, header: 'N', meta: { numeric: true, total: 4 } },
];
const names = (id: string, desc: boolean) => sorted(rows, columns, { id, desc }).map(({ name }) => name);

it('sorts texts as people do and figures by size, with what is absent last', () => {
  expect(names('name', false)).toEqual(['a', 'b2', 'B10']);
  expect(names('name', true)).toEqual(['B10', 'b2', 'a']);
  expect(names('n', false)).toEqual(['b2', 'a', 'B10']);
  expect(names('n', true)).toEqual(['a', 'b2', 'B10']);
  expect(sorted(rows, columns, { id: 'gone', desc: true })).toBe(rows);
});

it('goes one way, the other, and back to how it came', async () => {
  render(<DataTable caption="Things" rows={rows} columns={columns} rowId={({ name }) => name} />);
  const head = screen.getByRole('columnheader', { name: 'N' });
  const order = () => screen.getAllByRole('rowheader').map((cell) => cell.textContent);
  const states: [string | null, string[]][] = [];
  for (let press = 0; press < 3; press += 1) {
    await userEvent.click(screen.getByRole('button', { name: 'N' }));
    states.push([head.getAttribute('aria-sort'), order() as string[]]);
  }
  expect(states).toEqual([['descending', ['a', 'b2', 'B10']], ['ascending', ['b2', 'a', 'B10']], ['none', ['b2', 'B10', 'a']]]);
});
