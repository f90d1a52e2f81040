export type Cell = string | number | null;

export interface Twin {
  caption: string;
  columns: { title: string; numeric?: boolean; format?: (value: number) => string }[];
  rows: Cell[][];
}

/** RFC 4180. A text that a spreadsheet would run as a formula gets a leading apostrophe. */
export function toCsv({ columns, rows }: Twin): string {
  const quote = (cell: Cell) => {
    if (cell === null) return '';
    if (typeof cell === 'number') return String(cell);
    const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [columns.map((column) => column.title), ...rows].map((row) => row.map(quote).join(',')).join('\r\n') + '\r\n';
}
