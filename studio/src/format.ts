import type { Interval } from './api/types';

/** Everything a reader sees as a number passes through here. */
const LOCALE = 'en-GB';
/** Stands for a figure that does not exist. */
export const NONE = '–';

type Figure = number | null | undefined;
const present = (value: Figure): value is number => typeof value === 'number' && Number.isFinite(value);

const cache = new Map<string, Intl.NumberFormat>();
function numberFormat(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = JSON.stringify(options);
  const known = cache.get(key) ?? new Intl.NumberFormat(LOCALE, options);
  cache.set(key, known);
  return known;
}

/** Intl writes a hyphen for negative numbers, even for a rounded zero; a minus sign aligns with the figures. */
const minus = (text: string) => text.replace('-', /[1-9]/.test(text) ? '−' : '');

export function count(value: Figure): string {
  return present(value) ? minus(numberFormat({ maximumFractionDigits: 0 }).format(value)) : NONE;
}

export function decimal(value: Figure, digits = 1): string {
  if (!present(value)) return NONE;
  return minus(numberFormat({ minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value));
}

export function compact(value: Figure): string {
  if (!present(value)) return NONE;
  return minus(numberFormat({ notation: 'compact', maximumFractionDigits: 1 }).format(value));
}

export function percent(value: Figure, digits = 0): string {
  if (!present(value)) return NONE;
  const options = { style: 'percent', minimumFractionDigits: digits, maximumFractionDigits: digits } as const;
  return minus(numberFormat(options).format(value));
}

/** Whole units from a hundred upwards, cents below. */
export function money(value: Figure, currency: string): string {
  if (!present(value)) return NONE;
  const digits = Math.abs(value) >= 100 ? 0 : 2;
  const options = { style: 'currency', currency, minimumFractionDigits: digits, maximumFractionDigits: digits } as const;
  try {
    return minus(numberFormat(options).format(value));
  } catch {
    return `${decimal(value, digits)} ${currency}`;
  }
}

/** Every digit that there is: where two figures are compared, rounding must not make them look alike. */
export function exact(value: Figure): string {
  if (!present(value)) return NONE;
  const text = numberFormat({ maximumFractionDigits: 20 }).format(value);
  return minus(Number(text.replaceAll(',', '')) === value ? text : String(value));
}

/** The same for money. */
export function exactMoney(value: Figure, currency: string): string {
  if (!present(value)) return NONE;
  const options = { style: 'currency', currency, minimumFractionDigits: 2, maximumFractionDigits: 20 } as const;
  try {
    return minus(numberFormat(options).format(value));
  } catch {
    return `${exact(value)} ${currency}`;
  }
}

/** For the ticks of an axis. */
export function moneyTick(value: number, currency: string): string {
  try {
    return minus(numberFormat({ style: 'currency', currency, notation: 'compact', maximumFractionDigits: 1 }).format(value));
  } catch {
    return compact(value);
  }
}

/** Two or three significant digits: enough for an effect, whatever its size. */
export function effect(value: Figure): string {
  if (!present(value)) return NONE;
  return minus(numberFormat({ maximumSignificantDigits: 3, minimumSignificantDigits: 2 }).format(value));
}

export function interval(value: Interval | null | undefined, format: (x: number) => string): string {
  return value ? `${format(value[0])} to ${format(value[1])}` : NONE;
}

/** A union of intervals whose null ends are infinite; nothing for an empty one. */
export function setText(set: [number | null, number | null][], format: (x: number) => string): string {
  return set.map(([low, high]) => {
    if (present(low) && present(high)) return `${format(low)} to ${format(high)}`;
    if (present(low)) return `${format(low)} and more`;
    return present(high) ? `up to ${format(high)}` : 'any value';
  }).join(' or ');
}

export function duration(seconds: Figure): string {
  if (!present(seconds)) return NONE;
  if (seconds < 0.95) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${decimal(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_557_600], ['month', 2_629_800], ['week', 604_800], ['day', 86_400], ['hour', 3_600], ['minute', 60],
];
const relativeFormat = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

export function relativeTime(instant: string, now: Date): string {
  const seconds = (Date.parse(instant) - now.getTime()) / 1000;
  for (const [unit, size] of STEPS) {
    if (Math.abs(seconds) >= size) return relativeFormat.format(Math.trunc(seconds / size), unit);
  }
  return seconds > 5 ? 'in less than a minute' : 'just now';
}

const dateTime = new Intl.DateTimeFormat(LOCALE, {
  day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', timeZone: 'UTC',
});
const dateOnly = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' });
const dayOnly = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'short', timeZone: 'UTC' });

/** Always UTC, and says so: the whole team reads the same clock. */
export const absoluteTime = (instant: string) => `${dateTime.format(new Date(instant))} UTC`;
export const dateOf = (instant: string) => dateOnly.format(new Date(instant));
export const dayOf = (instant: string | Date) => dayOnly.format(new Date(instant));

const monthOnly = new Intl.DateTimeFormat(LOCALE, { month: 'short', year: 'numeric', timeZone: 'UTC' });

export const monthOf = (instant: number) => monthOnly.format(instant);

/** For the ticks of a time axis: as much of a date as its span needs. */
export function timeTick(instants: number[]): (instant: number) => string {
  const days = (Math.max(...instants) - Math.min(...instants)) / 86_400_000;
  if (days > 5 * 366) return (instant) => String(new Date(instant).getUTCFullYear());
  const format = days > 200 ? monthOnly : dayOnly;
  return (instant) => format.format(instant);
}

/** `paid_search` reads as "Paid search". Names stay recognisable: nothing else is changed. */
export function humanise(name: string): string {
  const words = name.replaceAll('_', ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export const shortId = (id: string) => (id.length > 16 ? `${id.slice(0, 6)}…${id.slice(-4)}` : id);

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}
