import { Link } from '@tanstack/react-router';
import type { Attribution, Credit, Incremental } from '../../api/types';
import { Findings } from '../../evidence/parts';
import { decimal, humanise, interval, NONE } from '../../format';
import { Card, type Column, DataTable, EvidenceTier } from '../../ui';
import { measureWords, ordered, type Shared, supportWords, UNKNOWN } from './figures';

export const BASELINE = '(not caused by any channel)';

interface Row {
  channel: string;
  caused: Credit | null;
  credited: number | null;
  support: string;
}

/** What channels caused, by evidence: each with what its number rests on, and what none of them caused. */
export function IncrementalCard({ data, incremental, of }: { data: Attribution; incremental: Incremental; of: Shared }) {
  const { write } = measureWords(of, data.currency);
  const title = data.models.find(({ id }) => id === incremental.model)?.title ?? titleOf(data, incremental);
  const rows: Row[] = [
    ...ordered(data, of).map(({ channel, credits }): Row => {
      const caused = credits[incremental.id] ?? null;
      return { channel: humanise(channel), caused, credited: credits[incremental.model]?.[of] ?? null, support: caused ? supportWords(caused.support) : UNKNOWN };
    }),
    ...(incremental.baseline ? [{ channel: BASELINE, caused: incremental.baseline, credited: null, support: 'what is left of all conversions' }] : []),
  ];
  const known = rows.some(({ credited }) => credited !== null);
  const columns: Column<Row>[] = [
    { accessorKey: 'channel', header: 'Channel', meta: { rowHeader: true } },
    {
      id: 'caused', header: of === 'value' ? `Caused, ${data.currency}` : 'Conversions caused', accessorFn: ({ caused }) => caused?.[of], meta: { numeric: true },
      cell: ({ row: { original: { caused } } }) => caused
        ? <span>{write(caused[of])} <span className="muted small">{interval(caused[`${of}_interval`], write)}</span></span>
        : <span>{NONE}<span className="visually-hidden"> not known</span></span>,
    },
    ...(known ? [{ id: 'credited', header: 'Credited', accessorFn: ({ credited }: Row) => credited, meta: { numeric: true }, cell: ({ row }: { row: { original: Row } }) => (row.original.credited === null ? NONE : write(row.original.credited)) }] : []),
    { id: 'support', header: 'Rests on', accessorFn: ({ support }) => support, cell: ({ row }) => <span className="wrap-anywhere">{row.original.support}</span> },
    { id: 'tier', header: 'Tier', enableSorting: false, cell: ({ row: { original: { caused } } }) => (caused && caused.tier !== null ? <EvidenceTier tier={caused.tier} /> : NONE) },
  ];
  const ratio = incremental.ratio_interval;
  return (
    <Card
      title="Caused, by evidence" flush
      note={<>
        Credits of “{title}” scaled to what experiments found, with 90% intervals. What no channel caused may be below zero: then channels caused more than there is, as far as the evidence says.
      </>}
    >
      <DataTable caption="Caused by each channel, by evidence" rows={rows} columns={columns} rowId={({ channel }) => channel} stacked />
      <div className="card-body stack">
        <section className="stack-s">
          <h3>Evidence used</h3>
          {incremental.used.length === 0
            ? <p className="small">None: no record that may decide speaks of any channel.</p>
            : (
              <ul className="used">
                {incremental.used.map((id) => <li key={id}><Link to="/evidence/record" search={{ id }} className="mono small wrap-anywhere">{id}</Link></li>)}
              </ul>
            )}
          {ratio && <p className="small muted">A channel without an experiment of its own caused {decimal(ratio[0], 2)} to {decimal(ratio[1], 2)} conversions for each one credited (90%).</p>}
        </section>
        {incremental.diagnostics.length > 0 && <section className="stack-s"><h3>Findings</h3><Findings findings={incremental.diagnostics} none="" /></section>}
      </div>
    </Card>
  );
}

/** The credits that are scaled may not be among the columns; then the scaled one names them. */
const titleOf = (data: Attribution, { id, model }: Incremental) =>
  data.models.find((each) => each.id === id)?.title.replace(/, scaled to evidence$/, '') ?? model;

const EXAMPLE = `incremental:
  model: path:markov:1
  evidence:
    - source: email_holdout
      metric: purchase
      channel: email
      conversions_per_unit: 20000`;

/** How to get credits that are scaled to evidence. */
export function HowToScale() {
  return (
    <details className="small muted how">
      <summary>No credit here is scaled to experiments. How to have it</summary>
      <div className="stack-s">
        <p>
          Say in <code>attribution.yaml</code> which records of the evidence ledger speak of which channel. Credits are then scaled to what the
          channels caused, and stand first. <code>conversions_per_unit</code> is how many conversions one unit of the estimate stands for, such as people in the arm.
        </p>
        <pre className="command"><code>{EXAMPLE}</code></pre>
      </div>
    </details>
  );
}
