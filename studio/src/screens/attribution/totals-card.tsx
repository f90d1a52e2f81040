import { count, decimal, money } from '../../format';
import type { Attribution } from '../../api/types';
import { Badge, Card, type Column, DataTable } from '../../ui';
import { type Measure, type Reconciled, reconcile } from './figures';

/** The proof that nothing is lost or counted twice on this screen. */
export function TotalsCard({ data, measure }: { data: Attribution; measure: Measure }) {
  const write = (value: number) => (measure === 'value' ? money(value, data.currency) : decimal(value, Math.abs(value - Math.round(value)) < 0.05 ? 0 : 1));
  const spend = data.channels.reduce((sum, channel) => sum + (channel.spend ?? 0), 0);
  const columns: Column<Reconciled>[] = [
    { accessorKey: 'title', header: 'Model', meta: { rowHeader: true } },
    { accessorKey: 'sum', header: 'Sum over channels', meta: { numeric: true }, cell: ({ row }) => write(row.original.sum) },
    { accessorKey: 'total', header: measure === 'value' ? 'Value of conversions' : 'Conversions', meta: { numeric: true }, cell: ({ row }) => write(row.original.total) },
    {
      id: 'off', accessorFn: (row) => Math.abs(row.off ?? 0), header: 'Ties out', meta: { numeric: true },
      cell: ({ row }) => (row.original.off === null ? <Badge tone="good">✓ exact</Badge> : <Badge tone="bad">off by {write(row.original.off)}</Badge>),
    },
  ];
  return (
    <Card
      title="Totals" flush
      note={<>
        Every model shares out the same {count(data.totals.conversions)} conversions worth {money(data.totals.value, data.currency)}.
        {' '}{count(data.totals.paths_without_conversion)} paths ended without one. Spend in all: {money(spend, data.currency)}.
      </>}
    >
      <DataTable caption="Sum of every model over all channels" rows={reconcile(data, measure)} columns={columns} rowId={(row) => row.id} />
    </Card>
  );
}
