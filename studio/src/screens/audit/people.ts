import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { governQueries } from '../../api/govern';
import { shortId } from '../../format';
import { useMay, useSession } from '../../session';
import { visible } from '../approvals/diff';

/** Display names by the name that people sign in with, which is what the log records. */
export type People = ReadonlyMap<string, string>;

/** Everybody for those who may list users, for others themselves. */
export function usePeople(): People {
  const { user } = useSession();
  const may = useMay();
  const { data } = useQuery({ ...governQueries.users(), enabled: may('listUsers') });
  return useMemo(() => new Map([user, ...(data?.items ?? [])].map((each) => [each.name, each.display_name])), [user, data]);
}

export interface Actor {
  name: string;
  /** As it stands in the record, where the name says it in other words: two people may have one display name. */
  recorded: string | null;
}

/** Programs write what they are into the record. Anything that is not one of these forms stays as it is. */
const PROGRAMS: [RegExp, (rest: string) => string][] = [
  [/^pid:(\d+)$/, (id) => `Process ${id}`],
  [/^approval (\S+)$/, (id) => `Approval ${shortId(id)}`],
  [/^schedule `(.+)`$/, (name) => `Schedule ${name}`],
  [/^activate\/(.+)$/, (name) => `Delivery to ${name}`],
  [/^first start$/, () => 'First start of the server'],
  [/^command line$/, () => 'Command line'],
];

export function actorOf(actor: string, people: People): Actor {
  const recorded = visible(actor);
  const known = people.get(actor);
  if (known !== undefined) return { name: visible(known), recorded: known === actor ? null : recorded };
  for (const [form, say] of PROGRAMS) {
    const found = form.exec(actor);
    if (found) return { name: visible(say(found[1] ?? '')), recorded };
  }
  return { name: recorded, recorded: null };
}

/** What was typed, as the log has it: a display name that only one person has stands for that person. */
export function recordedName(typed: string, people: People): string {
  if (people.has(typed)) return typed;
  const same = [...people].filter(([, name]) => name.toLowerCase() === typed.toLowerCase());
  return same.length === 1 ? (same[0]?.[0] ?? typed) : typed;
}
