import { useState } from 'react';
import type { Interval } from '../api/types';
import { interval as intervalText } from '../format';
import type { Twin } from './csv';
import { Figure } from './figure';
import { useRoving } from './roving';
import { linearAxis, pct } from './scale';
import { seriesClass } from './symbols';

export interface BarRow {
  id: string;
  name: string;
  /** From left to right; one part makes a plain bar. */
  parts: { series: string; value: number }[];
  /** Around the end of the bar. */
  interval?: Interval | null;
}

interface BarsProps {
  caption: string;
  file: string;
  /** What a row is, for the table's first column. */
  rowTitle: string;
  rows: BarRow[];
  /** `slot` fixes a colour where the same series appears on other charts. */
  series: { id: string; title: string; slot?: number }[];
  format: (value: number) => string;
}

export function barTwin({ caption, rowTitle, rows, series, format }: BarsProps): Twin {
  const withInterval = rows.some((row) => row.interval);
  const figure = { numeric: true, format };
  return {
    caption,
    columns: [
      { title: rowTitle },
      ...series.map(({ title }) => ({ title, ...figure })),
      ...(withInterval ? [{ title: 'Low', ...figure }, { title: 'High', ...figure }] : []),
    ],
    rows: rows.map((row) => [
      row.name,
      ...series.map(({ id }) => row.parts.find((part) => part.series === id)?.value ?? null),
      ...(withInterval ? (row.interval ?? [null, null]) : []),
    ]),
  };
}

/** Horizontal bars, plain or in parts, with an optional interval at the end. */
export function Bars(props: BarsProps) {
  const { rows, series, format } = props;
  const [readout, setReadout] = useState('');
  const onKeyDown = useRoving();
  // Shares that add up to a hair above one would stretch the axis to the next round number.
  const sums = rows.map((row) => Number(row.parts.reduce((sum, part) => sum + part.value, 0).toPrecision(12)));
  const axis = linearAxis([...sums, ...rows.flatMap((row) => row.interval ?? [])]);
  const stacked = series.length > 1;

  const legend = stacked && (
    <ul className="legend plain">
      {series.map(({ id, title, slot }, index) => (
        <li key={id}><span className={`swatch ${seriesClass(slot ?? index)}`} aria-hidden="true" />{title}</li>
      ))}
    </ul>
  );

  return (
    <Figure twin={barTwin(props)} file={props.file} head={legend} readout={readout || 'Point at a bar, or use the arrow keys.'}>
      <div className="bars" onKeyDown={onKeyDown}>
        {rows.map((row, at) => {
          let from = 0;
          return (
            <div key={row.id} className="bars-row" role="group" aria-label={row.name}>
              <span className="bars-name">{row.name}</span>
              <svg width="100%" height="22" onMouseLeave={() => setReadout('')}>
                {axis.domain[0] < 0 && <line className="grid zero" x1={pct(axis.at(0))} x2={pct(axis.at(0))} y1="0" y2="22" />}
                {row.parts.map((part, index) => {
                  const order = series.findIndex(({ id }) => id === part.series);
                  const [start, end] = [axis.at(from), axis.at(from + part.value)];
                  const [x, width] = [Math.min(start, end), Math.abs(end - start)];
                  from += part.value;
                  const spread = !stacked && row.interval ? `, ${intervalText(row.interval, format)}` : '';
                  const text = `${row.name}${stacked ? `, ${series[order]?.title}` : ''}: ${format(part.value)}${spread}`;
                  return (
                    <g
                      key={part.series} className={`mark ${seriesClass(series[order]?.slot ?? order)}`} role="img" aria-label={text}
                      data-mark={`${at}:${order}`} tabIndex={at === 0 && index === 0 ? 0 : -1}
                      onMouseEnter={() => setReadout(text)} onFocus={() => setReadout(text)} onBlur={() => setReadout('')}
                    >
                      <rect className="bar" x={pct(x)} y="2" width={pct(Math.max(width, 0.3))} height="18" />
                      {stacked && width > 11 && (
                        <text className="bar-label" x={pct(x + width / 2)} y="15" textAnchor="middle">{format(part.value)}</text>
                      )}
                    </g>
                  );
                })}
                {row.interval && (
                  <line className="bar-interval" x1={pct(axis.at(row.interval[0]))} x2={pct(axis.at(row.interval[1]))} y1="11" y2="11" />
                )}
              </svg>
              {!stacked && <span className="numeric small">{format(sums[at] ?? 0)}</span>}
            </div>
          );
        })}
      </div>
    </Figure>
  );
}
