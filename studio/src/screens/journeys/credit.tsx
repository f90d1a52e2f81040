import { useQuery } from '@tanstack/react-query';
import { queries } from '../../api/queries';
import type { Conversion } from '../../api/types';
import { Bars } from '../../charts';
import { humanise, percent } from '../../format';
import { useMay } from '../../session';

/** How each model splits one conversion; the model the reader comes from is first. */
export function CreditSplit({ data: { credit, journey }, model }: { data: Conversion; model?: string }) {
  const may = useMay();
  // Names of models, and one colour for a channel on every journey.
  const { data: all } = useQuery({ ...queries.attribution(journey.conversion), enabled: may('getAttribution') });
  const slots = (all?.channels ?? []).map(({ channel }) => channel).sort();
  const title = (id: string) => all?.models.find((known) => known.id === id)?.title ?? humanise(id);
  const models = Object.keys(credit ?? {}).sort((a, b) => Number(b === model) - Number(a === model));
  const channels = [...new Set(models.flatMap((id) => Object.keys(credit?.[id] ?? {})))];
  if (models.length === 0) return <p className="small muted">No model credits this conversion: it has no counted touch.</p>;
  return (
    <Bars
      caption="Share of credit by model and channel" file="credit-split" rowTitle="Model"
      series={channels.map((id) => ({ id, title: humanise(id), slot: slots.includes(id) ? slots.indexOf(id) : undefined }))}
      format={(share) => percent(share)}
      rows={models.map((id) => ({
        id, name: title(id),
        parts: channels.flatMap((series) => {
          const value = credit?.[id]?.[series] ?? 0;
          return value > 0 ? [{ series, value }] : [];
        }),
      }))}
    />
  );
}
