import { useState } from 'react';
import type { Twin } from './csv';
import { Figure } from './figure';
import { useRoving } from './roving';
import { linearAxis, pct } from './scale';

interface End {
  name: string;
  /** What it is, in a sentence. */
  text: string;
  value: number;
}

export interface Step {
  id: string;
  name: string;
  text: string;
  difference: number;
  /** The height after it. */
  after: number;
}

interface WaterfallProps {
  caption: string;
  file: string;
  unit: string;
  format: (value: number) => string;
  tick?: (value: number) => string;
  start: End;
  steps: Step[];
  end: End;
}

export function waterfallTwin({ caption, unit, format, start, steps, end }: Omit<WaterfallProps, 'file'>): Twin {
  const figure = { numeric: true, format };
  return {
    caption,
    columns: [{ title: 'Line' }, { title: 'What it is' }, { title: 'Difference', ...figure }, { title: unit, ...figure }],
    rows: [
      [start.name, start.text, null, start.value],
      ...steps.map(({ name, text, difference, after }) => [name, text, difference, after]),
      [end.name, end.text, null, end.value],
    ],
  };
}

/** Written with its sign, as it is added. */
export const signed = (value: number, format: (value: number) => string) => (value > 0 ? `+${format(value)}` : format(value));

/** From one figure to another, one cause after the other, each with its sentence. */
export function Waterfall(props: WaterfallProps) {
  const { format, start, steps, end } = props;
  const [readout, setReadout] = useState('');
  const onKeyDown = useRoving();
  const axis = linearAxis([start.value, end.value, ...steps.map(({ after }) => after)]);
  const rows = [
    { ...start, id: 'start', from: 0, to: start.value, said: format(start.value), kind: 'whole' },
    ...steps.map((step) => ({ ...step, from: step.after - step.difference, to: step.after, said: signed(step.difference, format), kind: step.difference < 0 ? 'less' : 'more' })),
    { ...end, id: 'end', from: 0, to: end.value, said: format(end.value), kind: 'whole' },
  ];
  return (
    <Figure twin={waterfallTwin(props)} file={props.file} head={<span className="small muted">{props.unit}</span>} readout={readout || 'Each bar starts where the one above it ends.'}>
      <div className="waterfall" onKeyDown={onKeyDown}>
        {rows.map(({ id, name, text, from, to, said, kind }, at) => {
          const [left, right] = [axis.at(Math.min(from, to)), axis.at(Math.max(from, to))];
          const label = `${name}: ${said}${kind === 'whole' ? '' : `, ${format(to)} so far`}`;
          return (
            <div key={id} className={kind === 'whole' ? 'waterfall-row whole' : 'waterfall-row'} role="group" aria-label={name}>
              <div className="waterfall-label"><span className="dots-name">{name}</span> <span className="small muted">{text}</span></div>
              <svg width="100%" height="24" onMouseLeave={() => setReadout('')}>
                <line className="grid zero" x1={pct(axis.at(0))} x2={pct(axis.at(0))} y1="0" y2="24" />
                <g
                  className={`mark ${kind === 'whole' ? 'series-6' : kind === 'less' ? 'series-2' : 'series-1'}`} role="img" aria-label={label}
                  data-mark={`${at}:0`} tabIndex={at === 0 ? 0 : -1}
                  onMouseEnter={() => setReadout(label)} onFocus={() => setReadout(label)} onBlur={() => setReadout('')}
                >
                  <rect className="bar" x={pct(left)} y="4" width={pct(Math.max(right - left, 0.4))} height="16" />
                </g>
              </svg>
              <span className="numeric small">{said}</span>
            </div>
          );
        })}
      </div>
    </Figure>
  );
}
