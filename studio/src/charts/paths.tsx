import { percent, setText } from '../format';
import type { Twin } from './csv';
import { Plot, type PlotMark } from './plot';
import { type Axis, linearAxis, pct, timeAxis } from './scale';
import { seriesClass } from './symbols';
import { areaBetween, lineThrough } from './trace';

type Figures = (number | null)[];

export interface PathLine {
  id: string;
  title: string;
  values: Figures;
  /** Around the values; null ends are infinite where there is a value. */
  band?: { low: Figures; high: Figures };
  look?: 'solid' | 'dashed';
  /** Shown at its points; a point with a note is hollow and says it. */
  dots?: (string | null)[];
}

interface PathsProps {
  caption: string;
  file: string;
  xs: number[];
  x: { title: string; format: (x: number) => string; tick?: (x: number) => string; time?: boolean };
  /** `zero` keeps zero on the axis. */
  y: { title: string; format: (y: number) => string; tick?: (y: number) => string; zero?: boolean };
  lines: PathLine[];
  /** Behind the lines, all alike: they are in the table and no stop of the arrow keys. */
  faint?: { title: string; lines: { title: string; values: Figures }[] };
  /** Where something began. */
  event?: { x: number; name: string };
  /** Of the bands. */
  level?: number | null;
  hint?: string;
}

const finite = (value: number | null | undefined): value is number => typeof value === 'number' && Number.isFinite(value);

export function pathsTwin({ caption, xs, x, y, lines, faint }: PathsProps): Twin {
  const figure = { numeric: true, format: y.format };
  const columns = [
    { title: x.title, format: x.format },
    ...lines.flatMap(({ title, band, dots }) => [
      { title, ...figure },
      ...(band ? [{ title: `${title}, low`, ...figure }, { title: `${title}, high`, ...figure }] : []),
      ...(dots?.some((note) => note !== null) ? [{ title: `${title}, note` }] : []),
    ]),
    ...(faint?.lines ?? []).map(({ title }) => ({ title, ...figure })),
  ];
  const rows = xs.map((value, at) => [
    value,
    ...lines.flatMap(({ values, band, dots }) => [
      values[at] ?? null,
      ...(band ? [band.low[at] ?? null, band.high[at] ?? null] : []),
      ...(dots?.some((note) => note !== null) ? [dots[at] ?? ''] : []),
    ]),
    ...(faint?.lines ?? []).map(({ values }) => values[at] ?? null),
  ]);
  return { caption, columns, rows };
}

/** Several lines over one axis, each with a band if it has one, before others that are only there to compare. */
export function Paths(props: PathsProps) {
  const { xs, x, y, lines, faint, event, level, hint } = props;
  const tickText = x.tick ?? x.format;
  const across = thinned(x.time ? timeAxis(xs) : positions(xs), xs, tickText);
  const all = [
    ...lines.flatMap(({ values, band }) => [...values, ...(band?.low ?? []), ...(band?.high ?? [])]),
    ...(faint?.lines ?? []).flatMap(({ values }) => values),
  ];
  const up = linearAxis(all.filter(finite), 5, { zero: y.zero ?? false });
  const top = (value: number) => 100 - up.at(value);
  const path = (values: Figures) => lineThrough(xs.map((at, index) => {
    const value = values[index];
    return finite(value) ? [across.at(at), top(value)] : null;
  }));
  const band = ({ values, band: ends }: PathLine) => ends && areaBetween(xs.map((at, index) => {
    const [low, high] = [ends.low[index], ends.high[index]];
    if (!finite(values[index]) || (!finite(low) && !finite(high))) return null;
    return { x: across.at(at), low: top(finite(low) ? low : up.domain[0]), high: top(finite(high) ? high : up.domain[1]) };
  }));
  const bands = lines.some((each) => each.band);

  return (
    <Plot
      caption={props.caption} file={props.file} twin={pathsTwin(props)} x={x} y={y} across={across} up={up}
      marks={marksOf(props)}
      hint={[hint, bands && (level ? `Band: ${percent(level)}.` : 'Band: interval.'), event && `Dashed upright: ${event.name}.`].filter(Boolean).join(' ')}
      legend={(lines.length > 1 || faint) && (
        <ul className="legend plain">
          {lines.map(({ id, title, look }, index) => (
            <li key={id}><LineKey className={`${seriesClass(index)} line ${look === 'dashed' ? 'dashed' : ''}`} />{title}</li>
          ))}
          {faint && faint.lines.length > 0 && <li><LineKey className="line faint" />{faint.title}</li>}
        </ul>
      )}
      over={(
        <>
          {event && <line className="event-line" x1={pct(across.at(event.x))} x2={pct(across.at(event.x))} y1="0" y2="100%" />}
          {lines.map(({ id, dots, band: ends, values }, index) => dots && ends && (
            <g key={id} className={seriesClass(index)}>
              {xs.map((at, point) => {
                const [low, high] = [ends.low[point], ends.high[point]];
                if (!finite(values[point]) || (!finite(low) && !finite(high))) return null;
                return <line key={at} className="outer" x1={pct(across.at(at))} x2={pct(across.at(at))} y1={finite(low) ? pct(top(low)) : '100%'} y2={finite(high) ? pct(top(high)) : '0%'} />;
              })}
            </g>
          ))}
        </>
      )}
    >
      {faint?.lines.map(({ title, values }) => <path key={title} className="line faint" d={path(values)} />)}
      {lines.map((each, index) => (
        <g key={each.id} className={seriesClass(index)}>
          {each.band && <path className="band" d={band(each) ?? ''} />}
          <path className={each.look === 'dashed' ? 'line dashed' : 'line'} d={path(each.values)} />
        </g>
      ))}
    </Plot>
  );
}

/** Long labels run into each other on a phone, and one place needs one label. */
function thinned(axis: Axis, xs: number[], text: (x: number) => string): Axis {
  if (xs.length === 1) return { ...axis, ticks: xs };
  const long = axis.ticks.length > 4 && axis.ticks.some((tick) => text(tick).length > 6);
  return long ? { ...axis, ticks: axis.ticks.filter((_, at) => at % 2 === 0) } : axis;
}

/** An axis of places: they need not begin at zero, and no mark is cut. */
function positions(xs: number[]): Axis {
  const [first, last] = [Math.min(...xs), Math.max(...xs)];
  const margin = Math.max((last - first) * 0.02, 0.01);
  const domain: [number, number] = [first - margin, last + margin];
  const { ticks } = linearAxis(xs, 5, { zero: false });
  const whole = ticks.filter((tick) => tick >= domain[0] && tick <= domain[1] && Number.isInteger(tick));
  return { domain, ticks: whole, at: (value) => ((value - domain[0]) / (domain[1] - domain[0])) * 100 };
}

function marksOf({ xs, x, y, lines }: PathsProps): PlotMark[] {
  return xs.flatMap((value, at) => lines.flatMap(({ title, values, band, dots }, index): PlotMark[] => {
    const figure = values[at];
    if (!finite(figure)) return [];
    const ends: [number | null, number | null] | null = band ? [band.low[at] ?? null, band.high[at] ?? null] : null;
    const spread = ends && (ends[0] !== null || ends[1] !== null) ? `, ${setText([ends], y.format)}` : '';
    const note = dots?.[at];
    return [{
      key: `${at}:${index}`, x: value, y: figure, className: seriesClass(index),
      text: `${x.format(value)}${lines.length > 1 ? `, ${title}` : ''}: ${y.format(figure)}${spread}${note ? `, ${note}` : ''}`,
      look: dots ? (note ? 'hollow' : 'solid') : undefined,
    }];
  }));
}

function LineKey({ className }: { className: string }) {
  return <svg width="20" height="8" viewBox="0 0 20 8" aria-hidden="true"><path className={className} d="M0 4H20" /></svg>;
}
