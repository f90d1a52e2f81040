import { Fragment, type ReactNode } from 'react';
import type { Measure, TruthPart } from '../../api/truth';
import { count, humanise } from '../../format';
import { Card, type Column, DataTable } from '../../ui';
import { figure, measureName, noteText, partName, sentence, spread } from './words';

/** What stands in backticks is a measure of the table below, or else a name or a command. */
function Prose({ text, rows = [] }: { text: string; rows?: Measure[] }): ReactNode {
  return text.split('`').map((piece, at) => {
    if (at % 2 === 0) return <Fragment key={at}>{piece}</Fragment>;
    return rows.some(({ measure }) => measure === piece)
      ? <strong key={at}>{measureName(piece)}</strong>
      : <code key={at}>{piece}</code>;
  });
}

function Value({ row }: { row: Measure }) {
  return figure(row) ?? <span className="muted">none</span>;
}

function Spread({ row }: { row: Measure }) {
  const said = spread(row);
  return row.coverage ? <span className="truth-held">{said}</span> : said;
}

/** Rows keep the order of the report unless sorted; columns that would be empty are left out. */
function columnsOf(rows: Measure[], nameOf: (name: string) => string): Column<Measure>[] {
  const spreads = rows.some((row) => spread(row) !== null);
  const notes = rows.some(({ note }) => note !== '');
  return [
    { id: 'of', header: 'Of', accessorFn: ({ name }) => nameOf(name), meta: { rowHeader: true } },
    { id: 'measure', header: 'Measure', accessorFn: ({ measure }) => measureName(measure) },
    { id: 'value', header: 'Value', enableSorting: false, meta: { numeric: true }, cell: ({ row }) => <Value row={row.original} /> },
    { id: 'n', header: 'n', enableSorting: false, meta: { numeric: true }, cell: ({ row }) => count(row.original.n) },
    ...(spreads ? [{ id: 'spread', header: 'Interval', enableSorting: false, cell: ({ row }) => <Spread row={row.original} /> } satisfies Column<Measure>] : []),
    ...(notes ? [{ id: 'note', header: 'Note', enableSorting: false, cell: ({ row }) => (row.original.note ? <Prose text={noteText(row.original.note)} /> : null) } satisfies Column<Measure>] : []),
  ];
}

/** One part of the line against the truth. */
export function PartCard({ part: { part, about, absent, rows }, models }: { part: TruthPart; models: Record<string, string> }) {
  const name = partName(part);
  const nameOf = (of: string) => models[of] ?? humanise(of);
  return (
    <Card title={name} flush className="truth-part">
      <details className="truth-about">
        <summary>How it is measured<span className="visually-hidden">: {name}</span></summary>
        <p className="prose small"><Prose text={about} rows={rows} /></p>
      </details>
      {rows.length > 0
        ? (
          <DataTable
            caption={`${name} against the truth`} rows={rows} columns={columnsOf(rows, nameOf)}
            rowId={(row) => `${row.name}/${row.measure}`} stacked
          />
        )
        : <p className="truth-absent">Nothing to score. <Prose text={`${sentence(absent ?? 'the run has nothing of this part')}.`} /></p>}
    </Card>
  );
}
