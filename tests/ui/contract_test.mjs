// The three that speak of the API say the same: what the program describes, the types that pages are checked against
// (ui/src/api/schema.ts), and the mock that pages are tried on. What the program answers is held against it as well.
//   node tests/ui/contract_test.mjs SHADUF [--write]     --write: makes schema.ts anew
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { needPackages, startMock, startServe, skip, ui } from "./harness.mjs";

const shaduf = path.resolve(process.argv[2] ?? "build/debug/shaduf");
if (!fs.existsSync(shaduf)) skip(`no program at ${shaduf}`);
needPackages();
const schemaFile = path.join(ui, "src/api/schema.ts");
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "shaduf-contract-"));
const faults = [];

function describe() {
  const printed = spawnSync(shaduf, ["serve", "--print-openapi"], { encoding: "utf8", maxBuffer: 64 << 20 });
  if (printed.status !== 0) skip("this build has no serve");
  return printed.stdout;
}

function typesOf(text) {
  const from = path.join(folder, "openapi.json");
  const to = path.join(folder, "schema.ts");
  fs.writeFileSync(from, text);
  const made = spawnSync("node_modules/.bin/openapi-typescript", [from, "-o", to], { cwd: ui, encoding: "utf8" });
  if (made.status !== 0) throw new Error(`openapi-typescript: ${made.stdout}${made.stderr}`);
  return `// Made by \`make ui-schema\` from what \`shaduf serve --print-openapi\` prints; not to be edited.\n${fs.readFileSync(to, "utf8")}`;
}

// What a value has against its schema: as much of JSON Schema as the description uses.
function problemsOf(value, schema, doc, at, out = []) {
  if (out.length >= 10 || !schema) return out;
  if (schema.$ref) return problemsOf(value, doc.components.schemas[schema.$ref.split("/").pop()], doc, at, out);
  const types = [schema.type ?? []].flat();
  const is = {
    null: value === null,
    string: typeof value === "string",
    boolean: typeof value === "boolean",
    number: typeof value === "number",
    integer: Number.isInteger(value),
    array: Array.isArray(value),
    object: typeof value === "object" && value !== null && !Array.isArray(value),
  };
  for (const option of ["anyOf", "oneOf"]) {
    if (schema[option] && !schema[option].some((one) => problemsOf(value, one, doc, at, []).length === 0)) out.push(`${at}: none of ${option}`);
  }
  if (types.length > 0 && !types.some((type) => is[type])) {
    out.push(`${at}: ${JSON.stringify(value)?.slice(0, 60)} is no ${types.join(" or ")}`);
    return out;
  }
  if (schema.enum && !schema.enum.includes(value)) out.push(`${at}: ${JSON.stringify(value)} is none of ${schema.enum}`);
  if (is.string && schema.format === "date-time" && Number.isNaN(Date.parse(value))) out.push(`${at}: ${value} is no time`);
  if (is.array) for (const [i, item] of value.slice(0, 50).entries()) problemsOf(item, schema.items, doc, `${at}[${i}]`, out);
  if (!is.object) return out;
  for (const name of schema.required ?? []) if (value[name] === undefined) out.push(`${at}.${name}: is missing`);
  for (const [name, item] of Object.entries(value)) {
    const known = schema.properties?.[name];
    if (item === undefined) continue;
    if (known) problemsOf(item, known, doc, `${at}.${name}`, out);
    else if (schema.additionalProperties === false) out.push(`${at}.${name}: is not in the description`);
    else if (typeof schema.additionalProperties === "object") problemsOf(item, schema.additionalProperties, doc, `${at}.${name}`, out);
  }
  return out;
}

// Calls that only read; the names in a path come from the list before it.
const kCalls = [
  ["/me"], ["/overview"], ["/connectors"], ["/connections"], ["/pipelines"], ["/flows"], ["/runs"], ["/tables"], ["/lineage"],
  ["/lineage/columns", { table: "{table}" }], ["/quarantine"], ["/quarantine/rows"], ["/checks"], ["/anomalies"], ["/anomalies/tables"], ["/alerts"], ["/alert-channels"],
  ["/users"], ["/tokens"], ["/secrets"], ["/audit"], ["/audit/verify"], ["/files/{path}", {}, { path: "shaduf.yml" }],
  ["/connections/{name}", {}, "/connections"], ["/connections/{name}/discover", {}, "/connections"], ["/pipelines/{name}", {}, "/pipelines"],
  ["/flows/{name}", {}, "/flows"], ["/runs/{id}", {}, "/runs"], ["/runs/{id}/history", {}, "/runs"], ["/runs/{id}/definition", {}, "/runs"],
  ["/tables/{schema}/{name}", {}, "/tables"], ["/tables/{schema}/{name}/profile", {}, "/tables"], ["/tables/{schema}/{name}/sample", {}, "/tables"],
];
const kWrites = [
  ["POST", "/query", { sql: "select 1 as one" }],
  ["POST", "/check", undefined],
  ["POST", "/connections/{name}/test", undefined, "/connections"],
  ["PUT", "/files/{path}", { text: "# a note\n", base_sha: null, dry_run: true }, { path: "models/notes.md" }],
];

const specOf = (doc, method, template) =>
  Object.values(doc.paths[`/api/v1${template}`]?.[method.toLowerCase()]?.responses ?? {})[0]?.content?.["application/json"]?.schema;

// Returns how many calls were held against the description.
async function hold(base, doc, who, lenient = []) {
  const lists = new Map();
  let held = 0;
  const ask = async (method, template, query, names, body) => {
    const schema = specOf(doc, method, template);
    if (!doc.paths[`/api/v1${template}`]) {
      console.log(`${who}: not described yet: ${template}`);
      return undefined;
    }
    const filled = template.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(names[name]).replaceAll("%2F", "/"));
    const params = new URLSearchParams(query);
    const response = await fetch(`${base}/api/v1${filled}${params.size ? `?${params}` : ""}`, {
      method,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    const answer = text === "" ? undefined : JSON.parse(text);
    if (!response.ok) {
      if (response.status === 404 && /discover$/.test(template)) return undefined;
      faults.push(`${who}: ${method} ${filled}: ${response.status} ${text.slice(0, 200)}`);
      return undefined;
    }
    held++;
    for (const problem of problemsOf(answer, schema, doc, "")) {
      if (lenient.some((one) => one.test(`${template}${problem}`))) console.log(`${who}: ahead of the description: ${template}${problem}`);
      else faults.push(`${who}: ${method} ${filled}${problem}`);
    }
    return answer;
  };
  const namesOf = (from) => {
    if (typeof from === "object") return [from];
    return (lists.get(from) ?? []).slice(0, 3);
  };
  for (const [template, query = {}, from = {}] of kCalls) {
    const table = lists.get("/tables")?.find((one) => one.made_by?.kind === "model"); // columns are traced through models
    if (query.table && !table) continue;
    const given = query.table ? { table: `${table.schema}.${table.name}` } : query;
    for (const names of namesOf(from)) {
      const answer = await ask("GET", template, given, names);
      if (answer?.items) lists.set(template, answer.items);
    }
  }
  for (const [method, template, body, from = {}] of kWrites) for (const names of namesOf(from)) await ask(method, template, {}, names, body);
  return held;
}

let mock;
let server;
try {
  const text = describe();
  const types = typesOf(text);
  if (process.argv.includes("--write")) fs.writeFileSync(schemaFile, types);
  else if (!fs.existsSync(schemaFile) || fs.readFileSync(schemaFile, "utf8") !== types) faults.push("ui/src/api/schema.ts is stale; make ui-schema");
  const doc = JSON.parse(text);
  mock = await startMock();
  const ofMock = await hold(mock.url, doc, "mock", [/^\/overview\.(drifting|quarantined|failing\[\d+\]\.feeds)/]);
  server = startServe(shaduf, folder, "quickstart");
  const base = await server.address;
  // Heard from before the run begins, so that its end is not missed.
  const { seq } = await (await fetch(`${base}/api/v1/overview`)).json();
  const asked = await fetch(`${base}/api/v1/flows/events/runs`, { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" });
  if (!asked.ok) throw new Error(`no run: ${await asked.text()}`);
  const events = await fetch(`${base}/api/v1/events?topics=runs`, { headers: { "Last-Event-ID": seq } });
  const reader = events.body.getReader();
  for (let said = ""; !/"state":"(succeeded|warned|failed)"/.test(said); ) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`the events ended: ${said.slice(-400)}`);
    said += new TextDecoder().decode(value);
  }
  await reader.cancel();
  const ofServer = await hold(base, doc, "program");
  for (const fault of faults) console.log(fault);
  console.log(`${ofMock} answers of the mock and ${ofServer} of the program held against the description, ${faults.length} faults`);
  if (faults.length > 0 || ofMock < 20 || ofServer < 20) process.exitCode = 1;
} finally {
  await mock?.stop();
  await server?.stop();
  fs.rmSync(folder, { recursive: true, force: true });
}
