import { type ReactNode, useId, useState } from 'react';
import { Button } from '../ui/button';
import { toCsv, type Twin } from './csv';

interface FigureProps {
  /** The same numbers as rows; every chart has one. */
  twin: Twin;
  /** Name of the downloaded file, without ending. */
  file: string;
  /** The legend. */
  head?: ReactNode;
  /** What the mark under the pointer or the focus says; marks carry the same text as their label. */
  readout: string;
  children: ReactNode;
}

/** A chart with its table twin: look at either, take the numbers away from both. */
export function Figure({ twin, file, head, readout, children }: FigureProps) {
  const [table, setTable] = useState(false);
  const [said, setSaid] = useState('');
  const id = useId();

  async function copy() {
    try {
      await navigator.clipboard.writeText(toCsv(twin));
      setSaid('Copied');
    } catch {
      setSaid('The browser refused to copy');
    }
  }

  return (
    <figure className="chart">
      <div className="chart-head">
        {!table && head}
        <p className="readout" aria-hidden="true">{!table && readout}</p>
        <div className="chart-tools">
          <span className="small muted" role="status">{said}</span>
          <Button look="quiet" aria-pressed={table} aria-controls={id} onPress={() => setTable(!table)}>
            {table ? 'Show as chart' : 'Show as table'}
          </Button>
          <Button look="quiet" onPress={() => void copy()}>Copy CSV</Button>
          <Button look="quiet" onPress={() => download(`${file}.csv`, toCsv(twin))}>Download</Button>
        </div>
      </div>
      <div id={id}>{table ? <TwinTable twin={twin} /> : children}</div>
    </figure>
  );
}

export function TwinTable({ twin }: { twin: Twin }) {
  return (
    <div className="table-wrap" role="group" aria-label={twin.caption} tabIndex={0}>
      <table className="table">
        <caption className="visually-hidden">{twin.caption}</caption>
        <thead>
          <tr>
            {twin.columns.map(({ title, numeric }) => (
              <th key={title} scope="col" className={numeric ? 'numeric' : undefined}>{title}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {twin.rows.map((row, at) => (
            <tr key={at}>
              {row.map((cell, column) => {
                const { numeric, format } = twin.columns[column] ?? {};
                const text = typeof cell === 'number' && format ? format(cell) : (cell ?? '–');
                return column === 0
                  ? <th key={column} scope="row">{text}</th>
                  : <td key={column} className={numeric ? 'numeric' : undefined}>{text}</td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The rows of a table that is no chart, to take away. */
export function DownloadCsv({ twin, file }: { twin: Twin; file: string }) {
  return <Button look="quiet" onPress={() => download(`${file}.csv`, toCsv(twin))}>Download CSV</Button>;
}

function download(name: string, text: string) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/csv;charset=utf-8' }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
