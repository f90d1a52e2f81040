/** The shapes of the HTTP API, version 1. Only this file, `decisions.ts` and `client.ts` know the wire. */

export type Instant = string;
export type Interval = [number, number];

export interface ProblemDocument {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  request_id: string;
}

export interface Paged<T> {
  items: T[];
  next_cursor: string | null;
  total: number | null;
}

export type Role = 'viewer' | 'analyst' | 'marketer' | 'approver' | 'admin';
export type SignOff = 'growth' | 'finance' | 'legal' | 'operations';

export interface SignInMethods {
  project: string;
  version: string;
  methods: { password: boolean; token: boolean; oidc: { id: string; label: string }[] };
}

export interface SessionUser {
  id: string;
  name: string;
  display_name: string;
  roles: Role[];
  sign_offs: SignOff[];
}

export interface Session {
  user: SessionUser;
  csrf_token: string;
  expires_at: Instant;
  /** Ids of the operations this user may call. */
  may: string[];
}

export type Credentials = { token: string } | { name: string; password: string };

// The line

export type StageName =
  | 'ingest' | 'link' | 'journeys' | 'attribute' | 'prove'
  | 'features' | 'model' | 'decide' | 'activate' | 'observe';

export interface Stage {
  name: StageName;
  title: string;
  summary: string | null;
  units: number;
  units_ran: number;
  seconds: number;
  tables: { name: string; rows: number; version: number }[];
  published_at: Instant | null;
  state: 'never' | 'done' | 'running' | 'failed' | 'waiting';
}

export interface RunStage {
  name: StageName;
  state: 'waiting' | 'running' | 'done' | 'failed';
  done: number;
  total: number | null;
  summary: string | null;
}

export interface RunState {
  requested_by: string;
  started_at: Instant;
  status: 'running' | 'succeeded' | 'failed' | 'cancelled';
  error: string | null;
  stages: RunStage[];
}

export interface RunItem {
  run_seq: number;
  status: 'running' | 'succeeded' | 'failed' | 'cancelled' | 'abandoned';
  as_of: Instant;
  started_at: Instant;
  finished_at: Instant | null;
  resumed: number;
  error: string | null;
}

export interface Freeze {
  reason: string;
  by: string;
  at: Instant;
}

export interface Line {
  project: {
    name: string;
    currency: string;
    questions: string[];
    success_metrics: string[];
    as_of: Instant | null;
  };
  stages: Stage[];
  run: RunState | null;
  last_run: RunItem | null;
  next_run_at: Instant | null;
  frozen: Freeze | null;
  approvals_pending: number;
  quarantined: number;
  alarms: number;
}

// Attribution

export interface Estimate {
  value: number;
  std_error: number | null;
  set: Interval[];
  level: number;
  p_value: number | null;
  n: number;
  inference: string;
  method: string;
  assumptions: string[];
}

export interface Credit {
  conversions: number;
  conversions_interval: Interval | null;
  conversions_inner: Interval | null;
  value: number;
  value_interval: Interval | null;
  value_inner: Interval | null;
  removal_effect: number | null;
  note?: string | null;
}

export interface ChannelCredit {
  channel: string;
  spend: number | null;
  credits: Record<string, Credit>;
  disagreement: { lowest: number; highest: number; ratio: number | null; disjoint: boolean } | null;
}

export interface Evidence {
  id: string;
  metric: string;
  treatment: string;
  estimate: Estimate;
  tier: string;
}

export interface Attribution {
  currency: string;
  conversion: string;
  conversions: string[];
  level: number;
  inner_level: number;
  interval_method: string;
  totals: { conversions: number; value: number; paths_without_conversion: number };
  models: { id: string; title: string }[];
  channels: ChannelCredit[];
  evidence: Evidence[];
  run_seq: number;
  published_at: Instant;
}

export interface ConversionItem {
  id: string;
  conversion: string;
  ended_at: Instant;
  value: number | null;
  touches: number;
  person_id: string;
  path: string[];
}

export interface Touch {
  position: number;
  source: string;
  source_event_id: string;
  kind: string;
  channel: string;
  campaign: string | null;
  occurred_at: Instant;
  session: number;
  kept: boolean;
  rule: string;
}

export interface Person {
  person_id: string;
  identifiers: string[];
  events: number;
  last_events: {
    at: Instant;
    kind: string;
    channel: string | null;
    source: string;
    event: string;
    value: number | null;
  }[];
  masked: boolean;
}

export interface Conversion {
  journey: {
    journey_id: string;
    person_id: string;
    conversion: string;
    conversion_event_id: string | null;
    ended_at: Instant;
    value: number | null;
    currency: string | null;
    touches: number;
    path: string[];
  };
  credit: Record<string, Record<string, number>> | null;
  touches_kept: Touch[];
  touches_dropped: Touch[];
  person: Omit<Person, 'masked'>;
  masked: boolean;
}
