import { Link } from '@tanstack/react-router';
import { type ChangeEvent, type ReactNode, useEffect, useId, useRef, useState } from 'react';
import type { FilterChoices } from '../api/types';
import { count, dateOf, humanise, monthOf, plural } from '../format';
import { Button, Notice } from '../ui';
import { isDay, isPart, PART_KEYS, type PartSearch } from './search';
import './filters.css';

type Key = keyof PartSearch;

const LABELS: Record<Key, string> = { from: 'From', to: 'To', geo: 'Place', device: 'Device', cohort: 'Cohort', segment: 'Segment' };
/** What there is to choose from. */
const LISTS = [['geo', 'geos'], ['device', 'devices'], ['cohort', 'cohorts'], ['segment', 'segments']] as const;
const NOTHING: PartSearch = Object.fromEntries(PART_KEYS.map((key) => [key, undefined]));

/** A chosen value in words. */
function valueText(key: Key, value: string): string {
  if (key === 'from' || key === 'to') return dateOf(value);
  if (key === 'cohort' && /^\d{4}-\d\d$/.test(value) && !Number.isNaN(Date.parse(value))) return monthOf(Date.parse(value));
  if (key !== 'segment' || !value.includes('=')) return value;
  const at = value.indexOf('=');
  return `${humanise(value.slice(0, at))}: ${value.slice(at + 1)}`;
}

/** The chip of a value; a segment says its own name. */
const chipText = (key: Key, value: string) => (key === 'segment' && value.includes('=') ? valueText(key, value) : `${LABELS[key]}: ${valueText(key, value)}`);

const chosenOf = (part: PartSearch) => PART_KEYS.flatMap((key) => (part[key] === undefined ? [] : [{ key, text: chipText(key, part[key]) }]));

export const partWords = (part: PartSearch) => chosenOf(part).map(({ text }) => text).join(', ');

/** For the name of a file, so that a table that was taken away still says what it is of. */
export const partFile = (part: PartSearch) =>
  PART_KEYS.flatMap((key) => (part[key] === undefined ? [] : [`-${key}-${part[key].replace(/[^\p{L}\p{N}.-]+/gu, '_')}`])).join('');

/** Figures of what was asked for before stay in sight, but nothing is taken from them under the new name. */
export const busy = (waiting: boolean) => ({ 'aria-busy': waiting, inert: waiting });

interface FilterBarProps {
  part: PartSearch;
  choices: FilterChoices;
  /** How many journeys the part has, of all of them; null while that is not known. */
  found: { journeys: number; of: number; what?: string } | null;
  failed?: boolean;
  onChange: (change: PartSearch) => void;
  /** Choices of the screen itself, before these. */
  children?: ReactNode;
}

/** Which journeys the figures below are of. */
export function FilterBar({ part, choices, found, failed, onChange, children }: FilterBarProps) {
  const id = useId();
  const [open, setOpen] = useState(false);
  const said = useRef<HTMLParagraphElement>(null);
  const chosen = chosenOf(part);
  const swapped = part.from !== undefined && part.to !== undefined && part.from > part.to;
  // What is pressed goes away, and the focus with it.
  const remove = (change: PartSearch) => {
    said.current?.focus();
    onChange(change);
  };
  return (
    <section className="filter-bar" aria-label="Filters">
      <div className="filter-toggle">
        <Button aria-expanded={open} aria-controls={id} onPress={() => setOpen(!open)}>{open ? 'Hide filters' : 'Filter'}</Button>
      </div>
      <div className="filter-fields" id={id} data-open={open || undefined}>
        {children}
        {(['from', 'to'] as const).map((key) => (choices.days || part[key]) && (
          <DayField key={key} label={LABELS[key]} value={part[key]} days={choices.days} wrong={swapped ? `${id}-wrong` : undefined} onChange={(day) => onChange({ [key]: day })} />
        ))}
        {LISTS.map(([key, list]) => (
          <ChoiceField key={key} name={key} value={part[key]} known={choices[list]} onChange={(value) => onChange({ [key]: value })} />
        ))}
      </div>
      {swapped && <p id={`${id}-wrong`} className="small filter-wrong">“From” is after “To”, so no journey fits.</p>}
      <div className="row small">
        <p ref={said} role="status" tabIndex={-1}>{saidOf(chosen.length > 0, found, failed)}</p>
        {chosen.length > 0 && (
          <ul className="row" aria-label="Chosen">
            {chosen.map(({ key, text }) => (
              <li key={key}>
                <button type="button" className="filter wrap-anywhere" onClick={() => remove({ [key]: undefined })}>
                  {text} <span aria-hidden="true">×</span><span className="visually-hidden">, remove</span>
                </button>
              </li>
            ))}
            <li><Button look="quiet" onPress={() => remove(NOTHING)}>Clear</Button></li>
          </ul>
        )}
      </div>
    </section>
  );
}

function saidOf(any: boolean, found: FilterBarProps['found'], failed: boolean | undefined): ReactNode {
  if (!any) return 'All journeys';
  if (failed) return 'The part could not be loaded';
  if (!found) return 'Loading the part…';
  return <><strong>Part: {count(found.journeys)} of {plural(found.of, 'journey')}</strong>{found.what && ` ${found.what}`}</>;
}

interface ChoiceFieldProps {
  name: Exclude<Key, 'from' | 'to'>;
  value: string | undefined;
  known: string[];
  onChange: (value: string | undefined) => void;
}

function ChoiceField({ name, value, known, onChange }: ChoiceFieldProps) {
  const options = known.filter((each) => each !== '');
  if (options.length === 0 && value === undefined) return null;
  return (
    <label className="field part-field">
      <span className="label">{LABELS[name]}</span>
      <select value={value ?? ''} onChange={({ target }) => onChange(target.value || undefined)}>
        <option value="">all</option>
        {value !== undefined && !options.includes(value) && <option value={value}>{valueText(name, value)} (no journey)</option>}
        {options.map((each) => <option key={each} value={each}>{valueText(name, each)}</option>)}
      </select>
    </label>
  );
}

/** While somebody writes, every key may make another day. */
const PAUSE_MS = 400;

interface DayFieldProps {
  label: string;
  value: string | undefined;
  /** The first and the last day that there is. */
  days: FilterChoices['days'];
  /** The id of what is wrong with it. */
  wrong: string | undefined;
  onChange: (day: string | undefined) => void;
}

/** Not controlled: a day is written part by part, and what is no day yet must stay as it is. */
function DayField({ label, value, days, wrong, onChange }: DayFieldProps) {
  const input = useRef<HTMLInputElement>(null);
  const timer = useRef(0);
  useEffect(() => {
    if (input.current && input.current.value !== (value ?? '')) input.current.value = value ?? '';
  }, [value]);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  const take = ({ value: written, validity }: HTMLInputElement) => {
    window.clearTimeout(timer.current);
    const day = written || undefined;
    if (validity.badInput || day === value || (day !== undefined && !isDay(day))) return;
    onChange(day);
  };
  // Half a day is nothing to leave behind while another one counts.
  const leave = (field: HTMLInputElement) => {
    take(field);
    if (field.validity.badInput || (field.value !== '' && !isDay(field.value))) field.value = value ?? '';
  };
  const wait = ({ currentTarget }: ChangeEvent<HTMLInputElement>) => {
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => take(currentTarget), PAUSE_MS);
  };
  return (
    <label className="field part-field">
      <span className="label">{label}</span>
      <input
        ref={input} type="date" defaultValue={value} min={days?.[0]} max={days?.[1]}
        aria-invalid={wrong !== undefined || undefined} aria-describedby={wrong} data-invalid={wrong !== undefined || undefined}
        onChange={wait} onBlur={({ currentTarget }) => leave(currentTarget)} onKeyDown={({ key, currentTarget }) => key === 'Enter' && take(currentTarget)}
      />
    </label>
  );
}

/** Where figures are of all journeys although a part is chosen elsewhere. */
export function NotOfPart({ part, children }: { part: PartSearch; children: ReactNode }) {
  if (!isPart(part)) return null;
  return (
    <Notice tone="info">
      <span className="wrap-anywhere">{children} The filter is kept for the models and the paths: {partWords(part)}.</span>
      <Link to="." search={(all) => ({ ...all, ...NOTHING })} replace>Clear it</Link>
    </Notice>
  );
}
