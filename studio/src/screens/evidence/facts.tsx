import { anyNumber } from '../../evidence/words';
import { humanise } from '../../format';
import { Card, type Column, DataTable } from '../../ui';
import { type Flat, plain, type Scalar, tables } from './details';

/** What has no picture of its own: plain values as a list, lists of alike rows as tables. */
export function Rest({ entries }: { entries: [string, unknown][] }) {
  const values = plain(entries);
  return (
    <>
      {tables(entries).map(({ name, rows }) => <RowsCard key={name} title={humanise(name)} rows={rows} />)}
      {values.length > 0 && <Card title="Of the method"><Facts values={values} /></Card>}
    </>
  );
}

const write = (value: Scalar | undefined): string =>
  value === undefined || value === null ? '–' : typeof value === 'number' ? anyNumber(value) : typeof value === 'boolean' ? (value ? 'yes' : 'no') : value;

function RowsCard({ title, rows }: { title: string; rows: Flat[] }) {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const columns = names.map((name, at): Column<Flat> => ({
    id: name, header: humanise(name), accessorFn: (row) => row[name],
    meta: { rowHeader: at === 0, numeric: rows.every((row) => typeof (row[name] ?? 0) === 'number') && at > 0 },
    cell: ({ row }) => <span className="wrap-anywhere">{write(row.original[name])}</span>,
  }));
  return (
    <Card title={title} flush>
      <DataTable caption={title} rows={rows} columns={columns} rowId={(row) => String(rows.indexOf(row))} stacked />
    </Card>
  );
}

/** Names and plain values as the method gave them. */
export function Facts({ values }: { values: [string, Scalar][] }) {
  return (
    <dl className="facts left">
      {values.map(([name, value]) => (
        <FactRow key={name} name={humanise(name)} value={write(value)} />
      ))}
    </dl>
  );
}

function FactRow({ name, value }: { name: string; value: string }) {
  return <><dt className="wrap-anywhere">{name}</dt><dd>{value}</dd></>;
}
