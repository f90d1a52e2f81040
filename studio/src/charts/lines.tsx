import { area, line } from 'd3-shape';
import { type ReactNode, useState } from 'react';
import type { Interval } from '../api/types';
import { interval as intervalText } from '../format';
import type { Twin } from './csv';
import { Figure } from './figure';
import { useRoving } from './roving';
import { anchorAt, type Axis, linearAxis, pct, timeAxis } from './scale';

export interface LinePoint {
  x: number;
  y: number;
  /** Around y. */
  band?: Interval | null;
}

interface FrameProps {
  caption: string;
  file: string;
  points: LinePoint[];
  x: { title: string; format: (x: number) => string; time?: boolean };
  y: { title: string; format: (y: number) => string };
}

interface CurveProps extends FrameProps {
  /** Where the curve rests on data; outside it is dashed and called extrapolation. */
  observed?: Interval;
  /** Points on the curve to name, such as where one stands today. */
  marks?: { x: number; y: number; name: string }[];
}

export function lineTwin({ caption, points, x, y }: FrameProps): Twin {
  const figure = { numeric: true, format: y.format };
  return {
    caption,
    columns: [{ title: x.title, format: x.format }, { title: y.title, ...figure }, { title: 'Low', ...figure }, { title: 'High', ...figure }],
    rows: points.map((point) => [point.x, point.y, ...(point.band ?? [null, null])]),
  };
}

/** A series over time or another quantity, with an interval band around it. */
export function Band(props: FrameProps) {
  return (
    <LineFrame {...props}>
      {({ path, band }) => (
        <>
          <path className="band" d={band(props.points)} />
          <path className="line" d={path(props.points)} />
        </>
      )}
    </LineFrame>
  );
}

/** A response curve: solid where it was observed, dashed where it is extrapolated. */
export function Curve({ observed, marks = [], ...props }: CurveProps) {
  const { points } = props;
  const [low, high] = observed ?? [-Infinity, Infinity];
  const below = points.filter((point) => point.x <= low);
  const inside = points.filter((point) => point.x >= low && point.x <= high);
  const above = points.filter((point) => point.x >= high);
  return (
    <LineFrame {...props} marks={marks}>
      {({ path, band }) => (
        <>
          <path className="band" d={band(points)} />
          <path className="line" d={path(inside)} />
          {below.length > 1 && <path className="line dashed" d={path(below)} />}
          {above.length > 1 && <path className="line dashed" d={path(above)} />}
        </>
      )}
    </LineFrame>
  );
}

interface Paths {
  path: (points: LinePoint[]) => string;
  band: (points: LinePoint[]) => string;
}

interface LineFrameProps extends FrameProps {
  marks?: { x: number; y: number; name: string }[];
  children: (paths: Paths) => ReactNode;
}

/** Paths are drawn in percent and stretched; strokes keep their width. Points stay focusable marks. */
function LineFrame(props: LineFrameProps) {
  const { points, x, y, marks = [], children } = props;
  const [readout, setReadout] = useState('');
  const onKeyDown = useRoving();
  const xs = points.map((point) => point.x);
  const across: Axis = x.time ? timeAxis(xs) : linearAxis(xs);
  const up = linearAxis(points.flatMap((point) => [point.y, ...(point.band ?? [])]));
  const top = (value: number) => 100 - up.at(value);
  const paths: Paths = {
    path: (some) => line<LinePoint>((p) => across.at(p.x), (p) => top(p.y))(some) ?? '',
    band: (some) =>
      area<LinePoint>((p) => across.at(p.x), (p) => top((p.band ?? [p.y, p.y])[0]), (p) => top((p.band ?? [p.y, p.y])[1]))(some) ?? '',
  };
  const text = (point: LinePoint) =>
    `${x.format(point.x)}: ${y.format(point.y)}${point.band ? `, ${intervalText(point.band, y.format)}` : ''}`;

  return (
    <Figure twin={lineTwin(props)} file={props.file} head={<span className="small muted">{y.title}</span>} readout={readout}>
      <div className="lines" onKeyDown={onKeyDown}>
        <svg className="lines-y axis" width="100%" height="100%" aria-hidden="true">
          {up.ticks.map((tick) => <text key={tick} x="100%" y={pct(top(tick))} dy="4" textAnchor="end">{y.format(tick)}</text>)}
        </svg>
        <svg className="lines-plot series-1" width="100%" height="100%" role="group" aria-label={props.caption}>
          {up.ticks.map((tick) => <line key={tick} className="grid" x1="0" x2="100%" y1={pct(top(tick))} y2={pct(top(tick))} />)}
          <svg viewBox="0 0 100 100" preserveAspectRatio="none" width="100%" height="100%" overflow="visible">{children(paths)}</svg>
          {points.map((point, at) => (
            <circle
              key={point.x} className="point mark" cx={pct(across.at(point.x))} cy={pct(top(point.y))} r="5"
              role="img" aria-label={text(point)} data-mark={`0:${at}`} tabIndex={at === 0 ? 0 : -1}
              onMouseEnter={() => setReadout(text(point))} onFocus={() => setReadout(text(point))} onBlur={() => setReadout('')}
            />
          ))}
          {marks.map((mark) => (
            <g key={mark.name}>
              <circle className="named-point" cx={pct(across.at(mark.x))} cy={pct(top(mark.y))} r="5" />
              <text className="named-label" x={pct(across.at(mark.x))} y={pct(top(mark.y))} dx="8" dy="-8">{mark.name}</text>
            </g>
          ))}
        </svg>
        <span />
        <svg className="axis" width="100%" height="18" aria-hidden="true">
          {across.ticks.map((tick) => <text key={tick} x={pct(across.at(tick))} y="13" textAnchor={anchorAt(across.at(tick))}>{x.format(tick)}</text>)}
        </svg>
      </div>
    </Figure>
  );
}
