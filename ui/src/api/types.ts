// What the server's answers hold, as far as pages use it. Fields that may be missing or unknown are optional or null:
// pages say "unknown" then, and never make a value up.

export type TaskState =
  | "waiting"
  | "paused"
  | "queued"
  | "running"
  | "retrying"
  | "succeeded"
  | "warned"
  | "failed"
  | "timed_out"
  | "killed"
  | "upstream_failed"
  | "skipped";
export type RunState = "queued" | "running" | "succeeded" | "warned" | "failed" | "killed" | "skipped";
export type Role = "nobody" | "viewer" | "editor" | "operator" | "admin";

export interface Page<T> {
  items: T[];
  next: string | null;
}

export interface Place {
  file?: string;
  line?: number;
  path?: string;
  message: string;
}

export interface Me {
  name: string;
  role: Role;
  needs_sign_in: boolean;
  csrf?: string;
  project?: string;
  environment?: string;
  environments?: string[];
  version?: string;
  warehouse?: { connection: string; type: string } | null;
  started_at?: string;
  config_errors?: Place[];
}

export interface TaskCounts {
  total: number;
  succeeded: number;
  warned: number;
  failed: number;
  running: number;
  waiting: number;
  skipped: number;
}

export interface RunSummary {
  id: string;
  flow: string;
  type: "scheduled" | "manual" | "backfill" | "event";
  due?: string | null;
  about?: { begin: string; end: string } | null;
  state: RunState;
  why?: string;
  actor?: string;
  created: string;
  began?: string | null;
  ended?: string | null;
  revision?: string;
  tasks?: TaskCounts;
  rows?: number | null;
  bytes?: number | null;
  quarantined?: number | null;
}

export interface Step {
  name: string;
  kind?: string;
  state: TaskState;
  began?: string | null;
  ended?: string | null;
  table?: string;
  rows_read?: number | null;
  rows_written?: number | null;
  rows_quarantined?: number | null;
  bytes?: number | null;
  retries?: number | null;
  message?: string;
}

export interface Attempt {
  attempt: number;
  began?: string | null;
  ended?: string | null;
  state: TaskState;
  why?: string;
}

export interface TaskInfo {
  name: string;
  type: string;
  state: TaskState;
  attempt: number;
  tries?: number;
  after?: string[];
  since?: string | null;
  began?: string | null;
  ended?: string | null;
  comes_again?: string | null;
  worker?: string;
  why?: string;
  rows?: number | null;
  bytes?: number | null;
  quarantined?: number | null;
  tables?: string[];
  steps?: Step[];
  attempts?: Attempt[];
}

export interface RunDetail extends RunSummary {
  seq?: string;
  task_list?: TaskInfo[];
  inputs?: unknown;
  definition_changed?: boolean;
  cause?: { task: string; text: string; advice?: string } | null;
}

export interface LogLine {
  n: number;
  at?: string | null;
  level?: string;
  place?: string;
  text: string;
}
export interface LogPage {
  lines: LogLine[];
  total: number;
  bytes?: number;
  complete: boolean;
}

export interface Flow {
  name: string;
  title?: string;
  description?: string;
  owner?: string;
  labels?: Record<string, string>;
  file?: string;
  line?: number;
  pipeline?: string | null;
  kind: "file" | "pipeline";
  schedules?: string[];
  zone?: string;
  next_due?: string | null;
  paused?: boolean;
  last_runs?: RunSummary[];
  last_success_at?: string | null;
  late?: { due: string; since_ms: number } | null;
  runs_open?: number;
  tasks?: number;
  reads?: string[];
  writes?: string[];
  on_tables?: { tables: string[]; needs_all: boolean; within_ms: number }[];
  sensors?: { type: string; every_ms: number }[];
  endless?: boolean;
}
export interface FlowTask {
  name: string;
  type: string;
  after?: string[];
  rule?: string;
  summary?: string;
  table?: string | null;
}
export interface FlowDetail extends Flow {
  graph?: { tasks: FlowTask[] };
  config?: { file: string; text?: string | null };
}

export interface WatchedTable {
  table: string;
  flow?: string | null;
  loads: number;
  // "learning, 3 of 8 loads"; null: it is learned.
  learning?: string | null;
  last_at?: string | null;
  late_at?: string | null;
  rows_usual?: number | null;
}
export interface Anomaly {
  table: string;
  kind: "freshness" | "volume" | "zero_rows";
  at: string;
  expected?: number | string | null;
  found?: number | string | null;
  score?: number | null;
  message: string;
  muted_until?: string | null;
}
export interface Failing {
  flow: string;
  pipeline?: string | null;
  run: string;
  // null: the run failed before any task.
  task?: string | null;
  since?: string | null;
  times?: number;
  message: string;
  advice?: string | null;
  feeds?: number | null;
}
export interface TimelineRun {
  id: string;
  state: RunState;
  began?: string | null;
  ended?: string | null;
  queued?: string | null;
}
export interface Overview {
  seq?: string;
  checked_at: string;
  failing: Failing[];
  late: { flow: string; due: string; late_ms: number; waits_for?: string | null }[];
  drifting: Anomaly[];
  waiting: { run: string; task: string; flow: string }[];
  quarantined: { pipeline: string; stream: string; rows: number }[];
  fresh?: { fresh: number; late: number; unknown: number } | null;
  timeline_cut?: boolean;
  timeline: { flow: string; runs: TimelineRun[]; fresh_at?: string | null }[];
}

export type FieldKind =
  | "text"
  | "integer"
  | "number"
  | "boolean"
  | "duration"
  | "bytes"
  | "text_list"
  | "text_map"
  | "object"
  | "object_list"
  | "object_map"
  | "any"
  | "json";
export interface Field {
  name: string;
  title?: string;
  type: string;
  help?: string;
  required?: boolean;
  default?: string | null;
  example?: string | null;
  secret?: boolean;
  choices?: string[];
  children?: Field[];
}
export interface Connector {
  name: string;
  title?: string;
  summary: string;
  source: boolean;
  sink: boolean;
  discovers?: boolean;
  fields: Field[];
  stream_fields?: Field[];
  table_fields?: Field[];
  docs?: string;
}
export interface Connection {
  name: string;
  type: string;
  file?: string;
  line?: number;
  used_by?: string[];
  is_warehouse?: boolean;
  last_test?: { at: string; ok: boolean; message?: string; ms?: number } | null;
  streams_found_at?: string | null;
}
export interface ConnectionDetail extends Connection {
  options: Record<string, unknown>;
}
export interface TestStep {
  name: string;
  ok: boolean | null;
  ms?: number;
  found?: string;
  do?: string;
}
export interface TestAnswer {
  ok: boolean;
  ms?: number;
  steps: TestStep[];
}
export interface FoundStream {
  name: string;
  key?: string[];
  cursor_field?: string | null;
  modes?: string[];
  columns?: Column[] | null;
}
export interface Discovery {
  at: string;
  streams: FoundStream[];
}
export interface Column {
  name: string;
  type: string;
}
export interface Rows {
  columns: Column[];
  rows: unknown[][];
}

export interface FileAnswer {
  path: string;
  text: string;
  sha: string;
  read_only?: boolean;
  git?: { branch: string; dirty: boolean } | null;
}
export interface Edit {
  path: (string | number)[];
  op: "set" | "add" | "remove" | "rename";
  value?: unknown;
}
export interface EditAnswer {
  text: string;
  diff: string;
  sha: string;
  errors?: Place[];
}

export interface Pipeline {
  name: string;
  file?: string;
  source?: string;
  sink?: string;
  schema?: string | null;
  schedule?: string | null;
  flow?: string;
  streams?: number;
  quarantined?: number | null;
  last?: StreamRecord | null;
  state: "ok" | "failing" | "running" | "never";
}
// One load of a stream, as the loader kept it; `run` is the loader's own name of it, which no page is called by.
export interface StreamRecord {
  run: string;
  at: string;
  state: string;
  rows?: number | null;
  rows_read?: number | null;
  quarantined?: number | null;
  bytes?: number | null;
  seconds?: number | null;
  message?: string | null;
}
export interface StreamInfo {
  name: string;
  table?: string;
  mode?: string;
  write?: string;
  contract?: string;
  expectations?: string[];
  policies?: string[];
  last?: StreamRecord | null;
  history?: StreamRecord[];
  checkpoint?: string | null;
  committed_at?: string | null;
  quarantined?: number | null;
}
export interface PipelineDetail extends Omit<Pipeline, "streams"> {
  streams: StreamInfo[];
  columns_changed?: { at: string; stream: string; text: string }[];
  text?: string;
}

export interface QuarantineGroup {
  pipeline: string;
  stream: string;
  reason: string;
  rows: number;
  oldest?: string | null;
  newest?: string | null;
}
export interface QuarantineRow {
  id: string;
  position?: string;
  at?: string | null;
  reason: string;
  raw: string;
  pipeline?: string;
  stream?: string;
  run?: string | null;
}

export type NodeKind =
  | "connection"
  | "source"
  | "table"
  | "seed"
  | "model"
  | "snapshot"
  | "test"
  | "exposure"
  | "report"
  | "flow";
export interface LineageNode {
  id: string;
  kind: NodeKind;
  name: string;
  schema?: string | null;
  table?: string | null;
  group?: string | null;
  state?: string | null;
  fresh_at?: string | null;
  tests?: { passed: number; failed: number } | null;
  description?: string | null;
  file?: string | null;
  rows?: number | null;
}
export interface Lineage {
  nodes: LineageNode[];
  edges: { from: string; to: string }[];
  hidden?: Record<string, { up: number; down: number }>;
  total?: number;
  // More were asked for than the server draws.
  cut?: boolean;
}
export interface ColumnLineage {
  edges: { from: { node: string; column: string }; to: { node: string; column: string } }[];
}

export interface Table {
  schema: string;
  name: string;
  kind: "table" | "view";
  rows?: number | null;
  bytes?: number | null;
  columns?: number;
  description?: string;
  owner?: string;
  made_by?: { kind: string; name: string } | null;
  fresh_at?: string | null;
  tests?: { passed: number; failed: number; total: number } | null;
}
export interface TableColumn extends Column {
  nullable?: boolean;
  description?: string;
  tests?: { name: string; state?: string }[];
  policy?: string | null;
}
export interface TableDetail extends Omit<Table, "columns"> {
  columns: TableColumn[];
  sql?: string | null;
  text?: string | null;
}
export interface ColumnProfile {
  name: string;
  nulls?: number | null;
  distinct?: number | null;
  min?: unknown;
  max?: unknown;
  mean?: number | null;
  top?: { value: unknown; count: number }[];
  histogram?: number[];
}
export interface Profile {
  rows: number;
  at: string;
  ms?: number;
  columns: ColumnProfile[];
}
export interface QueryAnswer extends Rows {
  cut?: boolean;
  ms?: number;
  rows_total?: number | null;
}

export interface Check {
  id: string;
  kind: "expectation" | "test";
  on: string;
  column?: string | null;
  text: string;
  state?: string | null;
  last_at?: string | null;
  failing_rows?: number | null;
  history?: { at: string; state: string; rows?: number | null }[];
  file?: string;
}
export interface AlertMatter {
  key: string;
  kind: string;
  title: string;
  flow?: string | null;
  table?: string | null;
  link?: string | null;
  since: string;
  times: number;
  over: boolean;
}
export interface Alert {
  id: string;
  rule: string;
  group?: string | null;
  kind?: string;
  severity: string;
  state: "firing" | "resolved" | "muted";
  title: string;
  text?: string | null;
  cause?: string | null;
  advice?: string | null;
  link?: string | null;
  first_at?: string;
  last_at?: string;
  resolved_at?: string | null;
  muted_until?: string | null;
  count?: number;
  matters?: AlertMatter[];
  deliveries?: { channel: string; kind?: string; at: string; ok: boolean; error?: string | null }[];
  owed?: { channel: string; kind: string; tries: number; next_try: string }[];
}
export interface AlertChannel {
  name: string;
  type: string;
  to?: string;
}
export interface User {
  name: string;
  role: Role;
  folders?: string[];
  last_seen?: string | null;
  locked?: boolean;
}
export interface Token {
  id: string;
  name: string;
  role: Role;
  folders?: string[];
  created?: string;
  expires?: string | null;
  last_used?: string | null;
}
export interface AuditEntry {
  number: number;
  at: string;
  actor: string;
  action: string;
  target?: string;
  detail?: string;
  address?: string;
  hash?: string;
}
