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

/**
 * What an address gives, read key by key. A key that it does not have stays out, which is not the same as one without a value: only what
 * stays out is kept from the screen before, where a route keeps it.
 */
export function given<T>(search: Record<string, unknown>, readers: { [K in keyof T]-?: (value: unknown) => T[K] }): Partial<T> {
  const keys = (Object.keys(readers) as (keyof T & string)[]).filter((key) => key in search);
  return Object.fromEntries(keys.map((key) => [key, readers[key](search[key])])) as Partial<T>;
}

const instant = (value: unknown) => {
  const written = text(value);
  return written !== undefined && !Number.isNaN(Date.parse(written)) ? written : undefined;
};

export const sharedSearch = (search: Record<string, unknown>) => given<SharedSearch>(search, { conversion: text, as_of: instant });
