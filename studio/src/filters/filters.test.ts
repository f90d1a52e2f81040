import { expect, it } from 'vitest';
import { partFile, partWords } from './filter-bar';
import { isDay, isPart, partOf, partSearch } from './search';

it('reads what an address gives and leaves out what it does not', () => {
  expect(partSearch({ from: '2026-03-01', geo: 7, other: 'x' })).toEqual({ from: '2026-03-01', geo: '7' });
  expect(Object.keys(partSearch({ geo: 'Bern' }))).toEqual(['geo']);
  // Said to be nothing, which takes it away; left out, it would be kept.
  expect(Object.keys(partSearch({ geo: undefined, to: '2026-13-01' }))).toEqual(['to', 'geo']);
  expect(partOf({ geo: undefined, device: 'mobile' })).toEqual({ device: 'mobile' });
  expect([isPart({ geo: undefined }), isPart({ cohort: '2026-03' })]).toEqual([false, true]);
});

it('knows a day from what is still being written', () => {
  expect(['2024-02-29', '2026-02-29', '0202-03-01', '2026-3-1', '2026-03-01T00:00:00Z', undefined].map(isDay)).toEqual([true, false, false, false, false, false]);
});

it('says a part in words and in the name of a file', () => {
  const part = { from: '2026-03-01', to: '2026-03-31', geo: 'Zürich', device: 'smart tv', cohort: '2026-01', segment: 'tier=gold=old' };
  expect(partWords(part)).toBe('From: 1 Mar 2026, To: 31 Mar 2026, Place: Zürich, Device: smart tv, Cohort: Jan 2026, Tier: gold=old');
  expect(partFile(part)).toBe('-from-2026-03-01-to-2026-03-31-geo-Zürich-device-smart_tv-cohort-2026-01-segment-tier_gold_old');
  // Names that nothing has are said as they are.
  expect(partWords({ cohort: 'May', segment: 'gold' })).toBe('Cohort: May, Segment: gold');
  expect([partWords({}), partFile({})]).toEqual(['', '']);
});
