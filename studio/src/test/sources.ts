import type { Source, Sources } from '../api/types';

const plain: Source = {
  source: 'shop', connector: 'csv', files: 2, rows_read: 120, events: 110, spend_rows: 0, quarantined: 7,
  first_event_at: '2026-03-01T09:00:00Z', last_event_at: '2026-03-04T10:00:00Z', first_spend_on: null, last_spend_on: null,
  last_file: 'data/shop-2.csv', last_read_at: '2026-03-05T00:00:00Z', last_read_in_run: 2, age_hours: 14,
  drift: [{ column: 'value', change: 'retyped', before: 'float', now: 'text', used: true, file: 'data/shop-2.csv' }],
  vanished: ['data/shop-0.csv'],
  warnings: [{ severity: 'warning', code: 'TL137', message: '`data/shop-0.csv` of source `shop` no longer at its location; the rows stay in use', help: 'nothing to do' }],
  days: [{ day: '2026-03-01', events: 50, spend_rows: 0 }, { day: '2026-03-04', events: 60, spend_rows: 0 }],
  quarantine: [{
    code: 'TL209', rows: 7,
    samples: [
      { row: '00112233445566778899aabbccddeeff', source: 'shop', file: 'data/shop-2.csv', line: 12, code: 'TL209', reason: 'occurred_at has the form `aaaa`', label: 'till 7', corrected: true, outcome: null, author: 'ana' },
      { row: '10112233445566778899aabbccddeeff', source: 'shop', file: 'data/shop-2.csv', line: 13, code: 'TL209', reason: 'occurred_at is NULL', label: null, corrected: false, outcome: null, author: null },
    ],
  }],
  corrected: 3,
};

const ads: Source = {
  ...plain, source: 'ads', connector: 'google_ads', events: 0, spend_rows: 40, quarantined: 0, first_event_at: null, last_event_at: null,
  first_spend_on: '2026-02-01', last_spend_on: '2026-03-01', age_hours: 96, drift: [], vanished: [], warnings: [],
  days: [{ day: '2026-03-01', events: 0, spend_rows: 40 }], quarantine: [], corrected: 0,
};

/** As the server tells the sources of a small shop. */
export const sources: Sources = { as_of: '2026-03-05T00:00:00Z', sources: [ads, plain] };
export const unread: Sources = {
  ...sources,
  sources: [{ ...ads, files: 0, spend_rows: 0, days: [], last_file: null, last_read_at: null, last_read_in_run: null, last_spend_on: null, age_hours: null }],
};
