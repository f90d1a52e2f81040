import type { Truth } from '../../api/truth';
import { Bars, DotInterval } from '../../charts';
import { count, decimal, humanise, money, NONE } from '../../format';
import { Badge, Card } from '../../ui';
import { CAUSED, creditRows, creditsOf } from './credits';
import { sentence } from './words';

const write = (value: number) => decimal(value, Number.isInteger(value) ? 0 : 1);

/** What every channel caused beside what every model credits to it. `order` is that of the attribution screen. */
export function CreditChart({ truth, models, order }: { truth: Truth; models: Record<string, string>; order: string[] }) {
  const credited = creditsOf(truth);
  const rows = creditRows(truth, credited);
  const file = `truth-run-${truth.run_seq}`;
  if (credited.models.length === 0) {
    return (
      <Card title="What each channel caused" note={`${sentence(truth.note)}.`}>
        <Bars
          caption="Conversions that each channel caused" file={file} rowTitle="Channel" format={write}
          series={[{ id: CAUSED, title: 'Caused' }]}
          rows={rows.map(({ channel, caused }) => ({ id: channel, name: humanise(channel), parts: [{ series: CAUSED, value: caused }] }))}
        />
      </Card>
    );
  }
  // In the order of the attribution screen a model keeps its colour and its shape.
  const place = (model: string) => (order.includes(model) ? order.indexOf(model) : order.length);
  const series = [...credited.models].sort((a, b) => place(a) - place(b));
  return (
    <Card
      title="Credited and caused"
      note={<>Conversions that each channel caused, beside those that each model credits to it. {sentence(truth.note)}.</>}
    >
      <DotInterval
        caption="Conversions credited to each channel by each model, and caused by it" file={file}
        unit="Conversions" format={write} tickFormat={count} levels={{ outer: credited.level ?? 0.9 }}
        series={[...series.map((id) => ({ id, title: models[id] ?? humanise(id) })), { id: CAUSED, title: 'Caused: the truth' }]}
        reference="what the channel caused" asideTitle="Cost"
        rows={rows.map(({ channel, caused, cost, known, marks }) => ({
          id: channel, name: humanise(channel), marks, reference: caused,
          detail: known ? undefined : <Badge tone="warn">not in the market</Badge>,
          aside: cost === null ? NONE : money(cost, truth.currency),
        }))}
      />
    </Card>
  );
}
