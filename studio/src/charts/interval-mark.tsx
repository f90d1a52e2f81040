import type { OpenInterval } from '../api/evidence';
import { Pieces } from './dot-interval';
import { type Axis, pct } from './scale';

/** One estimate with its set on a scale that others share. The words stand beside it, so it is hidden from screen readers. */
export function IntervalMark({ value, set, axis }: { value: number; set: OpenInterval[]; axis: Axis }) {
  return (
    <svg width="100%" height="14" aria-hidden="true" className="interval-mark series-1">
      <line className="lane" x1="0" x2="100%" y1="7" y2="7" />
      <line className="grid zero" x1={pct(axis.at(0))} x2={pct(axis.at(0))} y1="0" y2="14" />
      <Pieces set={set} axis={axis} y={7} className="inner" />
      <circle className="symbol" cx={pct(axis.at(value))} cy="7" r="4.5" />
    </svg>
  );
}
