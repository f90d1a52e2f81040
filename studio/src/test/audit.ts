import type { AuditHead, AuditItem, AuditVerification, InclusionProof, Json } from '../api/govern';
import { recordLeaf } from '../audit/proof';
import { session } from './fixtures';
import { pathOf, rootOf } from './tree';

/** A session that may read and check the log, but not export it. */
export const auditor = { ...session, may: [...session.may, 'listAudit', 'getAuditHead', 'proveAudit', 'verifyAudit'] };
/** One that may do everything with it, and knows people by name. */
export const auditAdmin = { ...session, may: [...auditor.may, 'exportAudit', 'listUsers', 'listApprovals'] };

const BOX = 'c0ffee'.repeat(40);

const ENTRIES: [kind: string, actor: string, payload: Json][] = [
  ['configuration_changed', 'project', { configuration: 'ab'.repeat(32), files: { 'throughline.yaml': { before: null, after: 'cd'.repeat(32) } } }],
  ['signed_in', 'ada', { user: 'ada', method: 'password' }],
  ['run_begun', 'pid:4711', { run_seq: 3, as_of: '2026-01-01T00:00:00Z', config_hash: 'ab'.repeat(32), seed: 2 ** 60, fence: 7 }],
  ['deliveries_frozen', 'grace', { reason: 'prices \u202Ewere wrong', by: 'grace', at: '2026-01-01T00:03:00Z' }],
  ['personal_data_opened', 'grace', { identifiers: 2, sealed: [{ subject: 'c'.repeat(32), box: BOX }, { subject: 'd'.repeat(32), box: BOX }] }],
  ['witness_called', 'robot', { notary: 'North', pages: 12, rush: false, nested: { deep: [1, 2] } }],
  ['approval_changed', 'grace', { approval: 'ap1', kind: 'policy', subject: 'spring_mail', version: 'v', state: 'approved', revision: 2, step: 'approved as finance' }],
];

const at = (index: number) => `2026-01-01T00:0${index}:00.123456Z`;
const LEAVES: string[] = [];
for (const [index, [kind, actor, payload]] of ENTRIES.entries()) {
  const prev = LEAVES.at(-1) ?? '0'.repeat(64);
  LEAVES.push((await recordLeaf({ seq: index + 1, kind, actor, at: at(index), text: JSON.stringify(payload), prev }))!);
}

/** Records 1 to 7. */
export const auditItems: AuditItem[] = ENTRIES.map(([kind, actor, payload], index) => ({
  seq: index + 1, kind, actor, at: at(index), payload, text: JSON.stringify(payload),
  prev: LEAVES[index - 1] ?? '0'.repeat(64), leaf: LEAVES[index]!, sealed: kind === 'personal_data_opened' ? 2 : 0,
}));
export const newestFirst = [...auditItems].reverse();

export const auditHead: AuditHead = {
  origin: 'shop', size: LEAVES.length, root: await rootOf(LEAVES), at: '2026-01-01T00:10:00Z',
  note: `shop\n${LEAVES.length}\ncm9vdA==\ntime 1767226200000000\n\n— shop c2lnbmF0dXJl\n`, public_key: 'shop+0123abcd+AQID',
};

export const proofs: InclusionProof[] = await Promise.all(LEAVES.map(async (leaf, index) => ({
  seq: index + 1, size: auditHead.size, leaf, root: auditHead.root, path: await pathOf(index, LEAVES),
})));

export const intact: AuditVerification = {
  intact: true, records: auditHead.size, root: auditHead.root, heads_checked: 4, heads_unsigned: 0, fault_count: 0, faults: [], seconds: 0.25,
};
