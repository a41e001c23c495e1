// Builds the app into dist/: hashed pieces, index.html with its preloads, .br and .gz beside each file, and the check of
// the budgets. `--watch` builds anew on each change, for `shaduf serve --ui-dir ui/dist`.
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import zlib from "node:zlib";
import esbuild from "esbuild";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const out = path.join(root, "dist");
const watch = process.argv.includes("--watch");
// In bytes of brotli. What the first page needs; what comes later, by the piece that a dynamic import names.
const budgets = { first: 400_000, graph: 75_000, charts: 240_000, editor: 140_000, other: 40_000 };
const targets = ["chrome123", "firefox128", "safari17.5"];

const common = {
  absWorkingDir: root,
  bundle: true,
  minify: !watch,
  sourcemap: watch ? "inline" : false,
  target: targets,
  define: { "process.env.NODE_ENV": watch ? '"development"' : '"production"' },
  legalComments: "none",
  loader: { ".woff2": "file" },
  assetNames: "assets/[name]-[hash]",
  publicPath: "/",
  logLevel: "warning",
  metafile: true,
};

async function buildWorker() {
  const built = await esbuild.build({
    ...common,
    entryPoints: ["src/pages/lineage/layout_worker.ts"],
    entryNames: "assets/[name]-[hash]",
    outdir: out,
    format: "iife",
  });
  return `/${path.relative(out, path.join(root, Object.keys(built.metafile.outputs)[0]))}`;
}

const optionsOf = (worker) => ({
  ...common,
  define: { ...common.define, LAYOUT_WORKER_URL: JSON.stringify(worker) },
  entryPoints: ["src/main.tsx"],
  outdir: out,
  format: "esm",
  splitting: true,
  jsx: "automatic",
  entryNames: "assets/[name]-[hash]",
  chunkNames: "assets/[name]-[hash]",
});

// What a piece cannot do without: itself and all it imports at once.
function needs(outputs, name, seen = new Set()) {
  if (seen.has(name)) return seen;
  seen.add(name);
  for (const imported of outputs[name]?.imports ?? []) {
    if (imported.kind === "import-statement") needs(outputs, imported.path, seen);
  }
  return seen;
}

function writeIndex(metafile) {
  const outputs = metafile.outputs;
  const entry = Object.keys(outputs).find((name) => outputs[name].entryPoint === "src/main.tsx");
  const pieces = [...needs(outputs, entry)];
  const css = outputs[entry].cssBundle;
  const href = (name) => `/${path.relative(out, path.join(root, name))}`;
  const font = Object.keys(outputs).find((name) => /inter-latin-wght-normal/.test(name));
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>shaduf</title>
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${href(css)}">
<link rel="preload" href="${href(font)}" as="font" type="font/woff2" crossorigin>
${pieces
  .filter((name) => name !== entry)
  .map((name) => `<link rel="modulepreload" href="${href(name)}">`)
  .join("\n")}
<script type="module" src="${href(entry)}"></script>
</head>
<body>
<div id="root"></div>
<noscript>This page needs JavaScript.</noscript>
</body>
</html>
`;
  fs.writeFileSync(path.join(out, "index.html"), html);
  fs.copyFileSync(path.join(root, "icon.svg"), path.join(out, "icon.svg"));
  return { first: [...pieces, css, font], entry };
}

const brotli = promisify(zlib.brotliCompress);
const gzip = promisify(zlib.gzip);

// Files whose text others do not have compressed already; an asset that did not change was not written anew.
async function compress() {
  const sizes = {};
  const files = fs.readdirSync(out, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  await Promise.all(
    files.map(async (file) => {
      const name = path.join(file.parentPath ?? file.path, file.name);
      if (/\.(br|gz)$/.test(name)) return;
      const bytes = fs.readFileSync(name);
      const key = path.relative(root, name);
      if (name.endsWith(".woff2")) {
        sizes[key] = bytes.length;
        return;
      }
      const [br, gz] = await Promise.all([
        brotli(bytes, {
          params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 11, [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
        }),
        gzip(bytes, { level: 9 }),
      ]);
      fs.writeFileSync(`${name}.br`, br);
      fs.writeFileSync(`${name}.gz`, gz);
      sizes[key] = br.length;
    }),
  );
  return sizes;
}

// The kind of a lazy piece is told by the libraries in it.
function kindOf(output) {
  const inputs = Object.keys(output.inputs).join("\n");
  if (/node_modules\/vega/.test(inputs)) return "charts";
  if (/node_modules\/@codemirror\/view/.test(inputs)) return "editor";
  if (/node_modules\/@xyflow/.test(inputs)) return "graph";
  return "other";
}

function checkBudgets(metafile, sizes, first) {
  const sum = (names) => [...names].reduce((total, name) => total + (sizes[name] ?? 0), 0);
  const index = path.relative(root, path.join(out, "index.html"));
  const report = [{ what: "first page", bytes: sum([...first, index]), budget: budgets.first }];
  for (const [name, output] of Object.entries(metafile.outputs)) {
    if (!output.entryPoint || output.entryPoint === "src/main.tsx" || !name.endsWith(".js")) continue;
    const own = [...needs(metafile.outputs, name)].filter((piece) => !first.includes(piece));
    const kinds = new Set(own.map((piece) => kindOf(metafile.outputs[piece])));
    const kind = ["charts", "editor", "graph"].find((one) => kinds.has(one)) ?? "other";
    report.push({ what: output.entryPoint, bytes: sum(own), budget: budgets[kind] });
  }
  report.sort((a, b) => b.bytes - a.bytes);
  fs.writeFileSync(path.join(out, "sizes.json"), `${JSON.stringify(report, null, 1)}\n`);
  const over = report.filter((entry) => entry.bytes > entry.budget);
  for (const entry of over)
    console.error(`ui: over its budget: ${entry.what}: ${entry.bytes} of ${entry.budget} bytes (brotli)`);
  if (over.length > 0) process.exitCode = 1;
  console.log(
    `ui: first page ${(report.find((entry) => entry.what === "first page").bytes / 1000).toFixed(0)} KB brotli of ${budgets.first / 1000}`,
  );
}

fs.rmSync(out, { recursive: true, force: true });
fs.mkdirSync(out, { recursive: true });
const worker = await buildWorker();
if (watch) {
  const context = await esbuild.context({
    ...optionsOf(worker),
    plugins: [
      {
        name: "index",
        setup: (build) =>
          build.onEnd((done) => {
            if (done.metafile) writeIndex(done.metafile);
          }),
      },
    ],
  });
  await context.watch();
} else {
  const built = await esbuild.build(optionsOf(worker));
  const { first } = writeIndex(built.metafile);
  const sizes = await compress();
  checkBudgets(built.metafile, sizes, first);
  // The name of what was built, by its contents: two builds of the same sources are the same.
  const digest = createHash("sha256").update(Object.keys(sizes).sort().join("\n")).digest("hex");
  fs.writeFileSync(path.join(out, "build-id"), `${digest}\n`);
}
