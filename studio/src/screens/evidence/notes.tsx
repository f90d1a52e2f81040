import type { EvidenceNote, LedgerEntry } from '../../api/evidence';
import { sentence } from '../../evidence/words';
import { Time } from '../../ui';

const did = ({ kind, by }: EvidenceNote) => (kind === 'approved' ? `${by} answers for its assumptions.` : kind === 'retired' ? `${by} retired it.` : `Used by ${by}.`);

/** Everything that happened to a record, first to last. */
export function Notes({ entry: { recorded_at, notes } }: { entry: LedgerEntry }) {
  const ordered = [...notes].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  return (
    <ol className="note-list">
      <li><Time at={recorded_at} absolute /><span>Recorded.</span></li>
      {ordered.map((note) => (
        <li key={`${note.kind}/${note.by}/${note.at}/${note.text}`}>
          <Time at={note.at} absolute />
          <span className="wrap-anywhere"><strong>{did(note)}</strong> {sentence(note.text)}</span>
        </li>
      ))}
    </ol>
  );
}
