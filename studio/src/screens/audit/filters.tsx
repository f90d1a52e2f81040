import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useEffect, useState } from 'react';
import { Input, Label, TextField } from 'react-aria-components';
import type { AuditItem } from '../../api/govern';
import { Button, Select } from '../../ui';
import { visible } from '../approvals/diff';
import { actorOf, type People, recordedName } from './people';
import type { AuditFilter } from './route';
import { KIND_NAMES, kindTitle } from './words';

/** No kind is a single asterisk. */
const ALL = '*';

interface FiltersProps {
  filter: AuditFilter;
  /** Records in sight: kinds and actors that are offered besides the known ones. */
  rows: AuditItem[];
  people: People;
}

/** Filters that live in the address. */
export function Filters({ filter, rows, people }: FiltersProps) {
  const navigate = useNavigate();
  const change = (part: AuditFilter) => void navigate({ to: '/audit', search: (all) => ({ ...all, ...part, record: undefined }) });
  const kinds = [...new Set([...KIND_NAMES, ...rows.map(({ kind }) => kind), ...(filter.kind ? [filter.kind] : [])])];
  const options = kinds.map((kind) => ({ value: kind, label: kindTitle(kind) })).sort((a, b) => a.label.localeCompare(b.label, 'en'));
  return (
    <div className="audit-filters" role="search" aria-label="Records">
      <Select
        label="Kind" value={filter.kind ?? ALL} options={[{ value: ALL, label: 'All kinds' }, ...options]}
        onChange={(kind) => change({ kind: kind === ALL ? undefined : kind })}
      />
      <ActorField actor={filter.actor} rows={rows} people={people} onFind={(actor) => change({ actor })} />
      {(filter.kind ?? filter.actor) !== undefined && (
        <Button look="quiet" onPress={() => change({ kind: undefined, actor: undefined })}>Clear filters</Button>
      )}
    </div>
  );
}

interface ActorFieldProps {
  actor: string | undefined;
  rows: AuditItem[];
  people: People;
  onFind: (actor: string | undefined) => void;
}

/** The server compares whole names, so those that are known are offered while typing. */
function ActorField({ actor, rows, people, onFind }: ActorFieldProps) {
  const [text, setText] = useState(actor ?? '');
  useEffect(() => setText(actor ?? ''), [actor]);
  const known = [...new Set([...people.keys(), ...rows.map((row) => row.actor)])].sort();
  function submit(event: FormEvent) {
    event.preventDefault();
    onFind(text.trim() === '' ? undefined : recordedName(text.trim(), people));
  }
  return (
    <form className="actor-field" onSubmit={submit}>
      <TextField className="field" value={text} onChange={setText} autoComplete="off" spellCheck="false" maxLength={200}>
        <Label>Actor, by whole name</Label>
        <Input list="audit-actors" />
      </TextField>
      <datalist id="audit-actors">
        {known.map((each) => <option key={each} value={each}>{visible(actorOf(each, people).name)}</option>)}
      </datalist>
      <Button type="submit">Find</Button>
    </form>
  );
}
