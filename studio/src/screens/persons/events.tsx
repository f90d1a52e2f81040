import type { Person } from '../../api/types';
import { Timeline } from '../../charts';
import { humanise, money } from '../../format';

interface EventsProps {
  events: Person['last_events'];
  currency: string;
  file: string;
  /** What they led to. */
  end?: { at: string; name: string };
}

const WORDS = { solid: 'With a value', hollow: 'Without', column: 'With a value', detail: 'Value' };

/** The last events of a person, by channel; by source where there is no channel. */
export function LastEvents({ events, currency, file, end }: EventsProps) {
  if (events.length === 0) return <p className="small muted">No event is known.</p>;
  const lane = ({ channel, source }: Person['last_events'][number]) => channel ?? `source ${source}`;
  return (
    <Timeline
      caption="Last events" file={file} words={WORDS} end={end}
      lanes={[...new Set(events.map(lane))].map((id) => ({ id, title: humanise(id) }))}
      events={events.map((event, at) => ({
        // Ids of events are the same dots for everyone who may not see them.
        id: String(at), lane: lane(event), at: event.at, name: humanise(event.kind),
        solid: event.value !== null, rule: event.value === null ? undefined : money(event.value, currency),
      }))}
    />
  );
}
