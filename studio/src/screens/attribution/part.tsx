import type { Attribution, Part } from '../../api/types';
import { EmptyState } from '../../ui';

export const NO_SPEND = 'spend is told by day and place, not by device, cohort or segment';

interface PartProps {
  part: Part;
  /** Credit of all journeys: it names what a part has not. */
  whole: Attribution;
}

/** What is not told of a part, and why. */
export function PartNotes({ part, whole }: PartProps) {
  const title = (id: string) => whole.models.find((each) => each.id === id)?.title || id;
  const left = part.without_parts.map(title);
  const unsplit = part.without_parts.filter((id) => !whole.models.some((each) => each.id === `path:${id}`));
  if (left.length === 0 && part.has_spend && !whole.incremental) return null;
  return (
    <ul className="small muted stack-s" aria-label="What is not told of a part">
      {left.length > 0 && (
        <li className="wrap-anywhere">
          Left out: {left.join('; ')}. {left.length === 1 ? 'It credits' : 'They credit'} all journeys together, so there is no credit of a part.
          {unsplit.length > 0 && <> Write <code>{`path:${unsplit[0]}`}</code> in <code>attribution.yaml</code> to have one path by path.</>}
        </li>
      )}
      {!part.has_spend && <li>No spend, cost per conversion or return on spend, because {NO_SPEND}.</li>}
      {whole.incremental && <li>What channels caused is left out: experiments hold for the journeys they were about, not for a part of them.</li>}
    </ul>
  );
}

/** Nothing is credited in a part. */
export function EmptyPart({ part, unsplit }: { part: Part; unsplit: boolean }) {
  if (unsplit) return <EmptyState title="No model here has parts"><p>Every model credits all journeys together. Write one as <code>path:MODEL</code> in <code>attribution.yaml</code>, or add one that splits each path, such as <code>linear</code>.</p></EmptyState>;
  return (
    <EmptyState title={part.journeys === 0 ? 'No journey fits' : 'No conversion in this part'}>
      <p>{part.journeys === 0 ? 'No journey has all of this. Take a filter away, or choose something else.' : 'None of its journeys ended in a conversion.'}</p>
    </EmptyState>
  );
}
