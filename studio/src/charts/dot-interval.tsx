import { type KeyboardEvent, type ReactNode, useState } from 'react';
import type { OpenInterval } from '../api/evidence';
import type { Interval } from '../api/types';
import { percent, setText } from '../format';
import type { Twin } from './csv';
import { Figure } from './figure';
import { useRoving } from './roving';
import { anchorAt, type Axis, linearAxis, pct } from './scale';
import { SeriesKey, SeriesSymbol, seriesClass } from './symbols';

export interface DotMark {
  value: number;
  outer: Interval | null;
  inner: Interval | null;
  /** In place of `outer`: pieces in order, whose null ends are infinite. */
  set?: OpenInterval[];
  /** Why there is no interval. */
  note?: string | null;
}

/** The pieces of a mark's outer interval. */
const piecesOf = ({ set, outer }: DotMark): OpenInterval[] => set ?? (outer ? [outer] : []);
const finite = (value: number | null): value is number => value !== null && Number.isFinite(value);

export interface DotRow {
  id: string;
  name: string;
  /** Under the name: badges. */
  detail?: ReactNode;
  /** In its own column: money, counts. */
  aside?: ReactNode;
  marks: Record<string, DotMark | undefined>;
  /** Nothing stands behind its marks, so they lead nowhere. */
  inert?: boolean;
  /** So far away that the other rows could not be read on an axis that holds it: its marks are written at the edge. */
  beyond?: boolean;
  /** Drawn through all of its marks: what they are to be compared with. Some series must tell it as well. */
  reference?: number;
}

export interface DotIntervalProps {
  caption: string;
  file: string;
  rows: DotRow[];
  series: { id: string; title: string }[];
  /** What the axis measures. */
  unit: string;
  format: (value: number) => string;
  /** Shorter, for the axis. */
  tickFormat?: (value: number) => string;
  /** `inner` only where the marks have an inner interval. */
  levels: { outer: number; inner?: number };
  asideTitle?: string;
  /** What the rows' references are. */
  reference?: string;
  /** What rows and series are, for the table; channels and models unless said otherwise. */
  titles?: { row: string; series: string };
  onSelect?: (row: string, series: string) => void;
}

const LANE = 15;
const TITLES = { row: 'Channel', series: 'Model' };

/** One mark in words, as a screen reader and the readout say it. */
export function markText(props: Pick<DotIntervalProps, 'format' | 'levels'>, row: string, series: string, mark: DotMark): string {
  const { format, levels } = props;
  const pieces = piecesOf(mark);
  const spread = pieces.length > 0
    ? `${percent(levels.outer)} interval ${setText(pieces, format)}`
    : (mark.note ?? 'no interval');
  return `${row}, ${series}: ${format(mark.value)}, ${spread}`;
}

export function dotTwin({ caption, rows, series, unit, levels, format, titles = TITLES }: DotIntervalProps): Twin {
  const outer = percent(levels.outer);
  const inner = levels.inner === undefined ? null : percent(levels.inner);
  const figure = { numeric: true, format };
  return {
    caption,
    columns: [
      { title: titles.row }, { title: titles.series }, { title: unit, ...figure },
      { title: `${outer} low`, ...figure }, { title: `${outer} high`, ...figure },
      ...(inner ? [{ title: `${inner} low`, ...figure }, { title: `${inner} high`, ...figure }] : []),
    ],
    rows: rows.flatMap((row) =>
      series.flatMap(({ id, title }) => {
        const mark = row.marks[id];
        if (!mark) return [];
        const pieces = piecesOf(mark);
        const [low, high] = [pieces[0]?.[0] ?? null, pieces.at(-1)?.[1] ?? null];
        const [innerLow, innerHigh] = mark.inner ?? [null, null];
        return [[row.name, title, mark.value, low, high, ...(inner ? [innerLow, innerHigh] : [])]];
      }),
    ),
  };
}

/** Rows of dots with an inner and an outer interval, one dot for every series, on one shared axis. */
export function DotInterval(props: DotIntervalProps) {
  const { rows, series, levels, asideTitle, titles = TITLES } = props;
  const [alone, setAlone] = useState<string | null>(null);
  const [readout, setReadout] = useState('');
  const onKeyDown = useRoving();
  const axis = linearAxis(rows.filter(({ beyond }) => !beyond).flatMap((row) => Object.values(row.marks).flatMap((m) => (m ? [m.value, ...piecesOf(m).flat().filter(finite)] : []))));

  // The one tab stop; the first row need not have the first series.
  const stop = rows.flatMap(({ marks }, at) => series.flatMap(({ id }, index) => (marks[id] ? [`${at}:${index}`] : [])))[0];

  const legend = series.length > 1 && (
    <ul className="legend" aria-label={`${titles.series}s; press one to see it alone`}>
      {series.map(({ id, title }, index) => (
        <li key={id}>
          <button type="button" aria-pressed={alone === id} onClick={() => setAlone(alone === id ? null : id)}>
            <SeriesKey index={index} />
            {title}
          </button>
        </li>
      ))}
    </ul>
  );
  const estimates = levels.inner === undefined
    ? `Mark: estimate. Line: ${percent(levels.outer)}.`
    : `Mark: estimate. Thick: ${percent(levels.inner)}, thin: ${percent(levels.outer)}.`;
  const hint = props.reference ? `${estimates} Dashed: ${props.reference}.` : estimates;

  return (
    <Figure twin={dotTwin(props)} file={props.file} head={legend} readout={readout || hint}>
      <div className={['dots', asideTitle && 'with-aside', series.length === 1 && 'single'].filter(Boolean).join(' ')} onKeyDown={onKeyDown} data-alone={alone !== null || undefined}>
        <div className="dots-row dots-axis" aria-hidden="true">
          <span className="dots-unit">{props.unit}</span>
          <AxisRow axis={axis} format={props.tickFormat ?? props.format} />
          {asideTitle && <span className="dots-aside">{asideTitle}</span>}
        </div>
        {rows.map((row, at) => (
          <div key={row.id} className="dots-row" role="group" aria-label={row.name}>
            <div className="dots-label">
              <span className="dots-name">{row.name}</span>
              {row.detail}
            </div>
            <Lanes {...props} row={row} at={at} axis={axis} alone={alone} stop={stop} onRead={setReadout} />
            {asideTitle && <div className="dots-aside"><span className="dots-aside-title">{asideTitle} </span>{row.aside}</div>}
          </div>
        ))}
      </div>
    </Figure>
  );
}

function AxisRow({ axis, format }: { axis: Axis; format: (value: number) => string }) {
  return (
    <svg className="axis" width="100%" height="18">
      {axis.ticks.map((tick) => (
        <text key={tick} x={pct(axis.at(tick))} y="13" textAnchor={anchorAt(axis.at(tick))}>{format(tick)}</text>
      ))}
    </svg>
  );
}

interface LanesProps extends DotIntervalProps {
  row: DotRow;
  at: number;
  axis: Axis;
  alone: string | null;
  stop: string | undefined;
  onRead: (text: string) => void;
}

function Lanes(props: LanesProps) {
  const { row, at, axis, series, alone, stop, onRead, onSelect } = props;
  const height = series.length * LANE + 8;
  return (
    <svg className="lanes" width="100%" height={height} onMouseLeave={() => onRead('')}>
      {axis.ticks.map((tick) => (
        <line key={tick} className={tick === 0 ? 'grid zero' : 'grid'} x1={pct(axis.at(tick))} x2={pct(axis.at(tick))} y1="0" y2={height} />
      ))}
      {row.reference !== undefined && (
        <line className="reference" x1={pct(axis.at(row.reference))} x2={pct(axis.at(row.reference))} y1="2" y2={height - 2} />
      )}
      {series.map(({ id, title }, index) => {
        const mark = row.marks[id];
        if (!mark) return null;
        const text = markText(props, row.name, title, mark);
        const select = row.inert || !onSelect ? undefined : () => onSelect(row.id, id);
        return (
          <g
            key={id}
            className={`mark ${seriesClass(index)}${alone !== null && alone !== id ? ' faded' : ''}`}
            data-mark={`${at}:${index}`} data-series={id}
            role={select ? 'link' : 'img'} aria-label={text}
            tabIndex={stop === `${at}:${index}` ? 0 : -1}
            onMouseEnter={() => onRead(text)} onFocus={() => onRead(text)} onBlur={() => onRead('')}
            onClick={select}
            onKeyDown={(event: KeyboardEvent) => event.key === 'Enter' && select?.()}
          >
            {row.beyond
              ? <EdgeText text={props.format(mark.value)} below={mark.value < 0} y={index * LANE + LANE / 2 + 4} />
              : <MarkShape mark={mark} axis={axis} y={index * LANE + LANE / 2 + 4} index={index} />}
          </g>
        );
      })}
    </svg>
  );
}

function MarkShape({ mark, axis, y, index }: { mark: DotMark; axis: Axis; y: number; index: number }) {
  const span = (interval: Interval, className: string) => (
    <line className={className} x1={pct(axis.at(interval[0]))} x2={pct(axis.at(interval[1]))} y1={y} y2={y} />
  );
  return (
    <>
      <rect className="hit" x="0" y={y - LANE / 2} width="100%" height={LANE} />
      <Pieces set={piecesOf(mark)} axis={axis} y={y} className="outer" />
      {mark.inner && span(mark.inner, 'inner')}
      <svg x={pct(axis.at(mark.value))} y={y} width="1" height="1" overflow="visible">
        <circle className="ring" r="8" />
        <SeriesSymbol index={index} />
      </svg>
    </>
  );
}

function EdgeText({ text, below, y }: { text: string; below: boolean; y: number }) {
  return (
    <>
      <rect className="hit" x="0" y={y - LANE / 2} width="100%" height={LANE} />
      <text className="edge-text" x={below ? '0%' : '100%'} y={y + 4} textAnchor={below ? 'start' : 'end'}>{below ? `← ${text}` : `${text} →`}</text>
    </>
  );
}

/** The pieces of a set along an axis; an end without a limit runs to the edge and has an arrow. */
export function Pieces({ set, axis, y, className }: { set: OpenInterval[]; axis: Axis; y: number; className: string }) {
  return set.map(([low, high], at) => (
    <g key={at}>
      <line className={className} x1={finite(low) ? pct(axis.at(low)) : '0%'} x2={finite(high) ? pct(axis.at(high)) : '100%'} y1={y} y2={y} />
      {!finite(low) && <svg x="0%" y={y} width="1" height="1" overflow="visible"><path className="open-end" d="M0 0L6-4V4z" /></svg>}
      {!finite(high) && <svg x="100%" y={y} width="1" height="1" overflow="visible"><path className="open-end" d="M0 0L-6-4V4z" /></svg>}
    </g>
  ));
}
