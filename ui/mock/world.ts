// A made-up company's data platform, the same at every start: what pages look like with much, little and broken data.

import type * as t from "../src/api/types";
import connectors from "./connectors.json";

export type Scenario = "usual" | "empty" | "error" | "huge" | "slow";

// A small generator of numbers that gives the same ones each time.
export function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = state;
    x = Math.imul(x ^ (x >>> 15), x | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  };
}

const kHour = 3_600_000;
const iso = (ms: number) => new Date(ms).toISOString();
const longName = "fct_marketing_attribution_last_touch_by_campaign_and_country_v2";

const kPipelines = [
  {
    name: "facebook_ads",
    source: "fb",
    schema: "raw_facebook_ads",
    schedule: "0 * * * *",
    streams: ["ads_insights", "campaigns", "adsets", "ads"],
  },
  {
    name: "shop",
    source: "shop",
    schema: "raw_shop",
    schedule: "*/15 * * * *",
    streams: ["orders", "customers", "order_items", "products"],
  },
  { name: "crm", source: "crm", schema: "raw_crm", schedule: "30 5 * * *", streams: ["contacts", "deals"] },
  { name: "events", source: "bus", schema: "raw_events", schedule: null, streams: ["page_views", "clicks"] },
  { name: "finance_files", source: "lake", schema: "raw_finance", schedule: "0 6 * * 1-5", streams: ["invoices"] },
];

// What the loader keeps of a stream's load.
function recordOf(run: t.RunDetail | undefined, stream: number): t.StreamRecord | null {
  const step = run?.task_list?.[0]?.steps?.[stream];
  if (!run || !step) return null;
  return {
    run: run.id,
    at: step.began ?? run.created,
    state: step.state === "succeeded" || step.state === "warned" ? "done" : step.state,
    rows: step.rows_written ?? 0,
    rows_read: step.rows_read ?? 0,
    quarantined: step.rows_quarantined ?? 0,
    bytes: step.bytes ?? 0,
    seconds: 12,
    message: step.message || null,
  };
}

export class World {
  readonly connectors = connectors as unknown as t.Page<t.Connector>;
  readonly flows: t.FlowDetail[] = [];
  readonly runs: t.RunDetail[] = [];
  files = new Map<string, string>();
  paused = new Set<string>();

  constructor(
    readonly now: number,
    readonly scenario: Scenario,
  ) {
    if (scenario !== "empty") this.makeFlows();
    this.makeFiles();
  }

  private makeFiles(): void {
    this.files.set(
      "shaduf.yml",
      `# Acme's data platform
name: acme
environments:
  dev:  { warehouse: local, default: true }
  prod: { warehouse: lakehouse }
connections:
  local: { type: duckdb, path: acme.duckdb }   # the warehouse
${
  this.scenario === "empty"
    ? ""
    : `  shop:
    type: postgres
    dsn: \${env:SHOP_DSN}        # read-only replica
    schema: public
  fb:
    type: facebook_ads
    access_token: \${secret:fb_token}
    accounts: [act_1, act_2]
  crm:
    type: rest
    base_url: https://api.crm.example.com
    headers: { X-Api-Key: "\${secret:crm_key}" }
    rate_limit: 5/s
  bus:
    type: kafka
    brokers: ["kafka-1:9092", "kafka-2:9092"]
    security: sasl_ssl
    username: etl
    password: \${secret:kafka}
  lake: { type: files, path: "s3://acme-lake/finance", region: eu-central-1 }
`
}`,
    );
    for (const pipeline of kPipelines) {
      this.files.set(
        `pipelines/${pipeline.name}.yml`,
        `source: ${pipeline.source}
sink: warehouse
schema: ${pipeline.schema}
${pipeline.schedule ? `schedule: "${pipeline.schedule}"\n` : ""}streams:
${pipeline.streams
  .map(
    (stream) => `  ${stream}:
    mode: incremental           # restated for 28 days
    contract: evolve
    expect:
      - not_null: [id]`,
  )
  .join("\n")}
`,
      );
    }
  }

  private addRun(
    flow: string,
    random: () => number,
    at: number,
    state: t.RunState,
    tasks: t.FlowTask[],
    length: number,
  ): t.RunDetail {
    const began = at + 800;
    const ended = state === "running" || state === "queued" ? null : began + length;
    const pipeline = kPipelines.find((one) => one.name === flow);
    const list = tasks.map((task, i): t.TaskInfo => {
      const share = tasks.length;
      const from = began + length * (i === 0 ? 0 : (i / share) * 0.8);
      const to = from + (length / share) * (0.6 + random() * 0.9);
      let own: t.TaskState = "succeeded";
      if (state === "failed") own = i === 0 ? "failed" : "upstream_failed";
      if (state === "warned" && i === 0) own = "warned";
      if (state === "running") own = i === 0 ? "running" : "waiting";
      if (state === "queued") own = "waiting";
      if (state === "killed") own = i === 0 ? "killed" : "skipped";
      const didRun = ["succeeded", "failed", "warned", "running", "killed"].includes(own);
      const rows = didRun ? Math.floor(random() * 120_000) : null;
      const isFail = own === "failed";
      return {
        name: task.name,
        type: task.type,
        state: own,
        attempt: isFail ? 2 : 1,
        tries: 3,
        after: task.after,
        since: iso(at),
        began: didRun ? iso(from) : null,
        ended: didRun && own !== "running" ? iso(to) : null,
        worker: didRun ? "serve@acme-1" : "",
        why: isFail
          ? "HTTP 401 code 190: Error validating access token: session has expired"
          : own === "upstream_failed"
            ? `${tasks[0]?.name} has failed`
            : "",
        rows: rows ?? 0,
        bytes: (rows ?? 0) * 214,
        quarantined: own === "warned" ? 128 : 0,
        steps:
          didRun && pipeline && i === 0
            ? pipeline.streams.map((stream, s) => ({
                name: stream,
                kind: "stream",
                state: own === "running" ? (s === 0 ? "succeeded" : s === 1 ? "running" : "waiting") : own,
                began: iso(from + s * 400),
                ended: own === "running" && s > 0 ? null : iso(to),
                table: `${pipeline.schema}.${stream}`,
                rows_read: Math.floor((rows ?? 0) / (s + 1)) + 130,
                rows_written: Math.floor((rows ?? 0) / (s + 1)),
                rows_quarantined: own === "warned" && s === 0 ? 128 : 0,
                bytes: (rows ?? 0) * 100,
                retries: isFail && s === 0 ? 2 : 0,
                message: own === "running" && s === 1 ? "window 14 of 28 · limit used 71 %" : "",
              }))
            : [],
        attempts: didRun
          ? isFail
            ? [
                {
                  attempt: 1,
                  began: iso(from),
                  ended: iso(from + (to - from) * 0.35),
                  state: "failed",
                  why: "HTTP 401",
                },
                { attempt: 2, began: iso(from + (to - from) * 0.6), ended: iso(to), state: "failed", why: "HTTP 401" },
              ]
            : [{ attempt: 1, began: iso(from), ended: own === "running" ? null : iso(to), state: own, why: "" }]
          : [],
      };
    });
    const failed = list.find((task) => task.state === "failed");
    const run: t.RunDetail = {
      id: `01j${(at / 1000).toString(36)}${Math.floor(random() * 46656)
        .toString(36)
        .padStart(3, "0")}`,
      flow,
      type: random() < 0.12 ? "manual" : "scheduled",
      due: iso(at),
      about: { begin: iso(at - kHour), end: iso(at) },
      state,
      why: failed
        ? `${failed.name}: ${failed.why}`
        : state === "warned"
          ? "128 rows in quarantine"
          : state === "killed"
            ? "cancelled by ana"
            : "",
      actor: random() < 0.12 ? "ana" : "",
      created: iso(at),
      began: state === "queued" ? null : iso(began),
      ended: ended ? iso(ended) : null,
      revision: "a1f3c29be0",
      task_list: list,
      rows: list.reduce((sum, task) => sum + (task.rows ?? 0), 0),
      bytes: list.reduce((sum, task) => sum + (task.bytes ?? 0), 0),
      quarantined: list.reduce((sum, task) => sum + (task.quarantined ?? 0), 0),
      definition_changed: false,
      cause: failed
        ? {
            task: failed.name,
            text: "401 from graph.facebook.com, the token has expired (code 190).",
            advice: "Renew the token of connection fb, then rerun what failed.",
          }
        : null,
    };
    return run;
  }

  private makeFlows(): void {
    const random = numbers(7);
    const huge = this.scenario === "huge";
    const specs: {
      name: string;
      kind: "file" | "pipeline";
      tasks: t.FlowTask[];
      every: number;
      pipeline?: string;
      schedule: string | null;
    }[] = [];
    for (const pipeline of kPipelines) {
      specs.push({
        name: pipeline.name,
        kind: "pipeline",
        pipeline: pipeline.name,
        every: pipeline.schedule?.startsWith("*/15") ? kHour / 4 : kHour,
        schedule: pipeline.schedule,
        tasks: [
          {
            name: pipeline.name,
            type: "pipeline",
            after: [],
            summary: `${pipeline.streams.length} streams of ${pipeline.source}`,
          },
        ],
      });
    }
    specs.push({
      name: "daily",
      kind: "file",
      every: 4 * kHour,
      schedule: "0 */4 * * *",
      tasks: [
        { name: "load_ads", type: "pipeline", after: [], summary: "pipeline facebook_ads" },
        { name: "load_shop", type: "pipeline", after: [], summary: "pipeline shop" },
        { name: "models", type: "models", after: ["load_ads", "load_shop"], summary: "models tag:daily" },
        { name: "tests", type: "test", after: ["models"], summary: "tests tag:daily" },
        { name: "approve_report", type: "wait", after: ["tests"], summary: "waits for an approval" },
        { name: "board_report", type: "report", after: ["approve_report"], summary: "report board" },
      ],
    });
    if (huge) {
      for (let i = 0; i < 120; i++) {
        specs.push({
          name:
            i === 3
              ? `pipeline_with_a_very_long_name_that_somebody_has_given_it_${i}`
              : `account_${String(i).padStart(3, "0")}`,
          kind: "pipeline",
          pipeline: `account_${i}`,
          every: kHour,
          schedule: "0 * * * *",
          tasks: [{ name: `account_${i}`, type: "pipeline", after: [] }],
        });
      }
    }
    for (const spec of specs) {
      const own: t.RunDetail[] = [];
      const count = Math.min(huge ? 96 : 40, Math.floor((24 * kHour) / spec.every));
      for (let i = count; i >= 1; i--) {
        const at = this.now - i * spec.every + Math.floor(random() * 40_000);
        let state: t.RunState = random() < 0.03 ? "warned" : "succeeded";
        if (spec.name === "facebook_ads" && i <= 3) state = "failed";
        if (spec.name === "shop" && i === 1) state = "running";
        if (spec.name === "crm" && i === 1) state = "warned";
        if (spec.name === "daily" && i === 3) state = "killed";
        const length = state === "running" ? this.now - at : 20_000 + random() * spec.every * 0.4;
        own.push(this.addRun(spec.name, random, at, state, spec.tasks, length));
      }
      if (spec.name === "daily") this.addBig(own, random, huge);
      this.runs.push(...own);
      const last = own.at(-1);
      this.flows.push({
        name: spec.name,
        title: spec.name,
        description:
          spec.kind === "file"
            ? "Loads, models, tests and the board's report."
            : `Loads ${spec.tasks[0]?.summary ?? ""}.`,
        owner: "growth",
        labels: { team: "data" },
        file: spec.kind === "file" ? `flows/${spec.name}.yml` : `pipelines/${spec.name}.yml`,
        line: 1,
        pipeline: spec.pipeline ?? null,
        kind: spec.kind,
        schedules: spec.schedule ? [spec.schedule] : [],
        zone: "Europe/Zurich",
        next_due: spec.schedule ? iso(this.now + 41 * 60_000) : null,
        paused: spec.name === "finance_files",
        last_runs: own.slice(-20).reverse().map(summaryOf),
        last_success_at: own.filter((run) => run.state === "succeeded").at(-1)?.ended ?? null,
        late: spec.name === "shop" ? { due: iso(this.now - 47 * 60_000), since_ms: 47 * 60_000 } : null,
        runs_open: last?.state === "running" ? 1 : 0,
        tasks: spec.tasks.length,
        reads: spec.kind === "file" ? ["raw_shop.orders"] : [],
        writes: spec.pipeline
          ? (kPipelines.find((one) => one.name === spec.pipeline)?.streams ?? []).map(
              (stream) => `${kPipelines.find((one) => one.name === spec.pipeline)?.schema}.${stream}`,
            )
          : ["core.fct_revenue"],
        on_tables:
          spec.name === "daily"
            ? [{ tables: ["raw_shop.orders", "raw_shop.customers"], needs_all: true, within_ms: 3_600_000 }]
            : [],
        sensors: [],
        endless: spec.name === "events",
        graph: { tasks: spec.tasks.map((task) => ({ rule: "all_done", ...task })) },
        config: {
          file: spec.kind === "file" ? `flows/${spec.name}.yml` : `pipelines/${spec.name}.yml`,
          text:
            this.files.get(`pipelines/${spec.name}.yml`) ??
            `name: ${spec.name}\nschedule: "0 */4 * * *"\ntasks:\n${spec.tasks.map((task) => `  ${task.name}: {type: ${task.type}, after: [${task.after?.join(", ")}]}`).join("\n")}\n`,
        },
      });
    }
    this.runs.sort((a, b) => b.created.localeCompare(a.created));
  }

  // A run with many models, some of which failed.
  private addBig(own: t.RunDetail[], random: () => number, huge: boolean): void {
    const count = huge ? 2000 : 203;
    const tasks: t.FlowTask[] = [
      { name: "load_ads", type: "pipeline", after: [] },
      { name: "load_shop", type: "pipeline", after: [] },
      ...Array.from({ length: count }, (_, i) => ({
        name: i === 7 ? longName : `model_${String(i).padStart(4, "0")}`,
        type: "models",
        after: i < 20 ? ["load_shop"] : [`model_${String(i - 20).padStart(4, "0")}`],
      })),
      { name: "approve_report", type: "wait", after: [] },
      { name: "board_report", type: "report", after: ["approve_report"] },
    ];
    const at = this.now - 40 * 60_000;
    const run = this.addRun("daily", random, at, "succeeded", tasks, 20 * 60_000);
    run.state = "running";
    run.ended = null;
    for (const task of run.task_list ?? []) {
      if (task.name === "model_0042") {
        task.state = "failed";
        task.attempts = [{ attempt: 1, began: task.began, ended: task.ended, state: "failed", why: "" }];
        task.why = 'Binder Error: column "net_amount" not found in stg_orders; candidates: amount, amount_net';
      }
      if (task.name === "approve_report")
        Object.assign(task, { state: "paused", began: null, ended: null, attempts: [], rows: 0, bytes: 0 });
      if (task.name === "board_report")
        Object.assign(task, { state: "waiting", began: null, ended: null, attempts: [], rows: 0, bytes: 0 });
    }
    run.cause = {
      task: "model_0042",
      text: 'models/core/model_0042.sql:14: column "net_amount" not found in stg_orders.',
      advice: "Candidates: amount, amount_net. Mend the model, then rerun what failed.",
    };
    own.push(run);
  }

  overview(): t.Overview {
    const failing = this.runs.find((run) => run.flow === "facebook_ads" && run.state === "failed");
    const big = this.runs.find((run) => run.flow === "daily" && run.state === "running");
    const byFlow = new Map<string, t.RunDetail[]>();
    for (const run of this.runs) byFlow.set(run.flow, [...(byFlow.get(run.flow) ?? []), run]);
    return {
      seq: "m-1",
      checked_at: iso(this.now - 8000),
      failing: failing
        ? [
            {
              flow: "facebook_ads",
              pipeline: "facebook_ads",
              run: failing.id,
              task: "facebook_ads",
              since: iso(this.now - 3 * kHour),
              times: 3,
              message: "Token expired (HTTP 401, code 190).",
              advice: "Renew the token of connection fb, then run it again.",
              feeds: 4,
            },
          ]
        : [],
      late:
        this.scenario === "empty"
          ? []
          : [
              {
                flow: "shop",
                due: iso(this.now - 47 * 60_000),
                late_ms: 47 * 60_000,
                waits_for: "shop.orders (running, 62 %)",
              },
            ],
      drifting: this.scenario === "empty" ? [] : this.anomalies().slice(0, 1),
      waiting: big ? [{ run: big.id, task: "approve_report", flow: "daily" }] : [],
      quarantined: this.scenario === "empty" ? [] : [{ pipeline: "crm", stream: "contacts", rows: 128 }],
      fresh: this.scenario === "empty" ? { fresh: 0, late: 0, unknown: 0 } : { fresh: 41, late: 6, unknown: 2 },
      timeline_cut: false,
      timeline: [...byFlow].map(([flow, runs]) => ({
        flow,
        runs: [...runs]
          .reverse()
          .map((run) => ({ id: run.id, state: run.state, began: run.began, ended: run.ended, queued: run.created })),
        fresh_at: runs.find((run) => run.state === "succeeded")?.ended ?? null,
      })),
    };
  }

  watched(): t.WatchedTable[] {
    if (this.scenario === "empty") return [];
    return this.tables()
      .filter((table) => table.made_by?.kind === "pipeline")
      .map((table, i) => ({
        table: `${table.schema}.${table.name}`,
        flow: table.made_by?.name ?? null,
        loads: i === 1 ? 3 : 214,
        learning: i === 1 ? "learning, 3 of 8 loads" : null,
        last_at: table.fresh_at ?? null,
        late_at: i === 1 ? null : iso(this.now + (20 + i) * 60_000),
        rows_usual: i === 1 ? null : 1200 * (i + 1),
      }));
  }

  private alerts_: t.Alert[] | undefined;
  alerts(): t.Alert[] {
    if (this.scenario === "empty") return [];
    const failing = this.runs.find((run) => run.flow === "facebook_ads" && run.state === "failed");
    const ago = (minutes: number) => iso(this.now - minutes * 60_000);
    const matter = (flow: string, minutes: number, over = false): t.AlertMatter => ({
      key: `run_failed/${flow}`,
      kind: "run_failed",
      title: `${flow} has failed`,
      flow,
      table: null,
      link: `/flows/${flow}`,
      since: ago(minutes),
      times: 3,
      over,
    });
    this.alerts_ ??= [
      {
        id: "a1",
        rule: "failed runs",
        group: "owner:growth",
        kind: "run_failed",
        severity: "error",
        state: "firing",
        title: "facebook_ads has failed 3 times in a row, and 4 more flows",
        text: "load_ads: HTTP 401 code 190: Error validating access token: session has expired\nrequest GET /v19.0/act_1/insights\ntrace A1b2",
        cause: "The token of connection fb has expired.",
        advice: "Renew the token of connection fb, then rerun what failed.",
        link: failing ? `/runs/${failing.id}?task=load_ads` : "/runs",
        first_at: ago(183),
        last_at: ago(10),
        resolved_at: null,
        muted_until: null,
        count: 5,
        matters: [
          matter("facebook_ads", 183),
          matter("shop", 60),
          matter("crm", 50, true),
          matter("events", 40),
          matter("daily", 12),
        ],
        deliveries: [
          { channel: "data-team", kind: "fired", at: ago(182), ok: true, error: null },
          { channel: "on-call", kind: "fired", at: ago(181), ok: false, error: "HTTP 429: too many requests" },
        ],
        owed: [{ channel: "on-call", kind: "fired", tries: 4, next_try: iso(this.now + 90_000) }],
      },
      {
        id: "a2",
        rule: "volume",
        group: null,
        kind: "volume",
        severity: "warning",
        state: "resolved",
        title: "raw_events.page_views had 71 % fewer rows than on a usual Sunday",
        text: "119,480 rows instead of about 412,000.",
        cause: "The source sent less, or a filter is new.",
        advice: "Look at the table's rows by hour.",
        link: "/data/raw_events/page_views?tab=profile",
        first_at: ago(1500),
        last_at: ago(1400),
        resolved_at: ago(1390),
        muted_until: null,
        count: 1,
        matters: [],
        deliveries: [
          { channel: "data-team", kind: "fired", at: ago(1499), ok: true, error: null },
          { channel: "data-team", kind: "resolved", at: ago(1390), ok: true, error: null },
        ],
        owed: [],
      },
    ];
    return this.alerts_;
  }

  anomalies(): t.Anomaly[] {
    if (this.scenario === "empty") return [];
    return [
      {
        table: "raw_events.page_views",
        kind: "volume",
        at: iso(this.now - 25 * 60_000),
        expected: 412_000,
        found: 119_480,
        score: 6.2,
        message: "71 % fewer rows than on a usual Sunday at this hour: 119,480 instead of about 412,000.",
        muted_until: null,
      },
      {
        table: "raw_shop.orders",
        kind: "freshness",
        at: iso(this.now - 47 * 60_000),
        expected: 900,
        found: 2820,
        score: 4.1,
        message: "Changed 47 min ago; usually every 15 min.",
        muted_until: null,
      },
      {
        table: "raw_finance.invoices",
        kind: "zero_rows",
        at: iso(this.now - 26 * kHour),
        expected: 1204,
        found: 0,
        score: 9.8,
        message: "Succeeded with 0 rows, though there are usually about 1,204.",
        muted_until: iso(this.now + 20 * kHour),
      },
    ];
  }

  connections(): t.ConnectionDetail[] {
    const local: t.ConnectionDetail = {
      name: "local",
      type: "duckdb",
      file: "shaduf.yml",
      line: 7,
      used_by: kPipelines.map((one) => one.name),
      is_warehouse: true,
      last_test: { at: iso(this.now - 600_000), ok: true, ms: 12 },
      streams_found_at: null,
      options: { path: "acme.duckdb" },
    };
    if (this.scenario === "empty") return [{ ...local, used_by: [] }];
    return [
      local,
      {
        name: "shop",
        type: "postgres",
        file: "shaduf.yml",
        line: 8,
        used_by: ["shop"],
        is_warehouse: false,
        last_test: { at: iso(this.now - 40 * 60_000), ok: true, ms: 84 },
        streams_found_at: iso(this.now - 3 * 24 * kHour),
        options: { dsn: { set: true, from: "env:SHOP_DSN" }, schema: "public" },
      },
      {
        name: "fb",
        type: "facebook_ads",
        file: "shaduf.yml",
        line: 12,
        used_by: ["facebook_ads"],
        is_warehouse: false,
        last_test: {
          at: iso(this.now - 600_000),
          ok: false,
          message: "HTTP 401 code 190: the token has expired",
          ms: 412,
        },
        streams_found_at: null,
        options: { access_token: { set: true, from: "secret:fb_token" }, accounts: ["act_1", "act_2"] },
      },
      {
        name: "crm",
        type: "rest",
        file: "shaduf.yml",
        line: 16,
        used_by: ["crm"],
        is_warehouse: false,
        last_test: { at: iso(this.now - 5 * kHour), ok: true, ms: 402 },
        streams_found_at: iso(this.now - 24 * kHour),
        options: {
          base_url: "https://api.crm.example.com",
          headers: { set: true, from: "secret:crm_key" },
          rate_limit: "5/s",
        },
      },
      {
        name: "bus",
        type: "kafka",
        file: "shaduf.yml",
        line: 21,
        used_by: ["events"],
        is_warehouse: false,
        last_test: null,
        streams_found_at: null,
        options: {
          brokers: ["kafka-1:9092", "kafka-2:9092"],
          security: "sasl_ssl",
          username: "etl",
          password: { set: true, from: "secret:kafka" },
        },
      },
      {
        name: "lake",
        type: "files",
        file: "shaduf.yml",
        line: 27,
        used_by: ["finance_files"],
        is_warehouse: false,
        last_test: { at: iso(this.now - 9 * kHour), ok: true, ms: 210 },
        streams_found_at: null,
        options: { path: "s3://acme-lake/finance", region: "eu-central-1" },
      },
    ];
  }

  discovery(): t.Discovery {
    const names = [
      "orders",
      "order_items",
      "customers",
      "products",
      "refunds",
      "coupons",
      "carts",
      "shipments",
      "warehouses",
      "inventory_levels",
      "price_lists",
      "audit_log_entries_of_the_back_office_application_since_2019",
    ];
    const count = this.scenario === "huge" ? 3000 : names.length;
    return {
      at: iso(this.now - 1000),
      streams: Array.from({ length: count }, (_, i) => ({
        name: names[i] ?? `table_${String(i).padStart(4, "0")}`,
        key: ["id"],
        cursor_field: i % 3 === 2 ? null : "updated_at",
        modes: i % 3 === 2 ? ["full_refresh"] : ["full_refresh", "incremental"],
        columns: [
          { name: "id", type: "int64" },
          { name: "name", type: "text" },
          { name: "amount", type: "decimal(12,2)" },
          { name: "updated_at", type: "timestamp_tz" },
        ],
      })),
    };
  }

  pipelines(): t.Pipeline[] {
    if (this.scenario === "empty") return [];
    const own = kPipelines.map((one): t.Pipeline => {
      const last = this.runs.find((run) => run.flow === one.name);
      return {
        name: one.name,
        file: `pipelines/${one.name}.yml`,
        source: one.source,
        sink: "warehouse",
        schema: one.schema,
        schedule: one.schedule,
        flow: one.name,
        streams: one.streams.length,
        quarantined: one.name === "crm" ? 128 : 0,
        last: last
          ? { run: last.id, at: last.created, state: last.state === "failed" ? "failed" : "done", rows: last.rows ?? 0 }
          : null,
        state: last?.state === "failed" ? "failing" : last?.state === "running" ? "running" : last ? "ok" : "never",
      };
    });
    if (this.scenario !== "huge") return own;
    return [
      ...own,
      ...Array.from(
        { length: 500 },
        (_, i): t.Pipeline => ({
          name: i === 3 ? `pipeline_with_a_very_long_name_that_somebody_has_given_it_${i}` : `account_${i}`,
          file: `pipelines/account_${i}.yml`,
          source: "fb",
          sink: "warehouse",
          schema: `raw_account_${i}`,
          schedule: "0 * * * *",
          flow: `account_${i}`,
          streams: 12,
          quarantined: i % 40 === 0 ? 3 : 0,
          last: null,
          state: "never",
        }),
      ),
    ];
  }

  pipeline(name: string): t.PipelineDetail | undefined {
    const spec = kPipelines.find((one) => one.name === name);
    const head = this.pipelines().find((one) => one.name === name);
    if (!spec || !head) return undefined;
    const random = numbers(name.length);
    const runs = this.runs.filter((run) => run.flow === name);
    return {
      ...head,
      streams: spec.streams.map(
        (stream, i): t.StreamInfo => ({
          name: stream,
          table: `${spec.schema}.${stream}`,
          mode: i % 3 === 1 ? "full_refresh" : "incremental",
          write: i % 3 === 1 ? "replace" : "merge",
          contract: i % 3 === 1 ? "freeze" : "evolve",
          expectations: ["not_null: [id]", "unique: [id]", ...(i === 0 ? ["spend < 100000 (warn)"] : [])],
          policies: i === 0 ? ["user_email: hash", "ip: drop"] : [],
          last: recordOf(runs[0], i),
          history: runs.slice(0, 24).map((run) => ({
            run: run.id,
            at: run.created,
            rows: Math.floor(50_000 + random() * 40_000),
            state: run.state,
            seconds: 12 + random() * 40,
          })),
          checkpoint: i % 3 === 1 ? null : `{"cursor":"2026-11-22T05:58:${10 + i}Z","window":14}`,
          committed_at: iso(this.now - (12 + i) * 60_000),
          quarantined: name === "crm" && i === 0 ? 128 : 0,
        }),
      ),
      columns_changed: [
        { at: iso(this.now - 26 * kHour), stream: spec.streams[0]!, text: "column coupon_code (text) was added" },
      ],
      text: this.files.get(`pipelines/${name}.yml`),
    };
  }

  quarantine(): t.QuarantineGroup[] {
    if (this.scenario === "empty") return [];
    return [
      {
        pipeline: "crm",
        stream: "contacts",
        reason: "spend < 100000",
        rows: 121,
        oldest: iso(this.now - 48 * kHour),
        newest: iso(this.now - 2 * kHour),
      },
      {
        pipeline: "crm",
        stream: "contacts",
        reason: "date_start: not a date",
        rows: 7,
        oldest: iso(this.now - 20 * kHour),
        newest: iso(this.now - 2 * kHour),
      },
      {
        pipeline: "events",
        stream: "clicks",
        reason: "not_null: user_id",
        rows: this.scenario === "huge" ? 1_240_331 : 12,
        oldest: iso(this.now - 3 * kHour),
        newest: iso(this.now - 60_000),
      },
    ];
  }
  quarantineRows(query: URLSearchParams): t.QuarantineRow[] {
    const groups = this.quarantine().filter(
      (group) =>
        (!query.get("pipeline") || group.pipeline === query.get("pipeline")) &&
        (!query.get("stream") || group.stream === query.get("stream")) &&
        (!query.get("reason") || group.reason === query.get("reason")),
    );
    return groups.flatMap((group) =>
      Array.from({ length: Math.min(80, group.rows) }, (_, i) => ({
        id: `${group.stream}-${group.reason.length}-${i}`,
        position: `page 14, row ${31 + i}`,
        at: iso(this.now - i * 600_000 - 2 * kHour),
        reason: group.reason,
        raw: JSON.stringify({
          id: 8841 + i,
          account: "act_2",
          spend: group.reason.includes("spend") ? 1e9 : 12.5,
          date_start: group.reason.includes("date") ? "01/13/26" : "2026-03-01",
          campaign: "spring_sale_2026_retargeting",
        }),
        pipeline: group.pipeline,
        stream: group.stream,
        run: this.runs[0]?.id ?? null,
      })),
    );
  }

  tables(): t.Table[] {
    if (this.scenario === "empty") return [];
    const random = numbers(3);
    const names: [string, string, "table" | "view", string][] = [
      ...kPipelines.flatMap((one) =>
        one.streams.map((stream): [string, string, "table", string] => [
          one.schema,
          stream,
          "table",
          `pipeline ${one.name}`,
        ]),
      ),
      ["staging", "stg_orders", "view", "model stg_orders"],
      ["staging", "stg_customers", "view", "model stg_customers"],
      ["core", "fct_revenue", "table", "model fct_revenue"],
      ["core", "dim_customer", "table", "model dim_customer"],
      ["core", longName, "table", `model ${longName}`],
      ["seeds", "country_codes", "table", "seed country_codes"],
    ];
    if (this.scenario === "huge")
      for (let i = 0; i < 900; i++) names.push(["wide", `t_${String(i).padStart(4, "0")}`, "table", "other "]);
    return names.map(([schema, name, kind, by]) => ({
      schema,
      name,
      kind,
      rows: Math.floor(random() * 3_000_000),
      bytes: Math.floor(random() * 900_000_000),
      columns: this.scenario === "huge" && name === "orders" ? 2000 : 14,
      description: name === "orders" ? "One row an order of the web shop, as the shop's database has it." : "",
      owner: "growth",
      made_by: { kind: by.split(" ")[0]!, name: by.split(" ")[1] ?? "" },
      fresh_at: iso(this.now - random() * 6 * kHour),
      tests:
        random() < 0.6
          ? { passed: 6, failed: name === "fct_revenue" ? 1 : 0, total: name === "fct_revenue" ? 7 : 6 }
          : { passed: 0, failed: 0, total: 0 },
    }));
  }
  columnsOf(name: string): t.TableColumn[] {
    const own: t.TableColumn[] = [
      {
        name: "order_id",
        type: "BIGINT",
        nullable: false,
        description: "Key of the shop",
        tests: [
          { name: "unique", state: "passed" },
          { name: "not_null", state: "passed" },
        ],
      },
      {
        name: "email",
        type: "VARCHAR",
        nullable: true,
        description: "Hashed before it is stored",
        policy: "hash",
        tests: [],
      },
      {
        name: "country",
        type: "VARCHAR",
        nullable: true,
        description: "",
        tests: [{ name: "accepted_values", state: name === "fct_revenue" ? "failed" : "passed" }],
      },
      { name: "amount", type: "DECIMAL(12,2)", nullable: true, description: "In the order's currency", tests: [] },
      { name: "currency", type: "VARCHAR", nullable: false, description: "", tests: [] },
      { name: "ordered_at", type: "TIMESTAMP WITH TIME ZONE", nullable: false, description: "", tests: [] },
      { name: "status", type: "VARCHAR", nullable: false, description: "", tests: [] },
      { name: "items", type: "INTEGER", nullable: true, description: "", tests: [] },
    ];
    if (this.scenario === "huge" && name === "orders") {
      for (let i = own.length; i < 2000; i++)
        own.push({
          name: `attribute_${String(i).padStart(4, "0")}`,
          type: i % 3 ? "VARCHAR" : "DOUBLE",
          nullable: true,
          tests: [],
        });
    }
    return own;
  }
  rowsOf(columns: t.Column[], count: number): unknown[][] {
    const random = numbers(11);
    const countries = ["DE", "CH", "FR", "US", "AT", null];
    return Array.from({ length: count }, (_, row) =>
      columns.map((column) => {
        if (column.name === "country") return countries[Math.floor(random() * countries.length)];
        if (/_at$|day/.test(column.name))
          return column.name === "day"
            ? iso(this.now - (count - row) * 24 * kHour).slice(0, 10)
            : iso(this.now - row * 60_000);
        if (/INT|DECIMAL|DOUBLE/i.test(column.type))
          return column.type.startsWith("DEC") ? (random() * 400).toFixed(2) : Math.floor(random() * 100_000);
        return random() < 0.05 ? null : `${column.name} ${Math.floor(random() * 900)}`;
      }),
    );
  }
  profile(name: string): t.Profile {
    const random = numbers(5);
    return {
      rows: 1_204_331,
      at: iso(this.now - 240_000),
      ms: 812,
      columns: this.columnsOf(name)
        .slice(0, 60)
        .map((column) => ({
          name: column.name,
          nulls: column.nullable ? Math.floor(random() * 4000) : 0,
          distinct: Math.floor(random() * 1_200_000),
          min: /INT|DEC/.test(column.type) ? 0 : "a",
          max: /INT|DEC/.test(column.type) ? 99_120 : "zz",
          mean: /INT|DEC/.test(column.type) ? 214.7 : null,
          top: [
            { value: "DE", count: 411_200 },
            { value: "CH", count: 180_020 },
            { value: "FR", count: 96_400 },
          ],
          histogram: Array.from({ length: 20 }, (_, i) =>
            Math.floor(1000 * Math.exp(-((i - 8) ** 2) / 18) + random() * 120),
          ),
        })),
    };
  }

  lineage(query: URLSearchParams): t.Lineage {
    if (this.scenario === "empty") return { nodes: [], edges: [], hidden: {}, total: 0, cut: false };
    const node = (id: string, kind: t.NodeKind, name: string, extra: Partial<t.LineageNode> = {}): t.LineageNode => ({
      id,
      kind,
      name,
      state: "succeeded",
      fresh_at: iso(this.now - 4 * 60_000),
      tests: { passed: 6, failed: 0 },
      ...extra,
    });
    const nodes = [
      node("connection.shop", "connection", "shop"),
      node("connection.fb", "connection", "fb", { state: "failed" }),
      node("raw_shop.orders", "table", "orders", { schema: "raw_shop", table: "raw_shop.orders" }),
      node("raw_shop.customers", "table", "customers", { schema: "raw_shop", table: "raw_shop.customers" }),
      node("raw_facebook_ads.ads_insights", "table", "ads_insights", {
        schema: "raw_facebook_ads",
        table: "raw_facebook_ads.ads_insights",
        state: "failed",
        fresh_at: iso(this.now - 3 * kHour),
      }),
      node("staging.stg_orders", "model", "stg_orders", {
        schema: "staging",
        table: "staging.stg_orders",
        file: "models/staging/stg_orders.sql",
      }),
      node("staging.stg_customers", "model", "stg_customers", { schema: "staging", table: "staging.stg_customers" }),
      node("seeds.country_codes", "seed", "country_codes", { schema: "seeds", table: "seeds.country_codes" }),
      node("core.fct_revenue", "model", "fct_revenue", {
        schema: "core",
        table: "core.fct_revenue",
        state: "warned",
        tests: { passed: 6, failed: 1 },
        description: "Revenue by order and day.",
      }),
      node("core.dim_customer", "model", "dim_customer", { schema: "core", table: "core.dim_customer" }),
      node(`core.${longName}`, "model", longName, { schema: "core", table: `core.${longName}` }),
      node("exposure.board", "exposure", "board report"),
    ];
    const edges = [
      ["connection.shop", "raw_shop.orders"],
      ["connection.shop", "raw_shop.customers"],
      ["connection.fb", "raw_facebook_ads.ads_insights"],
      ["raw_shop.orders", "staging.stg_orders"],
      ["raw_shop.customers", "staging.stg_customers"],
      ["seeds.country_codes", "core.dim_customer"],
      ["staging.stg_orders", "core.fct_revenue"],
      ["staging.stg_customers", "core.dim_customer"],
      ["core.dim_customer", "core.fct_revenue"],
      ["raw_facebook_ads.ads_insights", `core.${longName}`],
      ["staging.stg_orders", `core.${longName}`],
      ["core.fct_revenue", "exposure.board"],
      [`core.${longName}`, "exposure.board"],
    ].map(([from, to]) => ({ from: from!, to: to! }));
    if (this.scenario === "huge") {
      for (let i = 0; i < 288; i++) {
        nodes.push(node(`wide.m${i}`, "model", `model_${i}`, { schema: "wide", table: `wide.m${i}` }));
        edges.push({ from: i < 12 ? "staging.stg_orders" : `wide.m${i - 12}`, to: `wide.m${i}` });
        if (i > 40 && i % 5 === 0) edges.push({ from: `wide.m${i - 37}`, to: `wide.m${i}` });
      }
    }
    const focus = query.get("select")?.replace(/^\d*\+|\+\d*$/g, "");
    const hidden: t.Lineage["hidden"] = focus
      ? { "core.fct_revenue": { up: 0, down: 6 } }
      : { "exposure.board": { up: 3, down: 0 } };
    return { nodes, edges, hidden, total: this.scenario === "huge" ? 1240 : nodes.length, cut: false };
  }

  checks(): t.Check[] {
    if (this.scenario === "empty") return [];
    const random = numbers(9);
    const count = this.scenario === "huge" ? 1000 : 18;
    const texts = [
      "not_null: [order_id]",
      "unique: [order_id]",
      "spend < 100000",
      "accepted_values: country",
      "relationships: customer_id -> dim_customer",
    ];
    const tables = this.tables();
    return Array.from({ length: count }, (_, i) => {
      const table = tables[i % tables.length]!;
      const state = i === 2 ? "failed" : i === 5 ? "warned" : "passed";
      return {
        id: `check-${i}`,
        kind: i % 2 ? "test" : "expectation",
        on: `${table.schema}.${table.name}`,
        column: i % 3 ? "order_id" : null,
        text: texts[i % texts.length]!,
        state,
        last_at: iso(this.now - random() * 3 * kHour),
        failing_rows: state === "failed" ? 214 : state === "warned" ? 12 : 0,
        history: Array.from({ length: 20 }, (_, h) => ({
          at: iso(this.now - (20 - h) * kHour),
          state: state === "failed" && h > 14 ? "failed" : random() < 0.03 ? "warned" : "passed",
          rows: state === "failed" && h > 14 ? 30 * (h - 13) : 0,
        })),
        file: i % 2 ? "models/core/schema.yml" : "pipelines/shop.yml",
      } as t.Check;
    });
  }

  // Lines that tests have every task say besides.
  moreLines = 0;
  log(run: t.RunDetail, task: string): t.LogLine[] {
    const count = (this.scenario === "huge" ? 18_211 : 640) + this.moreLines;
    const began = Date.parse(run.began ?? run.created);
    return Array.from({ length: count }, (_, i) => {
      const n = i + 1;
      const isError = run.state === "failed" && n === count - 7;
      return {
        n,
        at: iso(began + i * 37),
        level: isError ? "error" : n % 97 === 0 ? "warning" : "info",
        place: `${task}.${n % 2 ? "ads_insights" : "campaigns"}`,
        text: isError
          ? "HTTP 401 code 190: Error validating access token: session has expired"
          : n % 97 === 0
            ? "rate limit: 71 % of the hour's calls used, slowing down"
            : n % 13 === 0
              ? `\u001b[32mcommitted\u001b[0m ${n * 512} rows, checkpoint 2026-11-22T0${n % 6}:14:00Z`
              : `window ${1 + (n % 28)} of 28: page ${n}, 500 rows in ${180 + (n % 90)} ms`,
      };
    });
  }
}

export function summaryOf(run: t.RunDetail): t.RunSummary {
  const { task_list, seq: _seq, cause: _cause, definition_changed: _changed, ...rest } = run;
  const counts: t.TaskCounts = { total: 0, succeeded: 0, warned: 0, failed: 0, running: 0, waiting: 0, skipped: 0 };
  for (const task of task_list ?? []) {
    counts.total++;
    if (task.state === "succeeded") counts.succeeded++;
    else if (task.state === "warned") counts.warned++;
    else if (task.state === "failed" || task.state === "upstream_failed" || task.state === "killed") counts.failed++;
    else if (task.state === "running" || task.state === "retrying") counts.running++;
    else if (task.state === "skipped") counts.skipped++;
    else counts.waiting++;
  }
  return { ...rest, tasks: counts };
}
