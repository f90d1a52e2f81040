import type { Json } from '../../api/govern';
import { count, exact, humanise, plural } from '../../format';
import { Time } from '../../ui';
import { visible } from '../approvals/diff';

/** Longer texts are folded. Sealed bytes are nothing to read; what somebody wrote is, up to a point. */
const LONGEST_CODE = 160;
const LONGEST_TEXT = 1_000;
const FOLDED_SHOWS = 24;

const isInstant = (text: string) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(text) && !Number.isNaN(Date.parse(text));
/** Hashes and ids are compared letter by letter. */
const isCode = (text: string) => /^[0-9a-f]{16,}$/i.test(text);

function Text({ text }: { text: string }) {
  if (text === '') return <span className="muted">empty text</span>;
  if (isInstant(text)) return <><Time at={text} absolute /> <span className="mono muted exact">{text}</span></>;
  const shown = visible(text);
  const code = isCode(text);
  const className = code ? 'mono' : 'as-written';
  if (shown.length <= (code ? LONGEST_CODE : LONGEST_TEXT)) return <span className={className}>{shown}</span>;
  return (
    <details>
      <summary><span className={className}>{shown.slice(0, FOLDED_SHOWS)}…</span> <span className="muted">{plural(shown.length, 'character')}</span></summary>
      <span className={className}>{shown}</span>
    </details>
  );
}

function Figure({ value }: { value: number }) {
  if (Number.isSafeInteger(value) || !Number.isInteger(value)) return <>{exact(value)}</>;
  return <>{exact(value)} <span className="muted">(rounded: it has more digits than a browser keeps)</span></>;
}

/** Whether a value needs the width of the row: fields, or a list of things that have some. */
const holdsMore = (value: Json): boolean =>
  value !== null && typeof value === 'object' && (Array.isArray(value) ? value.some(holdsMore) : Object.keys(value).length > 0);

/** A value of a record's payload, with everything that it holds. */
export function Payload({ value }: { value: Json }) {
  if (value === null) return <span className="muted">nothing</span>;
  if (typeof value === 'boolean') return <>{value ? 'yes' : 'no'}</>;
  if (typeof value === 'number') return <Figure value={value} />;
  if (typeof value === 'string') return <Text text={value} />;
  if (Array.isArray(value)) {
    if (value.length === 0) return <span className="muted">empty list</span>;
    // Thousands have commas.
    if (value.every((item) => typeof item === 'number' && Number.isSafeInteger(Math.trunc(item)))) return <>{value.map((item) => exact(item as number)).join('; ')}</>;
    return <ol className="payload-list">{value.map((item, at) => <li key={at}><Payload value={item} /></li>)}</ol>;
  }
  const entries = Object.entries(value);
  if (entries.length === 0) return <span className="muted">nothing more</span>;
  return (
    <dl className="payload">
      {entries.map(([name, item]) => (
        <div key={name} className={holdsMore(item) ? 'holds-more' : undefined}>
          <dt>{visible(humanise(name))}{Array.isArray(item) && item.length > 1 && <span className="muted"> · {count(item.length)}</span>}</dt>
          <dd><Payload value={item} /></dd>
        </div>
      ))}
    </dl>
  );
}
