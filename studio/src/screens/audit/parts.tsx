import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { count } from '../../format';
import { actorOf, type People } from './people';

/** Opens a record over the page as it is, filters and all. */
export function RecordLink({ seq, id, children }: { seq: number; id?: string; children?: ReactNode }) {
  return (
    <Link id={id} to="/audit" search={(all) => ({ ...all, record: seq })}>
      {children ?? `record ${count(seq)}`}
    </Link>
  );
}

/** Who, and under that how the record has it where that differs. */
export function ActorName({ actor, people }: { actor: string; people: People }) {
  const { name, recorded } = actorOf(actor, people);
  return (
    <span className="actor">
      <span>{name}</span>
      {recorded !== null && <span className="mono muted">{recorded}</span>}
    </span>
  );
}
