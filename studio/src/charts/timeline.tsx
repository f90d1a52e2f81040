import { useState } from 'react';
import { absoluteTime, dayOf } from '../format';
import { Figure } from './figure';
import { useRoving } from './roving';
import { anchorAt, type Axis, pct, timeAxis } from './scale';

export interface TimelineEvent {
  id: string;
  lane: string;
  at: string;
  /** What it is, in words. */
  name: string;
  /** Filled marks count, hollow ones do not. */
  solid: boolean;
  /** Why it counts or does not; left out where there is nothing to say. */
  rule?: string;
}

/** What filled and hollow marks mean, and what the last two columns of the table are called. */
interface MarkWords {
  solid: string;
  hollow: string;
  column: string;
  detail: string;
}

interface TimelineProps {
  caption: string;
  file: string;
  lanes: { id: string; title: string }[];
  events: TimelineEvent[];
  /** The instant everything leads to, if there is one. */
  end?: { at: string; name: string };
  words?: MarkWords;
}

const LANE = 34;
const COUNTED: MarkWords = { solid: 'Counted', hollow: 'Left out, with its rule', column: 'Counted', detail: 'Rule' };

const textOf = (event: TimelineEvent) => [event.name, absoluteTime(event.at), event.rule].filter(Boolean).join(', ');

/** Swim lanes of events on one time axis, first to last. */
export function Timeline({ caption, file, lanes, events, end, words = COUNTED }: TimelineProps) {
  const [readout, setReadout] = useState('');
  const onKeyDown = useRoving();
  const sorted = [...events].sort((a, b) => a.at.localeCompare(b.at));
  const axis = timeAxis([...events, ...(end ? [end] : [])].map(({ at }) => Date.parse(at)), 5);
  const endX = end && pct(axis.at(Date.parse(end.at)));

  const twin = {
    caption,
    columns: [{ title: 'Time (UTC)' }, { title: 'Lane' }, { title: 'Event' }, { title: words.column }, { title: words.detail }],
    rows: sorted.map((event) => [
      event.at, lanes.find(({ id }) => id === event.lane)?.title ?? event.lane, event.name, event.solid ? 'yes' : 'no', event.rule ?? '',
    ]),
  };
  const legend = (
    <ul className="legend plain">
      <li><svg className="series-1" width="14" height="14" viewBox="-7 -7 14 14" aria-hidden="true"><circle className="symbol" r="5" /></svg>{words.solid}</li>
      <li><svg className="series-6" width="14" height="14" viewBox="-7 -7 14 14" aria-hidden="true"><circle className="symbol hollow" r="4" /></svg>{words.hollow}</li>
      {end && <li><svg width="14" height="14" viewBox="-7 -7 14 14" aria-hidden="true"><path className="end-flag" d="M0-6L6 0 0 6-6 0z" /></svg>{end.name}</li>}
    </ul>
  );

  return (
    <Figure twin={twin} file={file} head={legend} readout={readout || 'Point at a mark, or use the arrow keys.'}>
      <div className="timeline" onKeyDown={onKeyDown} onMouseLeave={() => setReadout('')}>
        <div className="timeline-row" aria-hidden="true">
          <span />
          <svg className="axis" width="100%" height="18">
            {axis.ticks.map((tick) => (
              <text key={tick} x={pct(axis.at(tick))} y="13" textAnchor={anchorAt(axis.at(tick))}>{dayOf(new Date(tick))}</text>
            ))}
          </svg>
        </div>
        {lanes.map((lane, row) => (
          <Lane
            key={lane.id} title={lane.title} row={row} last={row === lanes.length - 1} axis={axis} endX={endX}
            events={sorted.filter((event) => event.lane === lane.id)} first={sorted[0]?.id} onRead={setReadout}
          />
        ))}
      </div>
    </Figure>
  );
}

interface LaneProps {
  title: string;
  row: number;
  /** The lowest lane carries the flag of the end. */
  last: boolean;
  axis: Axis;
  endX: string | undefined;
  events: TimelineEvent[];
  /** Where the Tab key comes in. */
  first: string | undefined;
  onRead: (text: string) => void;
}

function Lane({ title, row, last, axis, endX, events, first, onRead }: LaneProps) {
  return (
    <div className="timeline-row" role="group" aria-label={title}>
      <span className="timeline-name">{title}</span>
      <svg width="100%" height={LANE} className="lanes">
        {axis.ticks.map((tick) => (
          <line key={tick} className="grid" x1={pct(axis.at(tick))} x2={pct(axis.at(tick))} y1="0" y2={LANE} />
        ))}
        <line className="lane" x1="0" x2={endX ?? '100%'} y1={LANE / 2} y2={LANE / 2} />
        {endX && <line className="end-line" x1={endX} x2={endX} y1="0" y2={LANE} />}
        {events.map((event) => (
          <g
            key={event.id} role="img" aria-label={textOf(event)} tabIndex={event.id === first ? 0 : -1}
            className={`mark ${event.solid ? 'series-1' : 'series-6'}`} data-mark={`${row}:${event.id}`}
            onMouseEnter={() => onRead(textOf(event))} onFocus={() => onRead(textOf(event))} onBlur={() => onRead('')}
          >
            <svg x={pct(axis.at(Date.parse(event.at)))} y={LANE / 2} width="1" height="1" overflow="visible">
              <circle className="hit" r="11" />
              <circle className="ring" r="10" />
              <circle className={event.solid ? 'symbol' : 'symbol hollow'} r={event.solid ? 5.5 : 4} />
            </svg>
          </g>
        ))}
        {last && endX && (
          <svg x={endX} y={LANE - 7} width="1" height="1" overflow="visible"><path className="end-flag" d="M0-6L6 0 0 6-6 0z" /></svg>
        )}
      </svg>
    </div>
  );
}
