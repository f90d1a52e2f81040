import {
  type ColumnDef, flexRender, getCoreRowModel, getSortedRowModel, type Header, type RowData, type SortingState,
  useReactTable,
} from '@tanstack/react-table';
import { type ReactNode, useState } from 'react';

declare module '@tanstack/react-table' {
  interface ColumnMeta<TData extends RowData, TValue> {
    /** Right-aligned figures. */
    numeric?: boolean;
    /** The cell that names the row. */
    rowHeader?: boolean;
    /** Names the cell where rows are stacked; the header unless given. */
    label?: string;
    /** What the column totals to, in a footer. */
    total?: ReactNode;
  }
}

// A column's values differ in type from column to column; the table only passes them on.
export type Column<T> = ColumnDef<T, any>;

interface DataTableProps<T> {
  /** Names the table for screen readers; shown when `showCaption`. */
  caption: string;
  showCaption?: boolean;
  rows: T[];
  columns: Column<T>[];
  rowId: (row: T) => string;
  initialSort?: SortingState;
  /** Under the table: counts, paging. */
  footer?: ReactNode;
  /** On small screens every row is a block with its cells under one another, named by their headers. */
  stacked?: boolean;
}

/** A real table: headers that sort by pointer or keyboard, and say so. */
export function DataTable<T>({ caption, showCaption, rows, columns, rowId, initialSort = [], footer, stacked }: DataTableProps<T>) {
  const [sorting, setSorting] = useState<SortingState>(initialSort);
  const table = useReactTable({
    data: rows,
    columns,
    state: { sorting },
    onSortingChange: setSorting,
    getRowId: rowId,
    getCoreRowModel: getCoreRowModel(),
    getSortedRowModel: getSortedRowModel(),
  });
  // A table that is laid out as blocks loses its meaning for some readers unless the roles are said.
  const role = (name: string) => (stacked ? name : undefined);
  const totals = columns.some((column) => column.meta?.total !== undefined);

  return (
    <>
      {/* Scrolls by key; a group, as every table a landmark would be too many. */}
      <div className="table-wrap" role="group" aria-label={caption} tabIndex={0}>
        <table className={stacked ? 'table stacked' : 'table'} role={role('table')}>
          <caption className={showCaption ? undefined : 'visually-hidden'}>{caption}</caption>
          <thead role={role('rowgroup')}>
            {table.getHeaderGroups().map((group) => (
              <tr key={group.id} role={role('row')}>{group.headers.map((header) => <HeadCell key={header.id} header={header} />)}</tr>
            ))}
          </thead>
          <tbody role={role('rowgroup')}>
            {table.getRowModel().rows.map((row) => (
              <tr key={row.id} role={role('row')}>
                {row.getVisibleCells().map((cell) => {
                  const { header, meta: { numeric, rowHeader, label } = {} } = cell.column.columnDef;
                  const named = stacked ? (label ?? (typeof header === 'string' ? header : undefined)) : undefined;
                  const content = flexRender(cell.column.columnDef.cell, cell.getContext());
                  const className = numeric ? 'numeric' : undefined;
                  return rowHeader
                    ? <th key={cell.id} scope="row" role={role('rowheader')} className={className}>{content}</th>
                    : <td key={cell.id} role={role('cell')} className={className} data-label={named}>{content}</td>;
                })}
              </tr>
            ))}
          </tbody>
          {totals && (
            <tfoot>
              <tr>
                {table.getVisibleLeafColumns().map(({ id, columnDef: { meta } }) => (
                  <td key={id} className={meta?.numeric ? 'numeric' : undefined}>{meta?.total}</td>
                ))}
              </tr>
            </tfoot>
          )}
        </table>
      </div>
      {footer && <div className="table-more">{footer}</div>}
    </>
  );
}

function HeadCell<T>({ header }: { header: Header<T, unknown> }) {
  const { column } = header;
  const label = flexRender(column.columnDef.header, header.getContext());
  const className = column.columnDef.meta?.numeric ? 'numeric' : undefined;
  if (!column.getCanSort()) return <th scope="col" className={className}>{label}</th>;
  const sorted = column.getIsSorted();
  return (
    <th
      scope="col" className={className}
      aria-sort={sorted === 'asc' ? 'ascending' : sorted === 'desc' ? 'descending' : 'none'}
    >
      <button type="button" className="sort" onClick={column.getToggleSortingHandler()}>
        {label}
        <svg width="8" height="10" viewBox="0 0 8 10" aria-hidden="true">
          {sorted !== 'asc' && <path d="M1 6.2h6L4 9.4z" fill="currentColor" />}
          {sorted !== 'desc' && <path d="M1 3.8h6L4 .6z" fill="currentColor" />}
        </svg>
      </button>
    </th>
  );
}
