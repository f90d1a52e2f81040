import type { Json } from '../../api/govern';
import { humanise } from '../../format';

/** A value that holds no others; an empty list or object is one too. */
export type Leaf = Exclude<Json, object> | null | [] | Record<string, never> | (string | number | boolean)[];

export interface DiffRow {
  /** Unique, and the same on both sides. */
  key: string;
  path: string[];
  state: 'added' | 'removed' | 'changed' | 'same';
  /** Undefined where there is none, which is not the same as null. */
  before: Leaf | undefined;
  after: Leaf | undefined;
}

interface Found {
  path: string[];
  value: Leaf;
}

const isPlain = (value: Json): value is string | number | boolean => value !== null && typeof value !== 'object';

/** The names of the items, when each is an object that has a name of its own. */
function namesOf(items: Json[]): string[] | null {
  const names = items.map((item) =>
    item !== null && typeof item === 'object' && !Array.isArray(item) && typeof item.name === 'string' ? item.name : null);
  return names.every((name) => name !== null) && new Set(names).size === names.length ? names as string[] : null;
}

/**
 * Every leaf under its path. Items of a list go by their names, so that one more at the top does not make all the
 * others look changed; what cannot be named goes by its place.
 */
function leaves(value: Json, key: string, path: string[], into: Map<string, Found>) {
  if (Array.isArray(value) && value.length > 0 && !value.every(isPlain)) {
    const names = namesOf(value);
    value.forEach((item, at) => {
      const name = names?.[at];
      leaves(item, `${key}/${JSON.stringify(name === undefined ? at : { name })}`, [...path, name ?? `${at + 1}`], into);
    });
    // Their order may mean something too.
    if (names && names.length > 1) into.set(`${key}/order`, { path: [...path, 'order'], value: names });
    return;
  }
  if (value !== null && typeof value === 'object' && !Array.isArray(value) && Object.keys(value).length > 0) {
    for (const [name, item] of Object.entries(value)) leaves(item, `${key}/${JSON.stringify(name)}`, [...path, name], into);
    return;
  }
  into.set(key, { path, value: value as Leaf });
}

function leavesOf(value: Json): Map<string, Found> {
  const found = new Map<string, Found>();
  leaves(value, '', [], found);
  return found;
}

/**
 * All paths of both sides with what each says there: what changed first, each part in the order of the new side. Two
 * values give a row that is not `same` exactly if they differ as JSON.
 */
export function diff(before: Json, after: Json): DiffRow[] {
  const [old, next] = [leavesOf(before), leavesOf(after)];
  const rows: DiffRow[] = [];
  for (const key of new Set([...next.keys(), ...old.keys()])) {
    const [was, is] = [old.get(key), next.get(key)];
    // "Nothing here" says no more than the rows below it, which all are new or gone.
    const inner = (other: Map<string, Found>) => [...other.keys()].some((each) => each.startsWith(`${key}/`));
    if (was && !is && was.value === null && inner(next)) continue;
    if (is && !was && is.value === null && inner(old)) continue;
    const state = !was ? 'added' : !is ? 'removed' : JSON.stringify(was.value) === JSON.stringify(is.value) ? 'same' : 'changed';
    rows.push({ key, path: (is ?? was)!.path, state, before: was?.value, after: is?.value });
  }
  return [...rows.filter(({ state }) => state !== 'same'), ...rows.filter(({ state }) => state === 'same')];
}

/** Characters that hide or turn text, so that it reads as what it does not say, in a form that can be seen. */
export const visible = (text: string) =>
  text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (char) => (char === '\n' || char === '\t' ? char : `\\u{${char.codePointAt(0)!.toString(16)}}`));

/** How a figure is to be written, by the name that it has. */
export function unitOf(path: string[]): 'micros' | 'money' | 'hours' | 'plain' {
  const name = path.at(-1) ?? '';
  if (/_micros$/.test(name)) return 'micros';
  if (/^(cost|cost_before|budget|budget_before|expected_value|expected_value_low)$/.test(name)) return 'money';
  return /_hours$/.test(name) ? 'hours' : 'plain';
}

/** The last part without its unit, which the figure has. */
export const pathText = (path: string[]): string[] =>
  path.map((part, at) => visible(humanise(at === path.length - 1 ? part.replace(/_micros$/, '') : part)));
