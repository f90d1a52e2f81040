import type { ReactNode } from 'react';
import type { Interval } from '../api/types';
import { interval as intervalText } from '../format';
import type { Twin } from './csv';
import { Plot } from './plot';
import { type Axis, linearAxis, pct, timeAxis } from './scale';
import { areaBetween, lineThrough } from './trace';

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

function LineFrame(props: LineFrameProps) {
  const { points, x, y, marks = [], children } = props;
  const xs = points.map((point) => point.x);
  const across: Axis = x.time ? timeAxis(xs) : linearAxis(xs);
  const up = linearAxis(points.flatMap((point) => [point.y, ...(point.band ?? [])]));
  const top = (value: number) => 100 - up.at(value);
  const paths: Paths = {
    path: (some) => lineThrough(some.map((p) => [across.at(p.x), top(p.y)])),
    band: (some) => areaBetween(some.map(({ x: at, y: value, band = null }) => {
      const [low, high] = band ?? [value, value];
      return { x: across.at(at), low: top(low), high: top(high) };
    })),
  };
  const text = (point: LinePoint) =>
    `${x.format(point.x)}: ${y.format(point.y)}${point.band ? `, ${intervalText(point.band, y.format)}` : ''}`;

  return (
    <Plot
      caption={props.caption} file={props.file} twin={lineTwin(props)} x={x} y={y} across={across} up={up}
      marks={points.map((point, at) => ({ key: `0:${at}`, x: point.x, y: point.y, text: text(point) }))}
      over={marks.map((mark) => (
        <g key={mark.name}>
          <circle className="named-point" cx={pct(across.at(mark.x))} cy={pct(top(mark.y))} r="5" />
          <text className="named-label" x={pct(across.at(mark.x))} y={pct(top(mark.y))} dx="8" dy="-8">{mark.name}</text>
        </g>
      ))}
    >
      <g className="series-1">{children(paths)}</g>
    </Plot>
  );
}
