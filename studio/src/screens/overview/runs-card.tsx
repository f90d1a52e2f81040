import { useQuery } from '@tanstack/react-query';
import { url } from '../../api/client';
import { queries } from '../../api/queries';
import type { RunItem } from '../../api/types';
import { duration } from '../../format';
import { Badge, Card, type Column, DataTable, ProblemView, Skeleton, Time, type Tone } from '../../ui';

const TONES: Record<RunItem['status'], Tone> = {
  running: 'accent', succeeded: 'good', failed: 'bad', cancelled: 'plain', abandoned: 'warn',
};
const seconds = ({ started_at, finished_at }: RunItem) =>
  finished_at ? (Date.parse(finished_at) - Date.parse(started_at)) / 1000 : null;

const COLUMNS: Column<RunItem>[] = [
  {
    accessorKey: 'run_seq', enableSorting: false, header: 'Run', meta: { rowHeader: true },
    cell: ({ row }) => <a href={url(`/runs/${row.original.run_seq}/report.html`)}>{row.original.run_seq}</a>,
  },
  {
    accessorKey: 'status', enableSorting: false, header: 'Result',
    cell: ({ row: { original: run } }) => (
      <span className="stack-s">
        <span><Badge tone={TONES[run.status]}>{run.status}</Badge></span>
        {run.error && <span className="small wrap-anywhere">{run.error}</span>}
      </span>
    ),
  },
  {
    accessorKey: 'started_at', enableSorting: false, header: 'Started',
    cell: ({ row: { original: run } }) => (
      <>
        <Time at={run.started_at} />
        {run.finished_at && <span className="muted"><br />took {duration(seconds(run))}</span>}
      </>
    ),
  },
];

/** The last runs; each number opens the run's own page. */
export function RunsCard() {
  const runs = useQuery(queries.runs());
  return (
    <Card title="Last runs" flush>
      {runs.isPending && <div className="card-body"><Skeleton lines={[100, 100, 100]} height={28} /></div>}
      {runs.error && <ProblemView problem={runs.error} onRetry={() => void runs.refetch()} />}
      {runs.data && <DataTable caption="Last runs" rows={runs.data.items} columns={COLUMNS} rowId={(run) => String(run.run_seq)} />}
    </Card>
  );
}
