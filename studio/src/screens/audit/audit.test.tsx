import { createMemoryHistory } from '@tanstack/react-router';
import { render, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it, vi } from 'vitest';
import type { AuditVerification, InclusionProof } from '../../api/govern';
import { App } from '../../app';
import { renderApp } from '../../test/app';
import { auditAdmin, auditHead, auditItems, auditor, intact, newestFirst, proofs } from '../../test/audit';
import { line } from '../../test/fixtures';
import { fakeServer, type Sent } from '../../test/server';

const page = (items = newestFirst, next_cursor: string | null = null) => ({ body: { items, next_cursor, total: null } });
const base = {
  'GET /session': { body: auditor }, 'GET /line': { body: line() }, 'GET /audit': page(), 'GET /audit/head': { body: auditHead },
};
const searches = (sent: Sent[]) => sent.filter(({ path }) => path.startsWith('/audit?')).map(({ path }) => Object.fromEntries(new URLSearchParams(path.split('?')[1])));
const rows = async () => within(await screen.findByRole('table', { name: 'Audit records' })).getAllByRole('row').slice(1).map((row) => row.textContent ?? '');
const card = (name: string) => screen.findByRole('region', { name });

it('says of every record its number, when, who, what in words, and what is sealed', async () => {
  const ada = { id: 'u1', name: 'ada', display_name: 'Ada Example' };
  const grace = { id: 'u2', name: 'grace', display_name: 'Grace \u202EExample' };
  fakeServer({ ...base, 'GET /session': { body: auditAdmin }, 'GET /users': { body: { items: [ada, grace], next_cursor: null, total: null } } });
  renderApp('/audit');
  await screen.findAllByText('Grace \\u{202e}Example');
  const [approval, unknown, opened, frozen, begun, signedIn, configured] = await rows();
  expect(approval).toContain('Record 71 Jan 2026, 00:06 UTCGrace \\u{202e}ExamplegraceApproval changedPolicy spring_mail: approved as finance');
  expect(unknown).toContain('robotWitness calledNotary: North; Pages: 12; Rush: no');
  expect(opened).toContain('Person’s identifiers opened2 parts sealed2 identifiers of one person; which one, and why, is sealed');
  expect(frozen).toContain('Deliveries frozenprices \\u{202e}were wrong');
  expect(begun).toContain('Process 4711pid:4711Run begunRun 3');
  expect(signedIn).toContain('Ada ExampleadaSigned inBy password');
  expect(configured).toContain('projectConfiguration changedthroughline.yaml added');
  expect(screen.getByText('7 records')).toBeTruthy();
});

it('keeps filters in the address and sends them', async () => {
  const sent = fakeServer(base);
  const history = createMemoryHistory({ initialEntries: ['/audit?actor=robot'] });
  render(<App history={history} />);
  await screen.findByRole('table', { name: 'Audit records' });
  expect(searches(sent)[0]).toEqual({ actor: 'robot', limit: '50' });

  await userEvent.click(screen.getByRole('button', { name: /^All kinds Kind$|Kind/ }));
  await userEvent.click(await screen.findByRole('option', { name: 'Deliveries frozen' }));
  const field = await screen.findByLabelText('Actor, by whole name');
  await userEvent.clear(field);
  // What one person is called stands for the name that is recorded.
  await userEvent.type(field, 'ada example{Enter}');
  await waitFor(() => expect(searches(sent).at(-1)).toEqual({ actor: 'ada', kind: 'deliveries_frozen', limit: '50' }));
  expect(Object.fromEntries(new URLSearchParams(history.location.search))).toEqual({ actor: 'ada', kind: 'deliveries_frozen' });
  await userEvent.click(screen.getByRole('button', { name: 'Clear filters' }));
  await waitFor(() => expect(history.location.search).toBe(''));
});

it('reads on from the cursor, and the focus follows when there is no more to load', async () => {
  const sent = fakeServer({
    ...base,
    'GET /audit': ({ path }) => (path.includes('cursor=next') ? page(newestFirst.slice(4)) : page(newestFirst.slice(0, 4), 'next')),
  });
  renderApp('/audit');
  await userEvent.click(await screen.findByRole('button', { name: 'Load more' }));
  expect(await screen.findByText('7 records')).toBeTruthy();
  expect(screen.queryByRole('button', { name: 'Load more' })).toBeNull();
  expect(searches(sent).at(-1)).toEqual({ cursor: 'next', limit: '50' });
  await waitFor(() => expect(document.activeElement?.textContent).toBe('Record 3'));
});

it('opens a record in full, and says what becomes of what is sealed', async () => {
  fakeServer(base);
  renderApp('/audit');
  const link = await screen.findByRole('link', { name: 'Record 5' });
  await userEvent.click(link);
  const dialog = within(await screen.findByRole('dialog', { name: 'Record 5' }));
  expect(dialog.getByText(/2 parts of this record are sealed.*When that person is erased, so is the key.*it still holds/)).toBeTruthy();
  expect(dialog.getByText('2026-01-01T00:04:00.123456Z')).toBeTruthy();
  expect(dialog.getByText('Identifiers').nextSibling?.textContent).toBe('2');
  expect(dialog.getAllByText('240 characters')).toHaveLength(2);
  expect(dialog.getByText(auditItems[4]!.leaf)).toBeTruthy();
  await userEvent.click(dialog.getByRole('button', { name: 'Close' }));
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  await waitFor(() => expect(document.activeElement).toBe(link));
});

it('shows hidden characters, and figures that a browser rounds', async () => {
  fakeServer(base);
  renderApp('/audit?record=4');
  expect(await within(await screen.findByRole('dialog', { name: 'Record 4' })).findAllByText(/prices \\u\{202e\}were wrong/)).toHaveLength(2);
  await userEvent.keyboard('{Escape}');
  // Nothing on the page had opened it.
  await waitFor(() => expect(document.activeElement?.textContent).toBe('Audit'));
  await userEvent.click(screen.getByRole('link', { name: 'Record 3' }));
  expect((await screen.findByText('Seed')).nextSibling?.textContent).toContain('rounded');
});

it('opens a record by its number where the list does not have it, and says when there is none', async () => {
  fakeServer({ ...base, 'GET /audit': page(newestFirst.slice(0, 2)), 'GET /audit/2': { body: auditItems[1] } });
  const { unmount } = renderApp('/audit?record=2');
  expect(await within(await screen.findByRole('dialog', { name: 'Record 2' })).findByText('Signed in')).toBeTruthy();
  unmount();
  renderApp('/audit?record=9');
  expect(await screen.findByText(/The log has no record 9\./)).toBeTruthy();
});

async function prove(seq: number, change: Partial<InclusionProof> = {}, head = auditHead) {
  const sent = fakeServer({ ...base, 'GET /audit/head': { body: head }, 'GET /audit/proof': { body: { ...proofs[seq - 1], ...change } } });
  renderApp(`/audit?record=${seq}`);
  const dialog = within(await screen.findByRole('dialog'));
  await userEvent.click(await dialog.findByRole('button', { name: 'Check that it stands in the log' }));
  return { dialog, sent };
}
const said = (dialog: ReturnType<typeof within>) => dialog.getByRole('button', { name: 'Check again' }).closest('section')!.querySelector('.comparisons')!.textContent;

it('proves in the browser that a record stands in the log, step by step', async () => {
  const { dialog, sent } = await prove(5);
  expect(await dialog.findByText(/Record 5 is one of the 7 records that the signed head covers/)).toBeTruthy();
  expect(sent.some(({ path }) => path === '/audit/proof?seq=5&size=7')).toBe(true);
  expect(said(dialog)).not.toContain('fails');
  const steps = within(dialog.getByRole('region', { name: 'Steps of the path' })).getAllByRole('listitem');
  expect(steps).toHaveLength(3);
  expect(steps[2]!.textContent).toContain(`gives, at the top,${auditHead.root}`);
});

it('does not take a sound proof of another record for one of this', async () => {
  const { dialog } = await prove(5, { leaf: proofs[3]!.leaf, path: proofs[3]!.path });
  expect(await dialog.findByText(/Record 5 could not be proved to be one of the 7 records/)).toBeTruthy();
  expect(said(dialog)).toContain('failsThe hash that is proved is not the hash of this record.');
  expect(said(dialog)).toContain('failsThe hash of this record does not lead to the root of the signed head: the path leads to another root.');
});

it('does not take a proof towards another root than the signed one', async () => {
  const { dialog } = await prove(5, {}, { ...auditHead, root: auditHead.root.replace(/^./, (digit) => (digit === '0' ? '1' : '0')) });
  expect(await dialog.findByText('Not proved')).toBeTruthy();
  expect(said(dialog)).toContain('failsThe root that is proved is not the root of the signed head.');
});

it('does not believe that what is shown is what was logged', async () => {
  const altered = newestFirst.map((item) => (item.seq === 4 ? { ...item, text: item.text.replace('wrong', 'right') } : item));
  fakeServer({ ...base, 'GET /audit': page(altered), 'GET /audit/proof': { body: proofs[3] } });
  renderApp('/audit?record=4');
  const dialog = within(await screen.findByRole('dialog'));
  await userEvent.click(await dialog.findByRole('button', { name: 'Check that it stands in the log' }));
  expect(await dialog.findByText('Not proved')).toBeTruthy();
  expect(said(dialog)).toContain('failsThe content shown above does not have the hash of this record');
  expect(said(dialog)).toContain('holdsFrom the hash of this record');
});

it('compares what the proof says it is about, even where its hashes lead to the root', async () => {
  const { dialog } = await prove(5, { seq: 4 });
  expect(await dialog.findByText('Not proved')).toBeTruthy();
  expect(said(dialog)).toContain('failsThe proof is about record 4 in a log of 7');
});

it('does not believe a leaf or a root that only the answer to the proof names', async () => {
  const other = 'f'.repeat(64);
  const { dialog } = await prove(5, { leaf: other });
  expect(await dialog.findByText('Not proved')).toBeTruthy();
  expect(said(dialog)).toContain('failsThe hash that is proved is not the hash of this record.');
  expect(said(dialog)).toContain('holdsFrom the hash of this record');
});

it('says when the browser offers no hashing', async () => {
  vi.stubGlobal('crypto', {});
  const { dialog } = await prove(5);
  expect((await dialog.findByRole('alert')).textContent).toContain('not served over HTTPS');
  expect(dialog.queryByText(/Proved|Not proved/)).toBeNull();
});

it('verifies the whole log: intact', async () => {
  const sent = fakeServer({ ...base, 'POST /audit/verification': { body: intact } });
  renderApp('/audit');
  const log = within(await card('The log as a whole'));
  expect(await log.findByText(auditHead.root)).toBeTruthy();
  const button = await log.findByRole('button', { name: 'Verify the whole log' });
  await userEvent.click(button);
  expect(await log.findByText(/Nothing is amiss/)).toBeTruthy();
  expect(log.getByText('Nothing is amiss', { exact: false }).closest('[role="status"]')).toBeTruthy();
  expect(log.getByText('Signed heads compared').nextSibling?.textContent).toBe('4');
  expect(log.getByText('Heads without a valid signature').nextSibling?.textContent).toBe('none');
  expect(log.getByText('Root over the records').nextSibling?.textContent).toContain('It is the root of the signed head above.');
  expect(log.getByText('Took').nextSibling?.textContent).toBe('250 ms');
  expect(document.activeElement).toBe(button);
  expect(sent.find(({ method }) => method === 'POST')?.headers['x-csrf-token']).toBe('csrf-1');
});

it('verifies the whole log: each fault in words, its record a link', async () => {
  const outcome: AuditVerification = {
    ...intact, intact: false, heads_unsigned: 1, records: 5, fault_count: 7,
    faults: [
      { fault: 'gap', expected: 3, found: 5 }, { fault: 'altered', seq: 2 }, { fault: 'unchained', seq: 6 }, { fault: 'tree' },
      { fault: 'head', size: 120 }, { fault: 'ending', expected: 7, found: 5 }, { fault: 'moon_phase' as 'tree', seq: 1 },
    ],
  };
  fakeServer({ ...base, 'POST /audit/verification': { body: outcome } });
  renderApp('/audit');
  await userEvent.click(await screen.findByRole('button', { name: 'Verify the whole log' }));
  expect(await screen.findByText(/The log is not as it was written: 7 faults and 1 head without a valid signature\./)).toBeTruthy();
  const faults = within(await card('Faults')).getAllByRole('listitem').map((item) => item.textContent);
  expect(faults).toEqual([
    'Records 3 to 4 are missing: record 5 follows on record 2.',
    'The content of record 2 does not have the hash that was recorded: it was altered.',
    'Record 6 does not follow on the one before it.',
    'The stored tree is not that of the records: proofs made from it would not hold.',
    'The head that was signed at 120 records does not fit: records were changed or removed after it was signed.',
    'The log should end with record 7 and ends with record 5.',
    'Moon phase, record 1.',
  ]);
  const [altered] = within(await card('Faults')).getAllByRole('link', { name: 'record 2' }).slice(-1);
  await userEvent.click(altered!);
  expect(await screen.findByRole('dialog', { name: 'Record 2' })).toBeTruthy();
});

it('offers verification, proofs and the export only to those who may', async () => {
  const reader = { ...auditor, may: auditor.may.filter((operation) => !/verifyAudit|proveAudit/.test(operation)) };
  fakeServer({ ...base, 'GET /session': { body: reader } });
  const { unmount } = renderApp('/audit?record=5');
  const dialog = within(await screen.findByRole('dialog'));
  expect(dialog.queryByRole('button', { name: /Check that it stands/ })).toBeNull();
  await userEvent.keyboard('{Escape}');
  const log = within(await card('The log as a whole'));
  expect(await log.findByText(auditHead.root)).toBeTruthy();
  expect(log.queryByRole('button', { name: 'Verify the whole log' })).toBeNull();
  expect(log.queryByRole('link', { name: 'Export the log' })).toBeNull();
  unmount();
  fakeServer({ ...base, 'GET /session': { body: auditAdmin } });
  renderApp('/audit');
  expect((await screen.findByRole('link', { name: 'Export the log' })).getAttribute('href')).toBe('/api/v1/audit/export');
});
