import type { QuarantinedRow, Source, SourceDrift } from '../../api/types';
import { count, NONE } from '../../format';
import { Badge, Card, type Column, CopyButton, DataTable, Id } from '../../ui';
import { age, change, meaning, watermark } from './figures';

const figure = (id: string, header: string, of: (source: Source) => number): Column<Source> =>
  ({ id, header, accessorFn: of, meta: { numeric: true }, cell: ({ row }) => count(of(row.original)) });

const SOURCES: Column<Source>[] = [
  { id: 'source', header: 'Source', accessorFn: ({ source }) => source, meta: { rowHeader: true } },
  { id: 'connector', header: 'Connector', accessorFn: ({ connector }) => connector ?? 'not in the project' },
  figure('files', 'Files', ({ files }) => files),
  figure('events', 'Events', ({ events }) => events),
  figure('spend', 'Rows of spend', ({ spend_rows }) => spend_rows),
  figure('quarantined', 'In quarantine', ({ quarantined }) => quarantined),
  { id: 'watermark', header: 'Up to', accessorFn: ({ age_hours }) => -(age_hours ?? Infinity), cell: ({ row }) => watermark(row.original) },
  { id: 'age', header: 'Age', accessorFn: ({ age_hours }) => age_hours ?? -1, meta: { numeric: true }, cell: ({ row }) => age(row.original) },
  {
    id: 'last', header: 'Read last', accessorFn: ({ last_file }) => last_file ?? '',
    cell: ({ row: { original } }) => original.last_file
      ? <span className="stack-s"><span className="mono small wrap-anywhere">{original.last_file}</span><span className="muted small">run {original.last_read_in_run}</span></span>
      : NONE,
  },
];

export function SourcesCard({ sources }: { sources: Source[] }) {
  return (
    <Card title="How they stand" flush note="Rows are counted one by one, so these figures are exact and have no interval. Up to: the newest event, or the newest date of spend.">
      <DataTable caption="Sources" rows={sources} columns={SOURCES} rowId={({ source }) => source} stacked />
    </Card>
  );
}

export function WarningsCard({ sources }: { sources: Source[] }) {
  const all = sources.flatMap(({ source, warnings }) => warnings.map((warning) => ({ source, ...warning })));
  return (
    <Card title="To look at">
      {all.length === 0 && <p className="small">Nothing: columns are as they were, and no file is gone.</p>}
      <ul className="plain stack-m">
        {all.map(({ source, code, message, help }) => (
          <li key={`${source}/${message}`} className="stack-s">
            <span className="wrap-anywhere"><Badge tone="warn">{code}</Badge> {message}</span>
            {help && <span className="small muted">{help}</span>}
          </li>
        ))}
      </ul>
    </Card>
  );
}

type Different = SourceDrift & { source: string };

const DRIFT: Column<Different>[] = [
  { id: 'source', header: 'Source', accessorFn: ({ source }) => source, meta: { rowHeader: true } },
  { id: 'column', header: 'Column', accessorFn: ({ column }) => column, cell: ({ row }) => <span className="mono wrap-anywhere">{row.original.column}</span> },
  { id: 'change', header: 'What is different', accessorFn: change },
  { id: 'used', header: 'Mapping', accessorFn: ({ used }) => (used ? 'reads it' : 'does not read it') },
  { id: 'file', header: 'File', accessorFn: ({ file }) => file, cell: ({ row }) => <span className="mono small wrap-anywhere">{row.original.file}</span> },
];

export function DriftCard({ sources }: { sources: Source[] }) {
  const rows = sources.flatMap(({ source, drift }) => drift.map((item) => ({ ...item, source })));
  return (
    <Card title="Columns that changed" flush={rows.length > 0} note="Files that were read last, held against what was read before them.">
      {rows.length > 0
        ? <DataTable caption="Columns that changed" rows={rows} columns={DRIFT} rowId={(row) => `${row.source}/${row.file}/${row.column}`} stacked />
        : <p className="small">No column changed.</p>}
    </Card>
  );
}

const ROWS: Column<QuarantinedRow>[] = [
  {
    id: 'place', header: 'Where', accessorFn: ({ file, line }) => `${file}:${line ?? ''}`, meta: { rowHeader: true },
    cell: ({ row: { original } }) => <span className="mono small wrap-anywhere">{original.file}{original.line ? `, line ${original.line}` : ''}</span>,
  },
  { id: 'reason', header: 'Why', accessorFn: ({ reason }) => reason ?? '', cell: ({ row }) => <span className="wrap-anywhere">{row.original.reason}</span> },
  {
    id: 'stand', header: 'Decided', accessorFn: ({ corrected, label }) => `${corrected}${label ?? ''}`,
    cell: ({ row: { original } }) => (
      <span>{original.corrected ? 'corrected' : 'nothing yet'}{original.label ? `, ${original.label}` : ''}{original.author ? ` by ${original.author}` : ''}</span>
    ),
  },
  {
    id: 'row', header: 'Row', accessorFn: ({ row }) => row,
    cell: ({ row: { original } }) => <span><Id id={original.row} /> <CopyButton label="Copy the command that shows it" text={`throughline quarantine show ${original.row}`} /></span>,
  },
];

export function QuarantineCard({ sources }: { sources: Source[] }) {
  const groups = sources.flatMap(({ source, quarantine }) => quarantine.map((group) => ({ source, ...group })));
  const corrected = sources.reduce((sum, source) => sum + source.corrected, 0);
  return (
    <Card
      title="Quarantine"
      note={<>Rows that cannot be used, with the reason; the rows themselves stay sealed. <code>throughline quarantine</code> opens them on record, corrects them and takes corrections back.{corrected > 0 && ` Corrected and in use: ${count(corrected)}.`}</>}
    >
      {groups.length === 0 && <p className="small">No row is in quarantine.</p>}
      <div className="stack-m">
        {groups.map(({ source, code, rows, samples }) => (
          <details key={`${source}/${code}`}>
            <summary className="small">{source}: {code} {meaning(code)}, {count(rows)}{samples.length < rows ? ` (${samples.length} shown)` : ''}</summary>
            <DataTable caption={`${source}, ${meaning(code)}`} rows={samples} columns={ROWS} rowId={(row) => `${row.file}:${row.line}`} stacked />
          </details>
        ))}
      </div>
    </Card>
  );
}
