/** Search parameters shared by all screens. Unknown or malformed ones are dropped, never an error. */
export interface SharedSearch {
  /** The conversion that figures are about. */
  conversion?: string;
  /** The state of the data a link was made for; the shell says when it has moved on. */
  as_of?: string;
}

export const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' && value.length <= 200 ? value : typeof value === 'number' ? String(value) : undefined;

export function oneOf<T extends string>(value: unknown, options: readonly T[]): T | undefined {
  return options.find((option) => option === value);
}

export function sharedSearch(search: Record<string, unknown>): SharedSearch {
  const asOf = text(search.as_of);
  return {
    conversion: text(search.conversion),
    as_of: asOf !== undefined && !Number.isNaN(Date.parse(asOf)) ? asOf : undefined,
  };
}
