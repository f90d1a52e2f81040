import { useState } from 'react';
import type { Json } from '../../api/govern';
import { exact, exactMoney, plural } from '../../format';
import { Badge, Button, Card, type Column, DataTable, type Tone } from '../../ui';
import { useCurrency } from './currency';
import { diff, type DiffRow, type Leaf, pathText, unitOf, visible } from './diff';

/** More rows than anybody reads are shown on demand. */
const MANY = 100;

const STATES: Record<Exclude<DiffRow['state'], 'same'>, { text: string; tone: Tone }> = {
  changed: { text: 'Changed', tone: 'warn' },
  added: { text: 'Added', tone: 'good' },
  removed: { text: 'Removed', tone: 'bad' },
};

/** What is now and what would be, part by part. */
export function Changes({ before, after }: { before: Json; after: Json }) {
  const currency = useCurrency();
  const [open, setOpen] = useState(false);
  const rows = before === null && after === null ? [] : diff(before, after);
  const changed = rows.filter(({ state }) => state !== 'same');
  const same = rows.filter(({ state }) => state === 'same');
  const note = before === null && after !== null ? 'Nothing was there before: all of it is new.' : undefined;
  return (
    <Card title="What would change" note={note} flush={rows.length > 0}>
      {rows.length === 0 && <p className="small muted">Nothing was written down about what is and what would be.</p>}
      {rows.length > 0 && changed.length === 0 && <p className="small muted changes-none">Both sides say the same.</p>}
      {changed.length > 0 && <Rows caption="Changed parts" rows={changed} currency={currency} />}
      {same.length > 0 && (
        <details className="changes-same" onToggle={(event) => setOpen(event.currentTarget.open)}>
          <summary>{plural(same.length, 'part')} unchanged</summary>
          {open && <Rows caption="Unchanged parts" rows={same} currency={currency} unchanged />}
        </details>
      )}
    </Card>
  );
}

interface RowsProps {
  caption: string;
  rows: DiffRow[];
  currency: string | undefined;
  unchanged?: boolean;
}

function Rows({ caption, rows, currency, unchanged = false }: RowsProps) {
  const [all, setAll] = useState(false);
  const shown = all ? rows : rows.slice(0, MANY);
  return (
    <DataTable
      caption={caption} rows={shown} rowId={(row) => row.key || 'all'} columns={columns(currency, unchanged)} stacked
      footer={shown.length < rows.length
        ? <Button onPress={() => setAll(true)}>Show all {plural(rows.length, 'part')}</Button>
        : undefined}
    />
  );
}

function columns(currency: string | undefined, same: boolean): Column<DiffRow>[] {
  const part: Column<DiffRow> = {
    id: 'part', header: 'Part', enableSorting: false, meta: { rowHeader: true }, cell: ({ row }) => <PathText path={row.original.path} />,
  };
  if (same) {
    return [part, { id: 'value', header: 'Value', enableSorting: false, cell: ({ row: { original: row } }) => <Value text={texts(row, currency)[1]} /> }];
  }
  return [
    part,
    {
      id: 'state', header: 'Change', enableSorting: false,
      cell: ({ row: { original: { state } } }) => state !== 'same' && <Badge tone={STATES[state].tone}>{STATES[state].text}</Badge>,
    },
    { id: 'before', header: 'Before', enableSorting: false, cell: ({ row: { original: row } }) => <Value text={texts(row, currency)[0]} gone={row.state !== 'added'} /> },
    { id: 'after', header: 'After', enableSorting: false, cell: ({ row: { original: row } }) => <Value text={texts(row, currency)[1]} /> },
  ];
}

function PathText({ path }: { path: string[] }) {
  const parts = pathText(path);
  if (parts.length === 0) return <span>All of it</span>;
  return (
    <span className="diff-path">
      {parts.map((part, at) => (
        <span key={at}>{at > 0 && <span className="muted" aria-hidden="true"> › </span>}{part}</span>
      ))}
    </span>
  );
}

function Value({ text, gone }: { text: string | null; gone?: boolean }) {
  if (text === null) return <span className="muted">–<span className="visually-hidden"> not there</span></span>;
  return gone ? <del className="diff-value">{text}</del> : <span className="diff-value">{text}</span>;
}

/** Both sides in words; null where there is nothing. What differs never reads the same: then it is written as JSON. */
export function texts({ path, state, before, after }: Pick<DiffRow, 'path' | 'state' | 'before' | 'after'>, currency: string | undefined): [string | null, string | null] {
  const [was, is] = [before, after].map((value) => (value === undefined ? null : leafText(path, value, currency))) as [string | null, string | null];
  if (state !== 'changed' || was !== is) return [was, is];
  return [visible(JSON.stringify(before)), visible(JSON.stringify(after))];
}

function leafText(path: string[], value: Leaf, currency: string | undefined): string {
  if (value === null) return 'null';
  if (value === '') return 'empty text';
  if (typeof value === 'number') return figure(path, value, currency);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'string') return visible(value);
  if (!Array.isArray(value)) return 'empty object';
  return value.length === 0 ? 'empty list' : value.map((item) => leafText([], item, currency)).join(', ');
}

function figure(path: string[], value: number, currency: string | undefined): string {
  const unit = unitOf(path);
  const money = (units: number) => (currency === undefined ? exact(units) : exactMoney(units, currency));
  if (unit === 'micros') return money(value / 1_000_000);
  if (unit === 'money') return money(value);
  return unit === 'hours' ? `${exact(value)} h` : exact(value);
}
