import type { EvidenceNote, LedgerEntry } from '../../api/evidence';
import { sentence } from '../../evidence/words';
import { Time } from '../../ui';

const did = ({ kind, by }: EvidenceNote) => (kind === 'approved' ? `${by} answers for its assumptions.` : kind === 'retired' ? `${by} retired it.` : `Used by ${by}.`);

/** Everything that happened to a record, first to last. */
export function Notes({ entry: { recorded_at, notes } }: { entry: LedgerEntry }) {
  const all = [{ at: recorded_at, said: 'Recorded.', text: '' }, ...notes.map((note) => ({ at: note.at, said: did(note), text: sentence(note.text) }))];
  return (
    <ol className="note-list">
      {all.sort((a, b) => Date.parse(a.at) - Date.parse(b.at)).map(({ at, said, text }) => (
        <li key={`${at}/${said}/${text}`}><Time at={at} absolute /><span className="wrap-anywhere"><strong>{said}</strong> {text}</span></li>
      ))}
    </ol>
  );
}
