import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useEffect, useState } from 'react';
import { decisionQueries, type DecisionFilter, type Facet } from '../../api/decisions';
import type { DecisionPage } from '../../api/types';
import { count, humanise } from '../../format';
import { Button, Select, TextField } from '../../ui';
import { actionName } from './words';

/** No name in a table is a single asterisk. */
const ALL = '*';

interface FiltersProps {
  filter: DecisionFilter;
  facets: DecisionPage['facets'] | undefined;
}

/** Filters that live in the address, each choice with how many decisions it leaves. */
export function Filters({ filter, facets }: FiltersProps) {
  const navigate = useNavigate();
  const change = (part: DecisionFilter) => void navigate({ to: '/decisions', search: (all) => ({ ...all, ...part }) });
  const choice = { filter, facets, change };
  const set = Object.values(filter).some(Boolean);

  return (
    <div className="decision-filters" role="search" aria-label="Decisions">
      <FacetSelect {...choice} name="policy" label="Policy" all="All policies" title={humanise} />
      <FacetSelect {...choice} name="action" label="Action" all="All actions" title={actionName} />
      <FacetSelect {...choice} name="arm" label="Arm" all="All arms" title={humanise} />
      <PersonField entity={filter.entity} onFind={(entity) => change({ entity })} />
      {set && (
        <Button look="quiet" onPress={() => change({ policy: undefined, action: undefined, arm: undefined, entity: undefined })}>
          Clear filters
        </Button>
      )}
    </div>
  );
}

interface FacetSelectProps extends FiltersProps {
  name: Facet;
  label: string;
  all: string;
  title: (value: string) => string;
  change: (part: DecisionFilter) => void;
}

function FacetSelect({ filter, facets, name, label, all, title, change }: FacetSelectProps) {
  const chosen = filter[name];
  // Once a value is chosen the list only counts that one; the others are counted as if none were.
  const { data: free } = useQuery({ ...decisionQueries.facets({ ...filter, [name]: undefined }), enabled: chosen !== undefined });
  const counts = (chosen === undefined ? facets : free)?.[name] ?? {};
  const values = Object.keys(counts);
  if (chosen !== undefined && !values.includes(chosen)) values.push(chosen);
  const counted = (value: string) => (counts[value] === undefined ? title(value) : `${title(value)} · ${count(counts[value])}`);
  return (
    <Select
      label={label} value={chosen ?? ALL}
      options={[{ value: ALL, label: all }, ...values.sort().map((value) => ({ value, label: counted(value) }))]}
      onChange={(value) => change({ [name]: value === ALL ? undefined : value })}
    />
  );
}

function PersonField({ entity, onFind }: { entity: string | undefined; onFind: (entity: string | undefined) => void }) {
  const [text, setText] = useState(entity ?? '');
  useEffect(() => setText(entity ?? ''), [entity]);
  function submit(event: FormEvent) {
    event.preventDefault();
    // Ids are lower-case hexadecimal.
    onFind(text.trim().toLowerCase() || undefined);
  }
  return (
    <form className="person-field" onSubmit={submit}>
      <TextField label="Person id begins with" value={text} onChange={setText} autoComplete="off" spellCheck="false" maxLength={32} />
      <Button type="submit">Find</Button>
    </form>
  );
}
