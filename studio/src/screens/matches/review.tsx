import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { matchCommands, type Matches, type MatchPair } from '../../api/matches';
import { count, plural } from '../../format';
import { useMay } from '../../session';
import { useKeys } from '../../shell/keys';
import { Button, Card, ProblemLine } from '../../ui';
import { PairView } from './pair';
import { keyOf } from './words';

interface Done {
  pair: MatchPair;
  text: string;
}

/** One pair after the other. Skipped pairs come again at the end. */
export function Review({ matches, currency }: { matches: Matches; currency: string }) {
  const may = useMay();
  const client = useQueryClient();
  const [skipped, setSkipped] = useState<string[]>([]);
  const [opened, setOpened] = useState<MatchPair | null>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const [done, setDone] = useState<Done | null>(null);

  const order = (pair: MatchPair) => skipped.lastIndexOf(keyOf(pair));
  const queue = [...matches.items].sort((a, b) => order(a) - order(b));
  const pair = queue[0]!;
  const said = opened && keyOf(opened) === keyOf(pair) ? opened.said : null;
  const decides = may('decideMatch');

  async function act(work: () => Promise<void>) {
    if (busy) return;
    setBusy(true);
    setProblem(null);
    try {
      await work();
    } catch (failed) {
      setProblem(failed);
    }
    setBusy(false);
  }
  const decide = (same: boolean) => () => {
    if (!decides) return;
    void act(async () => {
      await matchCommands.decide(pair, same, '');
      setDone({ pair, text: same ? 'Joined: the next run makes them one person.' : 'Parted: the next run keeps them apart.' });
      await client.invalidateQueries({ queryKey: ['matches'] });
    });
  };
  const undo = () => {
    if (!done || !decides) return;
    void act(async () => {
      await matchCommands.decide(done.pair, null, '');
      setDone(null);
      await client.invalidateQueries({ queryKey: ['matches'] });
    });
  };
  const skip = () => {
    setDone(null);
    setSkipped((all) => [...all, keyOf(pair)]);
  };
  const open = () => {
    if (!may('openMatch') || said) return;
    void act(async () => setOpened(await matchCommands.open(pair)));
  };
  useKeys({ j: decide(true), p: decide(false), s: skip, z: undo, v: open });

  return (
    <Card
      title="One person or two?"
      note={<>
        {plural(matches.total, 'pair')} left{matches.draw && <> of the {count(matches.draw.pairs)} in draw {matches.draw.draw}</>}, those first
        that carry the most uncertain money.
      </>}
    >
      <div className="stack">
        <PairView pair={pair} said={said} currency={currency} />
        <div className="row match-actions">
          {decides && <Button look="primary" isDisabled={busy} onPress={decide(true)}>Join: one person</Button>}
          {decides && <Button isDisabled={busy} onPress={decide(false)}>Part: two people</Button>}
          <Button isDisabled={busy} onPress={skip}>Skip</Button>
          {may('openMatch') && !said && <Button isDisabled={busy} onPress={open}>Show the records</Button>}
          {done && decides && <Button isDisabled={busy} onPress={undo}>Undo the last</Button>}
        </div>
        <p className="keys small muted">
          Keys: <kbd>j</kbd> join, <kbd>p</kbd> part, <kbd>s</kbd> skip, <kbd>v</kbd> show the records, <kbd>z</kbd> undo
        </p>
        <p className="small" role="status">{done?.text ?? ''}</p>
        {problem !== null && <ProblemLine problem={problem} />}
      </div>
    </Card>
  );
}
