import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { Problem } from '../../api/client';
import { queries } from '../../api/queries';
import type { Attribution, CreditCell, CreditCells, Credit } from '../../api/types';
import { DotInterval, DownloadCsv, Paths } from '../../charts';
import { count, dateOf, humanise, money, monthOf, NONE, plural, setText, timeTick } from '../../format';
import { NotOfPart } from '../../filters/filter-bar';
import { partOf } from '../../filters/search';
import { Badge, Button, Card, type Column, DataTable, EmptyState, ProblemView, Segments, Select, Skeleton } from '../../ui';
import { cellTwin, dimensionsOf, dimensionWords, dotsOf, expected, inSentence, itemText, linesOf } from './cells';
import { markOf, type Measure, measureWords, same, sharedBy } from './figures';
import type { AttributionSearch } from './route';

const here = getRouteApi('/app/attribution');
/** No filter; a name that no item has. */
const ALL = '\u0000all';

interface BreakdownProps {
  data: Attribution;
  measure: Measure;
}

/** Credit of one model by what touches and journeys are. */
export function Breakdown({ data, measure }: BreakdownProps) {
  const { by = 'campaign', model, channel, item, ...search } = here.useSearch();
  const navigate = useNavigate({ from: '/attribution' });
  const set = (change: AttributionSearch) => void navigate({ search: (all) => ({ ...all, ...change }), replace: true });
  const asked = { dimension: by, conversion: data.conversion, model, channel, item };
  const { data: cells, error, isPending, refetch } = useQuery({ ...queries.creditCells(asked), placeholderData: keepPreviousData });
  const none = error instanceof Problem && error.status === 404;
  const fresh = cells?.dimension === by ? cells : undefined;
  const title = (id: string) => data.models.find((each) => each.id === id)?.title ?? id;
  const any = { value: ALL, label: 'all' };
  const items = fresh?.items.filter((each) => each !== '') ?? [];

  return (
    <Card
      title="Credit broken down"
      note="Only models that split each path can be broken down; others say what a channel gets in all. Write path:MODEL in attribution.yaml to have the paths of any model split."
    >
      <div className="stack">
        <NotOfPart part={partOf(search)}>The breakdown is of all journeys.</NotOfPart>
        <div className="row breakdown-controls">
          <Segments
            label="Broken down by" value={by} options={dimensionsOf(cells?.dimensions, data.filters.segments, by).map((value) => ({ value, label: dimensionWords(value).label }))}
            onChange={(next) => set({ by: next === 'campaign' ? undefined : next, item: undefined })}
          />
          {fresh && fresh.models.length > 0 && (
            <Select label="Model" inline value={fresh.model} options={fresh.models.map((value) => ({ value, label: title(value) }))} onChange={(next) => set({ model: next })} />
          )}
          <Select
            label="Channel" inline value={channel ?? ALL} options={[any, ...data.channels.map(({ channel: value }) => ({ value, label: humanise(value) }))]}
            onChange={(next) => set({ channel: next === ALL ? undefined : next })}
          />
          {(items.length > 0 || item !== undefined) && (
            <Select
              label={dimensionWords(by).label} inline value={item ?? ALL}
              options={[any, ...[...new Set([...items, ...(item === undefined ? [] : [item])])].map((value) => ({ value, label: itemText(by, value) }))]}
              onChange={(next) => set({ item: next === ALL ? undefined : next })}
            />
          )}
        </div>
        {error && !none && <ProblemView problem={error} onRetry={() => void refetch()} />}
        {none && <NotBroken by={by} asked={model} onAny={() => set(model ? { model: undefined } : { by: undefined, item: undefined })} />}
        {isPending && !error && <Skeleton lines={[100]} height={420} />}
        {fresh && !error && <Cells {...{ data, measure, channel, item }} cells={fresh} />}
      </div>
    </Card>
  );
}

function NotBroken({ by, asked, onAny }: { by: string; asked: string | undefined; onAny: () => void }) {
  const title = asked ? 'This model is not broken down' : by === 'campaign' ? 'No credit is broken down yet' : `No credit is broken down by ${inSentence(by)}`;
  return (
    <EmptyState
      title={title}
      action={asked || by !== 'campaign' ? <Button onPress={onAny}>{asked ? 'Take one that is' : 'Take campaigns'}</Button> : <Link to="/">Go to the line</Link>}
    >
      <p>Rules such as <code>linear</code> split each path, and so does any model written as <code>path:MODEL</code>. A run breaks their credit down.</p>
    </EmptyState>
  );
}

interface CellsProps extends BreakdownProps {
  cells: CreditCells;
  channel: string | undefined;
  item: string | undefined;
}

function Cells({ data, measure, cells, channel, item }: CellsProps) {
  const of = sharedBy(measure);
  if (cells.cells.length === 0) return <p className="small muted">Nothing is credited there.</p>;
  return (
    <>
      <TiesOut {...{ data, cells }} of={of} expected={expected(data, cells, channel, item, of)} />
      {dimensionWords(cells.dimension).time && item === undefined ? <OverTime cells={cells} of={of} /> : <ByItem cells={cells} measure={measure} />}
      <CellTable cells={cells} measure={measure} />
    </>
  );
}

/** The sum of the cells beside what the model credits. */
function TiesOut({ data, cells, of, expected: whole }: { data: Attribution; cells: CreditCells; of: ReturnType<typeof sharedBy>; expected: number | null }) {
  const { write } = measureWords(of, data.currency);
  const off = whole === null || same(cells[of], whole) ? null : cells[of] - whole;
  return (
    <p className="row small">
      <span>
        {plural(cells.total, 'cell')}, together {measureWords('conversions', data.currency).write(cells.conversions)} conversions worth {money(cells.value, data.currency)}
        {whole !== null && off === null && ', as the model credits in all'}.
      </span>
      {whole !== null && (off === null ? <Badge tone="good">✓ ties out</Badge> : <Badge tone="bad">off by {write(off)}</Badge>)}
    </p>
  );
}

function OverTime({ cells, of }: { cells: CreditCells; of: ReturnType<typeof sharedBy> }) {
  const { write, tick, unit } = measureWords(of, cells.currency);
  const { xs, lines, others } = linesOf(cells, of);
  if (xs.length < 2) return null;
  const day = cells.dimension === 'day';
  return (
    <>
      <Paths
        caption={`${unit} by ${inSentence(cells.dimension)}`} file={`attribution-${cells.conversion}-${cells.model}-by-${cells.dimension}`}
        xs={xs} lines={lines} level={cells.level}
        x={{ title: dimensionWords(cells.dimension).item, time: true, format: (at) => (day ? dateOf(new Date(at).toISOString()) : monthOf(at)), tick: timeTick(xs) }}
        y={{ title: unit, format: write, tick, zero: true }}
      />
      {others > 0 && <p className="small muted">The {lines.length} channels with most credit are drawn, {plural(others, 'other')} {others === 1 ? 'is' : 'are'} in the table. Choose a channel to see it alone.</p>}
    </>
  );
}

const MOST_ROWS = 15;
const MOST_SERIES = 8;

function ByItem({ cells, measure }: { cells: CreditCells; measure: Measure }) {
  const { write, tick, unit, caption } = measureWords(measure, cells.currency);
  const { rows, channels, more } = dotsOf(cells, measure, sharedBy(measure), MOST_ROWS);
  if (channels.length > MOST_SERIES) return <p className="small muted">Choose a channel, or one {inSentence(cells.dimension)}, to see its credit drawn.</p>;
  const marks = rows.flatMap((row) => Object.values(row.marks));
  if (marks.length === 0) return null;
  return (
    <>
      <DotInterval
        caption={`${caption} by ${inSentence(cells.dimension)} and channel`} file={`attribution-${cells.conversion}-${cells.model}-by-${cells.dimension}-${measure}`}
        rows={rows.map(({ item, marks: of }) => ({ id: item, name: itemText(cells.dimension, item), marks: of }))}
        series={channels.map((id) => ({ id, title: humanise(id) }))} titles={{ row: dimensionWords(cells.dimension).label, series: 'Channel' }}
        unit={unit} format={write} tickFormat={tick} levels={{ outer: cells.level, inner: marks.some(({ inner }) => inner) ? 0.5 : undefined }}
      />
      {more > 0 && <p className="small muted">And {count(more)} with less credit, in the table.</p>}
    </>
  );
}

/** Rows at first: days by channels may be thousands. */
const FIRST_ROWS = 100;

function CellTable({ cells, measure }: { cells: CreditCells; measure: Measure }) {
  const { dimension, currency } = cells;
  const [all, setAll] = useState(false);
  const shown = all ? cells.cells : cells.cells.slice(0, FIRST_ROWS);
  const spent = cells.cells.some(({ spend }) => spend !== null);
  const figure = (what: Measure, header: string): Column<CreditCell> => ({
    id: what, header, accessorFn: ({ credit }) => valueOf(credit, what), meta: { numeric: true },
    cell: ({ row }) => <Figure credit={row.original.credit} measure={what} currency={currency} />,
  });
  const columns: Column<CreditCell>[] = [
    { id: 'item', header: dimensionWords(dimension).label, accessorFn: ({ item }) => item, sortDescFirst: false, meta: { rowHeader: true }, cell: ({ row }) => <span className="wrap-anywhere">{itemText(dimension, row.original.item)}</span> },
    { id: 'channel', header: 'Channel', accessorFn: ({ channel }) => channel, cell: ({ row }) => humanise(row.original.channel) },
    figure('conversions', 'Conversions'),
    figure('value', 'Value'),
    ...(measure === 'share' ? [figure('share', 'Share')] : []),
    ...(spent ? [
      { id: 'spend', header: 'Spend', accessorFn: ({ spend }: CreditCell) => spend, meta: { numeric: true }, cell: ({ row }: { row: { original: CreditCell } }) => money(row.original.spend, currency) },
      figure('cpa', 'Cost per conversion'), figure('roas', 'Return on spend'),
    ] : []),
  ];
  return (
    <DataTable
      caption={`Credit by ${inSentence(dimension)} and channel`} rows={shown} columns={columns} stacked
      rowId={({ item, channel }) => `${channel}\n${item}`}
      footer={(
        <>
          <span>
            {count(shown.length)} of {count(cells.total)}
            {cells.total > shown.length && ', those with most credit; the sum above is of all'}
            {!spent && '. Spend is not known by it'}.
          </span>
          <span className="row">
            <DownloadCsv twin={cellTwin(cells)} file={`attribution-${cells.conversion}-${cells.model}-by-${dimension}-cells`} />
            {cells.cells.length > shown.length && <Button onPress={() => setAll(true)}>Show {count(cells.cells.length)}</Button>}
          </span>
        </>
      )}
    />
  );
}

function valueOf(credit: Credit, measure: Measure): number | undefined {
  const mark = markOf(credit, measure);
  return typeof mark === 'string' ? undefined : mark.value;
}

function Figure({ credit, measure, currency }: { credit: Credit; measure: Measure; currency: string }) {
  const { write } = measureWords(measure, currency);
  const mark = markOf(credit, measure);
  if (typeof mark === 'string') return <span className="muted" title={mark}>{NONE}<span className="visually-hidden"> {mark}</span></span>;
  const pieces = mark.set ?? (mark.outer ? [mark.outer] : []);
  return <span className="figure-cell">{write(mark.value)} <span className="muted small">{setText(pieces, write)}</span></span>;
}
