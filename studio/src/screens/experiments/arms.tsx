import type { Arm, Reading } from '../../api/evidence';
import { anyNumber } from '../../evidence/words';
import { count, effect, humanise, NONE } from '../../format';
import { Card, type Column, DataTable } from '../../ui';

/** Means of every metric in every arm, with their standard errors. */
export function ArmsCard({ reading: { arms } }: { reading: Reading }) {
  const metrics = [...new Set(arms.flatMap((arm) => arm.metrics.map(({ metric }) => metric)))];
  const columns: Column<Arm>[] = [
    { id: 'arm', header: 'Arm', accessorFn: ({ arm }) => arm, meta: { rowHeader: true }, cell: ({ row }) => <span className="item-name">{humanise(row.original.arm)}</span> },
    { id: 'units', header: 'People', accessorFn: ({ units }) => units, meta: { numeric: true }, cell: ({ row }) => count(row.original.units) },
    ...metrics.map((metric): Column<Arm> => {
      const of = (arm: Arm) => arm.metrics.find((each) => each.metric === metric);
      return {
        id: `metric:${metric}`, header: humanise(metric), accessorFn: (arm) => of(arm)?.mean, meta: { numeric: true },
        cell: ({ row }) => {
          const { mean, std_error: error } = of(row.original) ?? { mean: null, std_error: null };
          if (mean === null || mean === undefined) return <span>{NONE}<span className="visually-hidden"> not known</span></span>;
          return <span>{anyNumber(mean)} <span className="muted small">± {effect(error)}</span></span>;
        },
      };
    }),
  ];
  return (
    <Card title="Arms" flush note="Means, with their standard errors after ±.">
      <DataTable caption="Means by arm" rows={arms} columns={columns} rowId={({ arm }) => arm} stacked />
    </Card>
  );
}
