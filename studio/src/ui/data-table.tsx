import { type ReactNode, useState } from 'react';

export interface Column<T> {
  /** The name of the accessor unless given. */
  id?: string;
  accessorKey?: keyof T & string;
  /** What rows are sorted by, and shown where there is no `cell`. */
  accessorFn?: (row: T) => unknown;
  header: string | (() => ReactNode);
  cell?: (context: { row: { original: T } }) => ReactNode;
  enableSorting?: boolean;
  /** Figures fall first and texts rise first unless said otherwise. */
  sortDescFirst?: boolean;
  meta?: {
    /** Right-aligned figures. */
    numeric?: boolean;
    /** The cell that names the row. */
    rowHeader?: boolean;
    /** Names the cell where rows are stacked; the header unless given. */
    label?: string;
    /** What the column totals to, in a footer. */
    total?: ReactNode;
  };
}

export interface Sort {
  id: string;
  desc: boolean;
}

interface DataTableProps<T> {
  /** Names the table for screen readers; shown when `showCaption`. */
  caption: string;
  showCaption?: boolean;
  rows: T[];
  columns: Column<T>[];
  rowId: (row: T) => string;
  initialSort?: Sort[];
  /** Under the table: counts, paging. */
  footer?: ReactNode;
  /** On small screens every row is a block with its cells under one another, named by their headers. */
  stacked?: boolean;
}

const idOf = <T,>(column: Column<T>) => column.id ?? column.accessorKey ?? '';
const valueOf = <T,>(column: Column<T>, row: T): unknown =>
  column.accessorFn ? column.accessorFn(row) : column.accessorKey ? row[column.accessorKey] : undefined;
const sortable = <T,>(column: Column<T>) => column.enableSorting !== false && Boolean(column.accessorFn ?? column.accessorKey);
const absent = (value: unknown) => value === null || value === undefined || Number.isNaN(value);

/** Numbers by size, texts as people order them. */
function compare(a: unknown, b: unknown): number {
  if (typeof a === 'string' || typeof b === 'string') return String(a).localeCompare(String(b), 'en', { numeric: true, sensitivity: 'base' });
  return Number(a) - Number(b);
}

/** A copy in order; what has no value comes last either way, and equals stay as they were. */
export function sorted<T>(rows: T[], columns: Column<T>[], sort: Sort | null): T[] {
  const column = sort && columns.find((each) => idOf(each) === sort.id);
  if (!column) return rows;
  return rows.map((row) => ({ row, value: valueOf(column, row) })).sort(({ value: a }, { value: b }) => {
    if (absent(a) || absent(b)) return Number(absent(a)) - Number(absent(b));
    return sort.desc ? compare(b, a) : compare(a, b);
  }).map(({ row }) => row);
}

/** A real table: headers that sort by pointer or keyboard, and say so. */
export function DataTable<T>({ caption, showCaption, rows, columns, rowId, initialSort = [], footer, stacked }: DataTableProps<T>) {
  const [sort, setSort] = useState<Sort | null>(initialSort[0] ?? null);
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
            <tr role={role('row')}>
              {columns.map((column) => <HeadCell key={idOf(column)} column={column} rows={rows} sort={sort} onSort={setSort} />)}
            </tr>
          </thead>
          <tbody role={role('rowgroup')}>
            {sorted(rows, columns, sort).map((row) => (
              <tr key={rowId(row)} role={role('row')}>
                {columns.map((column) => {
                  const { header, cell, meta: { numeric, rowHeader, label } = {} } = column;
                  const named = stacked ? (label ?? (typeof header === 'string' ? header : undefined)) : undefined;
                  const value = valueOf(column, row);
                  const content = cell ? cell({ row: { original: row } }) : absent(value) ? null : String(value);
                  const className = numeric ? 'numeric' : undefined;
                  return rowHeader
                    ? <th key={idOf(column)} scope="row" role={role('rowheader')} className={className}>{content}</th>
                    : <td key={idOf(column)} role={role('cell')} className={className} data-label={named}>{content}</td>;
                })}
              </tr>
            ))}
          </tbody>
          {totals && (
            <tfoot>
              <tr>
                {columns.map((column) => (
                  <td key={idOf(column)} className={column.meta?.numeric ? 'numeric' : undefined}>{column.meta?.total}</td>
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

interface HeadCellProps<T> {
  column: Column<T>;
  rows: T[];
  sort: Sort | null;
  onSort: (sort: Sort | null) => void;
}

function HeadCell<T>({ column, rows, sort, onSort }: HeadCellProps<T>) {
  const label = typeof column.header === 'string' ? column.header : column.header();
  const className = column.meta?.numeric ? 'numeric' : undefined;
  if (!sortable(column)) return <th scope="col" className={className}>{label}</th>;
  const id = idOf(column);
  const now = sort?.id === id ? sort : null;
  // One way, then the other, then as it came.
  const descFirst = column.sortDescFirst ?? rows.some((row) => typeof valueOf(column, row) === 'number');
  const press = () => onSort(!now ? { id, desc: descFirst } : now.desc === descFirst ? { id, desc: !descFirst } : null);
  return (
    <th scope="col" className={className} aria-sort={!now ? 'none' : now.desc ? 'descending' : 'ascending'}>
      <button type="button" className="sort" onClick={press}>
        {label}
        <svg width="8" height="10" viewBox="0 0 8 10" aria-hidden="true">
          {(!now || now.desc) && <path d="M1 6.2h6L4 9.4z" fill="currentColor" />}
          {!now?.desc && <path d="M1 3.8h6L4 .6z" fill="currentColor" />}
        </svg>
      </button>
    </th>
  );
}
