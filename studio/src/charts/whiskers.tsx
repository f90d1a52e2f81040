import { percent, setText } from '../format';
import type { OpenInterval } from '../api/evidence';
import type { Twin } from './csv';
import { Plot } from './plot';
import { linearAxis, pct } from './scale';

export interface Whisker {
  x: number;
  value: number;
  /** For each point alone. */
  interval: OpenInterval | null;
  /** For all points at once. */
  band: OpenInterval | null;
  hollow: boolean;
  /** What it is, where it is something special. */
  note?: string;
}

interface WhiskersProps {
  caption: string;
  file: string;
  points: Whisker[];
  x: { title: string; format: (x: number) => string };
  y: { title: string; format: (y: number) => string };
  level: number | null;
  /** What hollow and filled points are. */
  words: { solid: string; hollow: string };
}

const finite = (value: number | null): value is number => value !== null && Number.isFinite(value);

export function whiskerTwin({ caption, points, x, y, words }: WhiskersProps): Twin {
  const figure = { numeric: true, format: y.format };
  return {
    caption,
    columns: [
      { title: x.title, format: x.format }, { title: y.title, ...figure }, { title: 'Low', ...figure }, { title: 'High', ...figure },
      { title: 'Low, all at once', ...figure }, { title: 'High, all at once', ...figure }, { title: 'What' },
    ],
    rows: points.map(({ x: at, value, interval, band, hollow, note }) => [
      at, value, ...(interval ?? [null, null]), ...(band ?? [null, null]), note ?? (hollow ? words.hollow : words.solid),
    ]),
  };
}

/** Points with an upright interval: thick for each alone, thin for all of them at once. */
export function Whiskers(props: WhiskersProps) {
  const { points, x, y, level, words } = props;
  const [first, last] = [Math.min(...points.map((point) => point.x)), Math.max(...points.map((point) => point.x))];
  const domain: [number, number] = [first - 0.6, last + 0.6];
  const every = Math.ceil(points.length / 6);
  const across = {
    domain, at: (value: number) => ((value - domain[0]) / (domain[1] - domain[0])) * 100,
    ticks: points.map((point) => point.x).filter((at, index) => (Number.isInteger(at) ? at : index) % every === 0),
  };
  const up = linearAxis(points.flatMap(({ value, interval, band }) => [value, ...(interval ?? []), ...(band ?? [])]).filter(finite));
  const top = (value: number) => 100 - up.at(value);
  const said = level === null ? '' : ` (${percent(level)})`;
  const text = ({ x: at, value, interval, band, hollow, note }: Whisker) => [
    `${x.title} ${x.format(at)}: ${y.format(value)}`,
    interval && `${setText([interval], y.format)} alone`,
    band && `${setText([band], y.format)} with all others`,
    note ?? (hollow ? words.hollow : words.solid).toLowerCase(),
  ].filter(Boolean).join(', ');
  const bar = (ends: OpenInterval | null, at: number, className: string) => ends && (
    <line
      className={className} x1={pct(across.at(at))} x2={pct(across.at(at))}
      y1={finite(ends[0]) ? pct(top(ends[0])) : '100%'} y2={finite(ends[1]) ? pct(top(ends[1])) : '0%'}
    />
  );
  return (
    <Plot
      caption={props.caption} file={props.file} twin={whiskerTwin(props)} x={x} y={y} across={across} up={up}
      hint={`Thick: each alone${said}. Thin: all at once${said}.`}
      legend={(
        <ul className="legend plain">
          {[words.solid, words.hollow].map((word, at) => (
            <li key={word}>
              <svg className="series-1" width="14" height="14" viewBox="-7 -7 14 14" aria-hidden="true"><circle className={at === 0 ? 'symbol' : 'symbol hollow'} r="4.5" /></svg>
              {word}
            </li>
          ))}
        </ul>
      )}
      marks={points.map((point, at) => ({ key: `0:${at}`, x: point.x, y: point.value, text: text(point), look: point.hollow ? 'hollow' : 'solid', className: 'series-1' }))}
      over={<g className="series-1">{points.map((point) => <g key={point.x}>{bar(point.band, point.x, 'outer')}{bar(point.interval, point.x, 'inner')}</g>)}</g>}
    >
      {null}
    </Plot>
  );
}
