import type { DecisionRow, DeliveryRow } from '../../api/types';
import { humanise } from '../../format';
import { Badge, type Column, DataTable, Id, Time } from '../../ui';
import { deliveryReason, STATUS_TONES } from './words';

const COLUMNS: Column<DeliveryRow>[] = [
  {
    accessorKey: 'destination', header: 'Destination', enableSorting: false, meta: { rowHeader: true },
    cell: ({ row }) => humanise(row.original.destination),
  },
  {
    accessorKey: 'status', header: 'Fate', enableSorting: false,
    cell: ({ row: { original: item } }) => (
      <span className="row">
        <Badge tone={STATUS_TONES[item.status] ?? 'plain'}>{item.status}</Badge>
        {item.reason && <span className="small muted">{deliveryReason(item.reason)}</span>}
      </span>
    ),
  },
  { accessorKey: 'planned_at', header: 'Planned', enableSorting: false, cell: ({ row }) => <Time at={row.original.planned_at} absolute /> },
  {
    accessorKey: 'batch_id', header: 'Batch', enableSorting: false,
    cell: ({ row }) => (row.original.batch_id ? <Id id={row.original.batch_id} /> : <span className="muted">in none</span>),
  },
];

/** What became of the decision at each destination. */
export function Deliveries({ decision, deliveries }: { decision: DecisionRow; deliveries: DeliveryRow[] }) {
  if (deliveries.length === 0) {
    return (
      <p className="small muted">
        {decision.action === 'none' ? 'Nothing was decided that could be delivered.' : 'No destination has taken up this decision.'}
      </p>
    );
  }
  return (
    <DataTable
      caption="Deliveries" rows={deliveries} columns={COLUMNS} stacked
      rowId={(row) => `${row.destination}/${row.batch_id}/${row.planned_at}/${row.status}`}
    />
  );
}
