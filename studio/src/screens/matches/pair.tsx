import type { MatchPair } from '../../api/matches';
import { count, decimal, humanise, money } from '../../format';
import { Id } from '../../ui';
import { bits, type Field, fieldsOf, probability } from './words';

interface PairProps {
  pair: MatchPair;
  said: MatchPair['said'];
  currency: string;
}

/** Two records side by side, with what each field adds. */
export function PairView({ pair, said, currency }: PairProps) {
  const [ours, theirs] = pair.sources;
  // Where rows are stacked, cells are named by their record.
  const names: [string, string] = ours === theirs ? ['One record', 'The other'] : [ours ?? '', theirs ?? ''];
  return (
    <div className="stack">
      <dl className="match-facts">
        <div><dt>Probability of one person</dt><dd>{probability(pair.probability)}</dd></div>
        <div><dt>Weight of the evidence</dt><dd>{bits(pair.weight_bits)}</dd></div>
        <div>
          <dt>Over the next best</dt>
          <dd>{pair.margin_bits === null ? 'no rival' : bits(pair.margin_bits)}</dd>
        </div>
        <div>
          <dt>At stake</dt>
          <dd>{money(pair.value, currency)} <small>in {count(pair.purchases)} {pair.purchases === 1 ? 'purchase' : 'purchases'}</small></dd>
        </div>
        <div><dt>Now</dt><dd>{humanise(pair.outcome)} <small>{pair.reason}</small></dd></div>
      </dl>
      <div className="table-wrap" role="group" aria-label="The two records" tabIndex={0}>
        <table className="table match-table stacked" role="table">
          <caption className="visually-hidden">The two records, field by field</caption>
          <thead role="rowgroup">
            <tr role="row">
              <th scope="col">Field</th>
              <th scope="col">{ours} <Id id={pair.token} /></th>
              <th scope="col">{theirs} <Id id={pair.other_token} /></th>
              <th scope="col">Agreement</th>
              <th scope="col" className="numeric">Adds</th>
            </tr>
          </thead>
          <tbody role="rowgroup">
            {fieldsOf(pair, said).map((field) => <Row key={field.name} field={field} names={names} />)}
          </tbody>
        </table>
      </div>
      <p className="small muted">
        {said
          ? 'This access was recorded in the audit log.'
          : 'What the records say lies in the vault. Opening it is recorded in the audit log.'}{' '}
        Weights by field leave out what rare values add; drawn with probability {pair.inclusion === null ? 'unknown' : decimal(pair.inclusion, 3)}.
      </p>
    </div>
  );
}

function Row({ field, names }: { field: Field; names: [string, string] }) {
  const { name, agreement, weight, said } = field;
  const value = (text: string | undefined) =>
    text === undefined ? <span className="muted">sealed</span> : text === '' ? <span className="muted">missing</span> : text;
  return (
    <tr role="row" data-agreement={agreement}>
      <th scope="row" role="rowheader">{humanise(name)}</th>
      <td role="cell" className="wrap-anywhere" data-label={names[0]}>{value(said?.[0])}</td>
      <td role="cell" className="wrap-anywhere" data-label={names[1]}>{value(said?.[1])}</td>
      <td role="cell" data-label="Agreement"><span className="agreement">{agreement}</span></td>
      <td role="cell" className="numeric" data-label="Adds">{weight === null ? 'nothing' : bits(weight)}</td>
    </tr>
  );
}
