import type { AuditItem, Json } from '../../api/govern';
import { count, exact, humanise, plural, shortId } from '../../format';
import { visible } from '../approvals/diff';

type Fields = Record<string, Json | undefined>;

const fieldsOf = (value: Json | undefined): Fields =>
  value !== null && typeof value === 'object' && !Array.isArray(value) ? value : {};
const list = (value: Json | undefined): Json[] => (Array.isArray(value) ? value : []);

/** A plain value as text; null where there is nothing to say. */
function plain(value: Json | undefined): string | null {
  if (typeof value === 'string') return value === '' ? null : visible(value);
  if (typeof value === 'number') return exact(value);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return null;
}

const spoken = (value: Json | undefined): string => visible(humanise(plain(value) ?? ''));
const joined = (parts: (string | null | false | undefined)[], by = ', ') => parts.filter(Boolean).join(by);
const names = (value: Json | undefined) => list(value).map((each) => plain(each) ?? '').join(', ') || 'none';
const number = (value: Json | undefined) => (typeof value === 'number' ? value : null);
const run = ({ run_seq }: Fields) => `Run ${plain(run_seq) ?? '?'}`;

/** An id of our own is shortened; a name is not. */
const subject = (value: Json | undefined) => (typeof value === 'string' && /^[0-9a-f]{24,}$/.test(value) ? shortId(value) : plain(value));

/** Most files that a line names. */
const FILES_NAMED = 3;

function files({ files: changed }: Fields): string {
  const all = Object.entries(fieldsOf(changed));
  const named = all.slice(0, FILES_NAMED).map(([file, hashes]) => {
    const { before, after } = fieldsOf(hashes);
    return `${visible(file)} ${before == null ? 'added' : after == null ? 'removed' : 'changed'}`;
  });
  if (all.length > FILES_NAMED) named.push(`and ${count(all.length - FILES_NAMED)} more`);
  return named.join(', ');
}

/** Of an account only what is different. */
function accountChange(fields: Fields): string {
  const [before, after] = [fieldsOf(fields.before), fieldsOf(fields.after)];
  const rights = (['roles', 'sign_offs'] as const).map((name) => {
    const [was, is] = [names(before[name]), names(after[name])];
    return was !== is && `${name.replace('_', '-')} ${is} (before: ${was})`;
  });
  const parts = joined([
    ...rights,
    before.disabled === false && after.disabled === true && 'disabled',
    before.disabled === true && after.disabled === false && 'enabled again',
    (fields.password === true || fields.password === 'changed') && 'new password',
    fields.before === undefined && fields.roles !== undefined && `roles ${names(fields.roles)}`,
    fields.issuer !== undefined && `as ${plain(fields.issuer)} says`,
    fields.approval !== undefined && `by approval ${subject(fields.approval)}`,
  ], '; ');
  return `${plain(fields.user) ?? ''}: ${parts || 'no change of rights'}`;
}

const account = (fields: Fields) => joined([
  plain(fields.user), `roles ${names(fields.roles)}`, list(fields.sign_offs).length > 0 && `signs for ${names(fields.sign_offs)}`,
], '; ');

const approval = (fields: Fields) =>
  `${joined([spoken(fields.kind), subject(fields.subject)], ' ')}: ${plain(fields.step) ?? plain(fields.state) ?? ''}`;

function orderedStages({ stage, from }: Fields): string {
  if (typeof stage === 'string') return `Only the stage ${visible(stage)}`;
  return typeof from === 'string' ? `From the stage ${visible(from)} onwards` : 'All stages';
}

interface Kind {
  title: string;
  line: (fields: Fields) => string;
}

const token = (fields: Fields) => joined([
  plain(fields.label), fields.user !== undefined && `for ${plain(fields.user)}`,
  list(fields.scopes).length > 0 && `may ${names(fields.scopes)}`, fields.why !== undefined && plain(fields.why),
], '; ') || (subject(fields.token) ?? '');

/** What the parts of the product put on record. A kind that this version does not know keeps its name. */
const KINDS: Record<string, Kind> = {
  run_requested: { title: 'Run asked for', line: orderedStages },
  run_begun: { title: 'Run begun', line: (fields) => joined([run(fields), fields.as_of !== undefined && `data as of ${plain(fields.as_of)}`]) },
  run_resumed: { title: 'Run resumed', line: run },
  run_finished: { title: 'Run over', line: (fields) => `${run(fields)}: ${plain(fields.status) ?? ''}` },
  run_cancel_requested: { title: 'Run asked to stop', line: () => 'What was finished stays' },
  lease_taken_over: { title: 'Line taken over', line: (fields) => `From ${plain(fields.from) ?? '?'}, which had stopped` },
  published: {
    title: 'Tables published',
    line: (fields) => `${run(fields)}, ${joined([spoken(fields.stage), plain(fields.unit)], ' ')}: ${Object.keys(fieldsOf(fields.tables)).map(visible).join(', ') || 'no table'}`,
  },
  forgotten: {
    title: 'Results set aside',
    line: (fields) => `${spoken(fields.stage)}: ${plural(number(fields.units) ?? 0, 'unit')} to be computed again`,
  },
  registered: { title: 'Artefact registered', line: (fields) => `${spoken(fields.kind)} ${plain(fields.name) ?? ''}, version ${plain(fields.version) ?? '?'}` },
  evidence_recorded: { title: 'Evidence recorded', line: ({ id }) => plain(id) ?? '' },
  configuration_changed: { title: 'Configuration changed', line: files },
  delivery_begun: {
    title: 'Delivery begun',
    line: (fields) => joined([`${plural(number(fields.rows) ?? 0, 'row')} to ${plain(fields.destination) ?? '?'}`, (number(fields.attempt) ?? 1) > 1 && `attempt ${plain(fields.attempt)}`]),
  },
  delivery_completed: { title: 'Delivery over', line: (fields) => joined([spoken(fields.status), subject(fields.idempotency_key)], ': ') },
  deliveries_frozen: { title: 'Deliveries frozen', line: ({ reason }) => plain(reason) ?? '' },
  deliveries_unfrozen: { title: 'Deliveries released', line: ({ frozen }) => joined(['Frozen because', plain(fieldsOf(frozen).reason)], ': ') },
  vault_opened: {
    title: 'Vault opened',
    line: (fields) => `${plain(fields.opened) ?? '?'} of ${plural(number(fields.requested) ?? 0, 'identifier')}, for ${spoken(fields.purpose).toLowerCase()}`,
  },
  personal_data_opened: {
    title: 'Person’s identifiers opened',
    line: (fields) => `${plural(number(fields.identifiers) ?? 0, 'identifier')} of one person; which one, and why, is sealed`,
  },
  approval_requested: { title: 'Approval asked for', line: approval },
  approval_changed: { title: 'Approval changed', line: approval },
  signed_in: { title: 'Signed in', line: ({ method }) => `By ${plain(method) ?? 'an unknown way'}` },
  sign_in_refused: { title: 'Sign-in refused', line: () => 'Wrong password' },
  signed_out: { title: 'Signed out', line: () => '' },
  user_added: { title: 'Account added', line: account },
  user_changed: { title: 'Account changed', line: accountChange },
  token_added: { title: 'Token made', line: token },
  token_revoked: { title: 'Token ended', line: token },
  audit_exported: { title: 'Audit log exported', line: () => 'All records' },
};

export const KIND_NAMES = Object.keys(KINDS);

// A kind is text of the log: `constructor` is not one that is known.
const known = (kind: string) => (Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined);

export const kindTitle = (kind: string) => known(kind)?.title ?? visible(humanise(kind));

/** The payload in one line; of an unknown kind, its first few plain values. */
export function summary({ kind, payload }: Pick<AuditItem, 'kind' | 'payload'>): string {
  const fields = fieldsOf(payload);
  const itsKind = known(kind);
  if (itsKind) return itsKind.line(fields);
  const parts = Object.entries(fields).flatMap(([name, value]) => {
    const text = plain(value);
    return text === null ? [] : [`${visible(humanise(name))}: ${text}`];
  });
  return parts.slice(0, 3).join('; ');
}

/** The approval that a record is about, to be opened; ids are letters, digits and hyphens. */
export function approvalOf({ kind, payload }: AuditItem): string | null {
  const { approval: id } = fieldsOf(payload);
  return /^approval_|^user_changed$/.test(kind) && typeof id === 'string' && /^[\w-]{1,64}$/.test(id) ? id : null;
}
