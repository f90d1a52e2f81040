import { useQuery, useQueryClient } from '@tanstack/react-query';
import { createLazyRoute, Link } from '@tanstack/react-router';
import { useState } from 'react';
import { matchCommands, type Matches, matchQueries } from '../../api/matches';
import { queries } from '../../api/queries';
import { plural } from '../../format';
import { useMay } from '../../session';
import { Button, EmptyState, Page, ProblemLine, ProblemView, Skeleton } from '../../ui';
import { AccuracyCards } from './accuracy';
import { Decided } from './decided';
import { Review } from './review';
import './matches.css';

export const Route = createLazyRoute('/app/matches')({ component: MatchesScreen });

/** Pairs of one draw from the studio. */
const SIZE = 50;

function MatchesScreen() {
  const may = useMay();
  const { data, error, isPending, refetch } = useQuery(matchQueries.list('queue'));
  const { data: line } = useQuery({ ...queries.line(), enabled: may('getLine') });
  const currency = line?.project.currency ?? 'EUR';
  return (
    <Page
      title="Matches"
      lead="Records of two sources that may be of one person. What you decide becomes part of the next run, and tells how accurate matching is."
    >
      {error && <ProblemView problem={error} onRetry={() => void refetch()} />}
      {isPending && !error && <Skeleton lines={[100]} height={360} />}
      {data && (data.items.length > 0 ? <Review matches={data} currency={currency} /> : <Nothing matches={data} />)}
      <Decided currency={currency} />
      <AccuracyCards />
    </Page>
  );
}

function Nothing({ matches }: { matches: Matches }) {
  const may = useMay();
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const { draw } = matches;
  const empty = draw !== null && draw.pairs === 0;
  async function next() {
    setBusy(true);
    setProblem(null);
    try {
      await matchCommands.draw(SIZE);
      await client.invalidateQueries({ queryKey: ['matches'] });
    } catch (failed) {
      setProblem(failed);
    }
    setBusy(false);
  }
  const action = may('drawMatches')
    ? <Button look="primary" isPending={busy} onPress={() => void next()}>Draw {SIZE} pairs</Button>
    : <Link to="/">Go to the line</Link>;
  return (
    <div className="card">
      <EmptyState title={draw === null ? 'No pairs were drawn yet' : empty ? 'Nothing to look at' : 'Every drawn pair is decided'} action={action}>
        <p>
          {empty
            ? `Draw ${draw.draw} found no pair that nobody had decided about. Pairs come from sources that map a profile.`
            : 'Pairs are drawn with known probabilities, those more often that are uncertain and carry money. So a few decisions tell the accuracy of all matches.'}
        </p>
        {draw !== null && !empty && <p>Draw {draw.draw} had {plural(draw.pairs, 'pair')}.</p>}
      </EmptyState>
      {problem !== null && <ProblemLine problem={problem} />}
    </div>
  );
}
