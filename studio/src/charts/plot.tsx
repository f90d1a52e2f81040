import { type ReactNode, useState } from 'react';
import type { Twin } from './csv';
import { Figure } from './figure';
import { useRoving } from './roving';
import { anchorAt, type Axis, pct } from './scale';

export interface PlotMark {
  /** "row:column": up and down go along the marks, left and right keep the column. */
  key: string;
  x: number;
  y: number;
  /** What it says. */
  text: string;
  /** Seen without pointing at it: filled, or hollow. Otherwise it shows under the pointer and the focus. */
  look?: 'solid' | 'hollow';
  /** Of its series. */
  className?: string;
}

interface PlotProps {
  caption: string;
  file: string;
  twin: Twin;
  /** `tick` is shorter, for the axis. */
  x: { title: string; format: (x: number) => string; tick?: (x: number) => string };
  y: { title: string; format: (y: number) => string; tick?: (y: number) => string };
  across: Axis;
  up: Axis;
  marks: PlotMark[];
  /** Above the chart in place of the title of y. */
  legend?: ReactNode;
  /** What the readout says while no mark is pointed at. */
  hint?: string;
  /** Lines and areas, in percent of the plot: x to the right, y down. */
  children: ReactNode;
  /** What keeps its proportions, drawn over them. */
  over?: ReactNode;
}

/** Two axes with a plot between them. Paths are stretched and their strokes keep their width; marks stay focusable. */
export function Plot({ caption, file, twin, x, y, across, up, marks, legend, hint, children, over }: PlotProps) {
  const [readout, setReadout] = useState('');
  const onKeyDown = useRoving();
  const top = (value: number) => 100 - up.at(value);
  const head = <>{legend}<span className="small muted">{y.title}</span></>;
  return (
    <Figure twin={twin} file={file} head={head} readout={readout || (hint ?? '')}>
      <div className="lines" onKeyDown={onKeyDown}>
        <svg className="lines-y axis" width="100%" height="100%" aria-hidden="true">
          {up.ticks.map((tick) => <text key={tick} x="100%" y={pct(top(tick))} dy="4" textAnchor="end">{(y.tick ?? y.format)(tick)}</text>)}
        </svg>
        <svg className="lines-plot series-1" width="100%" height="100%" role="group" aria-label={caption}>
          {up.ticks.map((tick) => (
            <line key={tick} className={tick === 0 && up.domain[0] < 0 ? 'grid zero' : 'grid'} x1="0" x2="100%" y1={pct(top(tick))} y2={pct(top(tick))} />
          ))}
          <svg viewBox="0 0 100 100" preserveAspectRatio="none" width="100%" height="100%" overflow="visible">{children}</svg>
          {over}
          {marks.map(({ key, text, look, className, ...at }, index) => (
            <circle
              key={key} className={['point mark', look && `seen ${look}`, className].filter(Boolean).join(' ')}
              cx={pct(across.at(at.x))} cy={pct(top(at.y))} r={look ? 4 : 5}
              role="img" aria-label={text} data-mark={key} tabIndex={index === 0 ? 0 : -1}
              onMouseEnter={() => setReadout(text)} onFocus={() => setReadout(text)} onBlur={() => setReadout('')}
            />
          ))}
        </svg>
        <span />
        <svg className="axis" width="100%" height="18" aria-hidden="true">
          {across.ticks.map((tick) => <text key={tick} x={pct(across.at(tick))} y="13" textAnchor={anchorAt(across.at(tick))}>{(x.tick ?? x.format)(tick)}</text>)}
        </svg>
      </div>
    </Figure>
  );
}
