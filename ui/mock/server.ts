// The API of docs/api.md over a made-up world, for development and for states that are hard to bring about. Which world
// is told by the cookie `mock`; the clock stands still when MOCK_NOW says where.
import { createHash } from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import type * as t from "../src/api/types";
import { type Scenario, summaryOf, World } from "./world";

const dist = process.env.UI_DIST ?? path.join(process.cwd(), "dist");
const fixedNow = process.env.MOCK_NOW ? Date.parse(process.env.MOCK_NOW) : null;
const worlds = new Map<Scenario, World>();
function worldOf(scenario: Scenario): World {
  let world = worlds.get(scenario);
  if (!world) {
    world = new World(fixedNow ?? Date.now(), scenario);
    worlds.set(scenario, world);
  }
  return world;
}

const kCsp =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; worker-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";
const kTypes: Record<string, string> = {
  ".js": "text/javascript",
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
  ".json": "application/json",
};

class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly kind: string,
    message: string,
    readonly places: t.Place[] = [],
    readonly more: object = {},
  ) {
    super(message);
  }
}
const page = <T>(items: T[], query?: URLSearchParams): t.Page<T> => {
  const limit = Number(query?.get("limit") ?? 100);
  const from = Number(query?.get("after") ?? 0);
  return { items: items.slice(from, from + limit), next: from + limit < items.length ? String(from + limit) : null };
};
const shaOf = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 16);

// A small diff, enough for the sizes of a project's files.
function diffOf(file: string, before: string, after: string): string {
  if (before === after) return "";
  const a = before.split("\n");
  const b = after.split("\n");
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const from = Math.max(0, head - 3);
  const lines = [
    ...a.slice(from, head).map((line) => ` ${line}`),
    ...a.slice(head, a.length - tail).map((line) => `-${line}`),
    ...b.slice(head, b.length - tail).map((line) => `+${line}`),
    ...a.slice(a.length - tail, a.length - tail + 3).map((line) => ` ${line}`),
  ];
  return `--- a/${file}\n+++ b/${file}\n@@ -${from + 1},${a.length} +${from + 1},${b.length} @@\n${lines.join("\n")}\n`;
}

function yamlOf(value: unknown, indent: string): string {
  if (Array.isArray(value))
    return `[${value.map((item) => (typeof item === "object" ? JSON.stringify(item) : String(item))).join(", ")}]`;
  if (value && typeof value === "object") {
    return `\n${Object.entries(value)
      .map(([key, item]) => `${indent}${key}:${yamlOf(item, `${indent}  `).replace(/^(?!\n)/, " ")}`)
      .join("\n")}`;
  }
  return typeof value === "string" && /[:#{}]/.test(value) && !value.startsWith("${")
    ? JSON.stringify(value)
    : String(value);
}

// Only what the fixtures need: keys are put below their parent, one level of indent deeper.
function applyEdits(text: string, edits: t.Edit[]): string {
  let lines = text.replace(/\n$/, "").split("\n");
  for (const edit of edits) {
    let from = 0;
    let to = lines.length;
    let indent = "";
    let at = -1;
    for (const [depth, key] of edit.path.entries()) {
      indent = "  ".repeat(depth);
      at = lines.findIndex((line, i) => i >= from && i < to && line.startsWith(`${indent}${key}:`));
      if (at < 0) break;
      from = at + 1;
      to = lines.findIndex((line, i) => i > at && line.trim() !== "" && !line.startsWith(`${indent} `));
      if (to < 0) to = lines.length;
    }
    const key = edit.path.at(-1);
    if (edit.op === "remove" && at >= 0) lines.splice(at, to - at);
    else if ((edit.op === "add" || edit.op === "set") && at >= 0)
      lines.splice(
        at,
        to - at,
        ...`${indent}${key}:${yamlOf(edit.value, `${indent}  `).replace(/^(?!\n)/, " ")}`.split("\n"),
      );
    else if (edit.op !== "remove") {
      lines = [
        ...lines.slice(0, to),
        ...`${indent}${key}:${yamlOf(edit.value, `${indent}  `).replace(/^(?!\n)/, " ")}`.split("\n"),
        ...lines.slice(to),
      ];
    }
  }
  return `${lines.join("\n")}\n`;
}

interface Call {
  world: World;
  method: string;
  parts: string[];
  query: URLSearchParams;
  body: Record<string, unknown>;
}

function changeFile(call: Call): unknown {
  const { world, body } = call;
  const file = call.parts.slice(1).join("/");
  const before = world.files.get(file) ?? "";
  if (body.base_sha && body.base_sha !== shaOf(before))
    throw new Refusal(409, "conflict", `${file} was changed by somebody else.`, [], {
      current: { text: before, sha: shaOf(before) },
    });
  const text = call.method === "PUT" ? String(body.text) : applyEdits(before, (body.edits ?? []) as t.Edit[]);
  const answer = {
    text,
    diff: diffOf(file, before, text),
    sha: shaOf(text),
    written: !body.dry_run,
    errors: [],
    notes: [],
  };
  if (!body.dry_run) world.files.set(file, text);
  return answer;
}

function runsCall({ world, method, parts, query, body }: Call): unknown {
  if (parts.length === 1) {
    const states = query.get("state")?.split(",");
    const found = world.runs.filter(
      (run) =>
        (!query.get("flow") || run.flow === query.get("flow")) &&
        (!states || states.includes(run.state)) &&
        (!query.get("type") || run.type === query.get("type")) &&
        (!query.get("since") || run.created >= query.get("since")!) &&
        (!query.get("q") || `${run.id} ${run.flow} ${run.why}`.includes(query.get("q")!)),
    );
    return page(found.map(summaryOf), query);
  }
  const run = world.runs.find((one) => one.id === parts[1]);
  if (!run)
    throw new Refusal(404, "not_found", `no such run: ${parts[1]}; it may have been removed by retention (90 days)`);
  if (parts.length === 2) return { ...run, tasks: run.task_list, task_list: undefined, inputs: {}, seq: "m-1" };
  if (parts[2] === "history") {
    return page(
      (run.task_list ?? []).slice(0, 400).flatMap((task) => [
        { at: task.since, task: task.name, attempt: 1, to: "queued", why: "its turn", actor: "" },
        ...(task.began
          ? [{ at: task.began, task: task.name, attempt: 1, to: "running", why: "", actor: task.worker }]
          : []),
        ...(task.ended
          ? [
              {
                at: task.ended,
                task: task.name,
                attempt: task.attempt,
                to: task.state,
                why: task.why ?? "",
                actor: "",
              },
            ]
          : []),
      ]),
      new URLSearchParams("limit=1000"),
    );
  }
  if (parts[2] === "definition") {
    const text = world.flows.find((flow) => flow.name === run.flow)?.config?.text ?? "";
    return { flow: run.flow, revision: run.revision, text, current: text };
  }
  if (parts[2] === "tasks" && parts[4] === "log") {
    const all = world.log(run, parts[3]!);
    const first = Number(query.get("line") ?? 1);
    const count = Number(query.get("count") ?? 500);
    const q = (query.get("q") ?? "").toLowerCase();
    const level = query.get("level");
    const chosen = first < 0 ? all.slice(first) : all.slice(first - 1);
    const found = chosen.filter(
      (line) =>
        (!q || line.text.toLowerCase().includes(q)) &&
        (!level || line.level === level || (level === "warning" && line.level === "error")),
    );
    return {
      lines: found.slice(0, count),
      total: all.length,
      bytes: all.length * 92,
      complete: run.state !== "running",
    };
  }
  if (method === "POST" && parts[2] === "cancel")
    Object.assign(run, { state: "killed", ended: new Date(world.now).toISOString() });
  if (method === "POST" && parts[2] === "rerun") Object.assign(run, { state: "running", ended: null, cause: null });
  if (method === "POST" && parts[2] === "tasks") {
    const task = run.task_list?.find((one) => one.name === parts[3]);
    if (task)
      task.state = parts[4] === "mark" ? (String(body.state) as t.TaskState) : body.yes ? "succeeded" : "failed";
  }
  return { ok: true };
}

function connectionsCall({ world, method, parts, body }: Call): unknown {
  if (parts.length === 1) return page(world.connections().map(({ options: _options, ...rest }) => rest));
  const action = parts.at(-1);
  if (method === "POST" && action === "test") {
    const url = String((body.options as Record<string, unknown> | undefined)?.base_url ?? "");
    const bad = url.includes("bad");
    return {
      ok: !bad,
      at: new Date(world.now).toISOString(),
      ms: 402,
      steps: [
        {
          name: "resolve",
          ok: !bad,
          ms: 4,
          found: bad ? `no such host: ${url}` : "203.0.113.7",
          do: bad ? "Check the host name of base_url." : undefined,
        },
        ...(bad
          ? []
          : [
              { name: "connect", ok: true, ms: 21, found: "TLS 1.3" },
              { name: "sign in", ok: true, ms: 180, found: "accepted" },
              { name: "list streams", ok: true, ms: 197, found: "7 streams" },
            ]),
      ],
    };
  }
  const found = world.connections().find((one) => one.name === parts[1]);
  if (action === "preview") {
    const columns = world.discovery().streams[0]!.columns!;
    return { columns, rows: world.rowsOf(columns, 20) };
  }
  if (action === "discover") {
    if (method === "GET" && !found?.streams_found_at)
      throw new Refusal(404, "not_found", `streams of ${parts[1]} were never looked for`);
    return world.discovery();
  }
  if (!found) throw new Refusal(404, "not_found", `no such connection: ${parts[1]}`);
  return found;
}

function dataCall({ world, parts, query }: Call): unknown {
  if (parts[0] === "tables" && parts.length === 1) {
    const q = query.get("q") ?? "";
    return page(
      world.tables().filter((table) => `${table.schema}.${table.name}`.includes(q)),
      new URLSearchParams("limit=1000"),
    );
  }
  if (parts[0] === "tables") {
    const table = world.tables().find((one) => one.schema === parts[1] && one.name === parts[2]);
    if (!table) throw new Refusal(404, "not_found", `no such table: ${parts[1]}.${parts[2]}`);
    const columns = world.columnsOf(table.name);
    if (parts[3] === "profile") return world.profile(table.name);
    if (parts[3] === "sample") return { columns, rows: world.rowsOf(columns, 100), cut: false };
    return {
      ...table,
      columns,
      sql:
        table.made_by?.kind === "model"
          ? "select\n    order_id,\n    sum(amount) as amount\nfrom {{ ref('stg_orders') }}\ngroup by 1\n"
          : null,
    };
  }
  return world.lineage(query);
}

const kLists: Record<string, (world: World) => unknown> = {
  overview: (world) => world.overview(),
  connectors: (world) => world.connectors,
  checks: (world) => page(world.checks(), new URLSearchParams("limit=1000")),
  anomalies: (world) => page(world.anomalies()),
  users: (world) =>
    page([
      { name: "ana", role: "admin", folders: [], last_seen: new Date(world.now - 60_000).toISOString(), locked: false },
      {
        name: "ben",
        role: "operator",
        folders: ["pipelines/shop*"],
        last_seen: new Date(world.now - 86_400_000).toISOString(),
        locked: false,
      },
      { name: "cleo", role: "viewer", folders: [], last_seen: null, locked: true },
    ]),
  tokens: (world) =>
    page([
      {
        id: "t1",
        name: "ci",
        role: "operator",
        folders: [],
        created: new Date(world.now - 9e8).toISOString(),
        expires: new Date(world.now + 9e9).toISOString(),
        last_used: new Date(world.now - 7e6).toISOString(),
      },
    ]),
  "alert-channels": () =>
    page([
      { name: "data-team", type: "slack", to: "#data-alerts" },
      { name: "on-call", type: "pagerduty", to: "service acme-data" },
      { name: "mail", type: "email", to: "data@acme.example" },
    ]),
  secrets: () =>
    page([
      { name: "fb_token", set: true, changed_at: "2026-10-02T08:00:00Z", used_by: ["fb"] },
      { name: "crm_key", set: true, changed_at: "2026-09-12T08:00:00Z", used_by: ["crm"] },
    ]),
};

function answer(call: Call): unknown {
  const { world, method, parts } = call;
  const head = parts[0] ?? "";
  if (head !== "me" && world.scenario === "error" && method === "GET" && head !== "events") {
    throw new Refusal(
      503,
      "unavailable",
      "cannot read the run store: database is locked: .shaduf/flow.db; another process holds it. Stop it, or wait for it to end",
    );
  }
  if (head in kLists && parts.length === 1 && method === "GET") return kLists[head]!(world);
  switch (head) {
    case "me":
      return {
        name: "ana",
        role: call.query.get("role") ?? "admin",
        folders: [],
        needs_sign_in: false,
        csrf: "mock",
        project: world.scenario === "huge" ? "acme_international_holding_data_platform" : "acme",
        environment: "prod",
        environments: ["dev", "prod"],
        version: "0.9.0",
        warehouse: { connection: "local", type: "duckdb" },
        started_at: new Date(world.now - 9e7).toISOString(),
        config_errors:
          world.scenario === "error"
            ? [{ file: "pipelines/crm.yml", line: 12, message: "stream not found: contcts; did you mean contacts?" }]
            : [],
      };
    case "runs":
      return runsCall(call);
    case "flows": {
      if (parts.length === 1)
        return page(
          world.flows.map(({ graph: _graph, config: _config, ...rest }) => rest),
          new URLSearchParams("limit=1000"),
        );
      const flow = world.flows.find((one) => one.name === parts[1]);
      if (!flow) throw new Refusal(404, "not_found", `no such flow: ${parts[1]}`);
      if (parts[2] === "runs") return { run: world.runs.find((run) => run.flow === flow.name)?.id, is_new: true };
      if (parts[2] === "pause") {
        flow.paused = Boolean(call.body.paused);
        return { ok: true };
      }
      if (parts[2] === "backfill") return { runs: 24 };
      return { ...flow, seq: "m-1" };
    }
    case "connections":
      return connectionsCall(call);
    case "pipelines": {
      if (parts.length === 1) return page(world.pipelines(), new URLSearchParams("limit=1000"));
      const found = world.pipeline(parts[1]!);
      if (!found) throw new Refusal(404, "not_found", `no such pipeline: ${parts[1]}`);
      return found;
    }
    case "files": {
      if (method !== "GET") return changeFile(call);
      const file = parts.slice(1).join("/");
      const text = world.files.get(file);
      if (text === undefined) throw new Refusal(404, "not_found", `no such file: ${file}`);
      return { path: file, text, sha: shaOf(text), read_only: false, git: { branch: "main", dirty: false } };
    }
    case "quarantine":
      if (parts[1] === "rows") return page(world.quarantineRows(call.query), call.query);
      if (parts[1] === "replay")
        return {
          replayed: Array.isArray(call.body.ids) ? call.body.ids.length : 121,
          again_quarantined: 0,
          error: null,
        };
      if (parts[1] === "discard") return { discarded: Array.isArray(call.body.ids) ? call.body.ids.length : 7 };
      return page(world.quarantine());
    case "lineage":
      if (parts[1] === "columns")
        return {
          edges: [
            {
              from: { node: "raw_shop.orders", column: "amount" },
              to: { node: "staging.stg_orders", column: "amount" },
            },
            {
              from: { node: "staging.stg_orders", column: "amount" },
              to: { node: "core.fct_revenue", column: "revenue" },
            },
          ],
        };
      return dataCall(call);
    case "tables":
      return dataCall(call);
    case "query": {
      if (parts[1] === "download") return "day,revenue\n2026-11-01,12\n";
      const sql = String(call.body.sql ?? "");
      if (/\b(drop|delete|insert|update|create)\b/i.test(sql))
        throw new Refusal(
          400,
          "invalid_config",
          "the SQL editor only reads: found DELETE; use a model or a flow to change tables",
        );
      if (/eror/.test(sql))
        throw new Refusal(
          400,
          "invalid_config",
          'Binder Error: column "eror" not found in FROM clause; candidates: order_id, amount',
          [{ line: 1, message: "column not found" }],
        );
      const columns = [
        { name: "day", type: "DATE" },
        { name: "country", type: "VARCHAR" },
        { name: "orders", type: "BIGINT" },
        { name: "revenue", type: "DECIMAL(12,2)" },
      ];
      return {
        columns,
        rows: world.rowsOf(columns, world.scenario === "empty" ? 0 : 60),
        cut: false,
        ms: 38,
        rows_total: 60,
        engine: "duckdb",
      };
    }
    case "alerts": {
      if (method === "POST") {
        const alert = world.alerts().find((one) => one.id === parts[1]);
        if (!alert) throw new Refusal(404, "not_found", `no such alert: ${parts[1]}`);
        alert.muted_until = (call.body.until as string | null) ?? null;
        alert.state = alert.muted_until ? "muted" : "firing";
        return undefined;
      }
      const states = call.query.get("state")?.split(",");
      return page(
        world.alerts().filter((alert) => !states || states.includes(alert.state)),
        call.query,
      );
    }
    case "alert-channels":
      return parts[1] === "mail"
        ? { ok: false, error: "mail.acme.example:587: the server does not offer STARTTLS", note: null }
        : { ok: true, error: null, note: null };
    case "anomalies":
      if (method === "POST") return undefined;
      return page(world.watched());
    case "check":
      return { errors: [] };
    case "audit":
      if (parts[1] === "verify") return { ok: true, lines: 1204, broken_at: null };
      return page(
        Array.from({ length: world.scenario === "empty" ? 1 : 60 }, (_, i) => ({
          number: 1204 - i,
          at: new Date(world.now - i * 7e5).toISOString(),
          actor: ["ana", "ben", "token ci"][i % 3],
          action: ["run.request", "session.begin", "file.change", "flow.pause"][i % 4],
          target: ["facebook_ads", "ben", "shaduf.yml", "shop"][i % 4],
          detail: "",
          address: "10.0.0.12",
          hash: "9f2c01",
        })),
        call.query,
      );
    default:
      if (method === "POST" || method === "PUT" || method === "PATCH")
        return { ok: true, token: "shaduf_mock_token_shown_once" };
      if (method === "DELETE") return { ok: true };
      throw new Refusal(404, "not_found", `no such call: ${method} /${parts.join("/")}`);
  }
}

function serveFile(url: URL, request: http.IncomingMessage, response: http.ServerResponse): void {
  let name = path.normalize(path.join(dist, decodeURIComponent(url.pathname)));
  if (!name.startsWith(dist) || !fs.existsSync(name) || fs.statSync(name).isDirectory())
    name = path.join(dist, "index.html");
  const headers: Record<string, string> = {
    "Content-Type": kTypes[path.extname(name)] ?? "application/octet-stream",
    "Content-Security-Policy": kCsp,
    "Cache-Control": name.includes("/assets/") ? "public, max-age=31536000, immutable" : "no-cache",
  };
  if (String(request.headers["accept-encoding"]).includes("br") && fs.existsSync(`${name}.br`)) {
    headers["Content-Encoding"] = "br";
    name += ".br";
  }
  response.writeHead(200, headers);
  fs.createReadStream(name).pipe(response);
}

let streams = 0;
let opened = 0;
let refuses = false;
const lastIds: string[] = [];
const listeners = new Map<http.ServerResponse, string>();
function serveEvents(url: URL, request: http.IncomingMessage, response: http.ServerResponse): void {
  if (refuses) {
    response.writeHead(503).end();
    return;
  }
  streams++;
  opened++;
  lastIds.push(String(request.headers["last-event-id"] ?? ""));
  response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  response.write(": hello\n\n");
  const timer = setInterval(() => response.write(": ping\n\n"), 15_000);
  response.on("close", () => {
    streams--;
    clearInterval(timer);
    listeners.delete(response);
  });
  listeners.set(response, url.searchParams.get("topics") ?? "");
}

// Tests push events of their own, cut streams or have them refused, and ask which are open.
function control(parts: string[], body: string, response: http.ServerResponse): void {
  if (parts[0] === "events") for (const listener of listeners.keys()) listener.write(body);
  if (parts[0] === "cut") for (const listener of listeners.keys()) listener.destroy();
  if (parts[0] === "lines") worldOf((parts[1] ?? "usual") as Scenario).moreLines += Number(parts[2]);
  if (parts[0] === "refuse") refuses = parts[1] === "1";
  response.writeHead(200, { "Content-Type": "application/json" });
  response.end(JSON.stringify({ streams, opened, lastIds, topics: [...listeners.values()] }));
}

const server = http.createServer((request, response) => {
  const url = new URL(request.url ?? "/", "http://mock");
  const scenario = (/mock=(\w+)/.exec(request.headers.cookie ?? "")?.[1] ?? "usual") as Scenario;
  let text = "";
  request.on("data", (piece) => {
    text += piece;
  });
  request.on("end", () => {
    if (url.pathname.startsWith("/mock/")) return control(url.pathname.slice(6).split("/"), text, response);
    if (!url.pathname.startsWith("/api/v1/")) return serveFile(url, request, response);
    if (url.pathname === "/api/v1/events") return serveEvents(url, request, response);
    const parts = url.pathname.slice(8).split("/").map(decodeURIComponent);
    const reply = () => {
      try {
        const body = text ? JSON.parse(text) : {};
        const data = answer({
          world: worldOf(scenario),
          method: request.method ?? "GET",
          parts,
          query: url.searchParams,
          body,
        });
        response.writeHead(data === undefined ? 204 : 200, { "Content-Type": "application/json" });
        response.end(JSON.stringify(data));
      } catch (error) {
        const refusal = error instanceof Refusal ? error : new Refusal(500, "internal", String(error));
        response.writeHead(refusal.status, { "Content-Type": "application/json" });
        response.end(
          JSON.stringify({
            error: { kind: refusal.kind, message: refusal.message, places: refusal.places },
            ...refusal.more,
          }),
        );
      }
    };
    if (scenario === "slow" && parts[0] !== "me") setTimeout(reply, 60_000);
    else reply();
  });
});
server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", () => {
  const address = server.address();
  console.log(`mock: http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`);
});
