import { count, decimal, humanise, money, percent, plural } from '../../format';
import type { Attribution } from '../../api/types';
import { Badge, Card, type Column, DataTable } from '../../ui';
import { type Reconciled, reconcile, type Shared } from './figures';

/** The proof that nothing is lost or counted twice on this screen. */
export function TotalsCard({ data, of }: { data: Attribution; of: Shared }) {
  const write = (value: number) => (of === 'value' ? money(value, data.currency) : decimal(value, Math.abs(value - Math.round(value)) < 0.05 ? 0 : 1));
  const spend = data.channels.reduce((sum, channel) => sum + (channel.spend ?? 0), 0);
  const { conversions_without_touch: untouched } = data.totals;
  const columns: Column<Reconciled>[] = [
    { accessorKey: 'title', header: 'Model', meta: { rowHeader: true } },
    { accessorKey: 'sum', header: 'Sum over channels', meta: { numeric: true }, cell: ({ row }) => write(row.original.sum) },
    { accessorKey: 'total', header: of === 'value' ? 'Value of conversions' : 'Conversions', meta: { numeric: true }, cell: ({ row }) => write(row.original.total) },
    { id: 'off', accessorFn: (row) => Math.abs(row.off ?? 0), header: 'Ties out', meta: { numeric: true }, cell: ({ row }) => <Ties row={row.original} write={write} /> },
  ];
  return (
    <Card
      title="Totals" flush
      note={<>
        Every model shares out the same {count(data.totals.conversions)} conversions worth {money(data.totals.value, data.currency)}.
        {data.part
          ? data.part.has_spend && ` Spend of the part on these channels: ${money(spend, data.currency)}.`
          : ` ${count(data.totals.paths_without_conversion)} paths ended without one. Spend in all: ${money(spend, data.currency)}.`}
        {identityWords(data)}
        {data.incremental?.baseline && <> What evidence says adds up with what no channel caused{untouched > 0 && of === 'conversions' && `, and with ${plural(untouched, 'conversion')} that no touch preceded`}.</>}
      </>}
    >
      <DataTable caption="Sum of every model over all channels" rows={reconcile(data, of)} columns={columns} rowId={(row) => row.id} />
    </Card>
  );
}

/** How much of the width of intervals comes from not knowing who is whom: of the channel and model where it is most. */
export function identityWords({ channels, models }: Attribution): string {
  const all = channels.flatMap(({ channel, credits }) => Object.entries(credits).flatMap(([id, credit]) =>
    typeof credit.identity_share === 'number' ? [{ channel, id, share: credit.identity_share, interval: credit.identity_share_interval }] : []));
  const most = all.sort((a, b) => b.share - a.share)[0];
  if (!most) return '';
  const model = models.find(({ id }) => id === most.id)?.title ?? most.id;
  const range = most.interval ? `, ${percent(most.interval[0])} to ${percent(most.interval[1])}` : '';
  return ` Intervals count that links between identifiers are uncertain: it makes up at most ${percent(most.share)} of a variance (${humanise(most.channel)}, ${model}${range}).`;
}

function Ties({ row: { off, exempt }, write }: { row: Reconciled; write: (value: number) => string }) {
  if (exempt) return <span title="It credits everyone on a path in full, so it adds up to more than there is"><Badge>not meant to</Badge></span>;
  return off === null ? <Badge tone="good">✓ exact</Badge> : <Badge tone="bad">off by {write(off)}</Badge>;
}
