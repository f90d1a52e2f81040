import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { matchCommands, type MatchPair, matchQueries } from '../../api/matches';
import { money } from '../../format';
import { useMay } from '../../session';
import { Button, Card, type Column, DataTable, Id, ProblemLine } from '../../ui';
import { keyOf, probability } from './words';

/** Decisions that stand, each to be taken back. */
export function Decided({ currency }: { currency: string }) {
  const may = useMay();
  const client = useQueryClient();
  const { data } = useQuery(matchQueries.list('decided'));
  const [problem, setProblem] = useState<unknown>(null);
  if (!data || data.items.length === 0) return null;

  async function undo(pair: MatchPair) {
    setProblem(null);
    try {
      await matchCommands.decide(pair, null, '');
      await client.invalidateQueries({ queryKey: ['matches'] });
    } catch (failed) {
      setProblem(failed);
    }
  }
  const columns: Column<MatchPair>[] = [
    { id: 'pair', header: 'Records', accessorFn: ({ token }) => token, meta: { rowHeader: true }, cell: ({ row: { original } }) => <><Id id={original.token} /> <Id id={original.other_token} /></> },
    { id: 'sources', header: 'Sources', accessorFn: ({ sources }) => sources.join(' and ') },
    { id: 'probability', header: 'Probability', accessorFn: ({ probability: p }) => p, meta: { numeric: true }, cell: ({ row }) => probability(row.original.probability) },
    { id: 'value', header: 'At stake', accessorFn: ({ value }) => value, meta: { numeric: true }, cell: ({ row }) => money(row.original.value, currency) },
    { id: 'decided', header: 'Decided', accessorFn: ({ decided }) => (decided ? 'one person' : 'two people') },
  ];
  if (may('decideMatch')) {
    columns.push({
      id: 'undo', header: 'Take back', enableSorting: false,
      cell: ({ row }) => <Button onPress={() => void undo(row.original)} aria-label={`Undo the decision about ${row.original.token}`}>Undo</Button>,
    });
  }
  return (
    <Card title="Decided" note="The next run follows these. What is taken back goes by the evidence again." flush>
      <DataTable caption="Decisions about pairs" rows={data.items} columns={columns} rowId={keyOf} stacked />
      {problem !== null && <ProblemLine problem={problem} />}
    </Card>
  );
}
