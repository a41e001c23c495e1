// Builds the mock server into build/.mock.mjs and runs it: `PORT=8300 npm run mock`.
import { spawn } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import esbuild from "esbuild";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const outfile = path.join(root, "node_modules/.cache/mock.mjs");
await esbuild.build({
  absWorkingDir: root,
  entryPoints: ["mock/server.ts"],
  bundle: true,
  platform: "node",
  format: "esm",
  outfile,
  logLevel: "warning",
});
if (process.argv.includes("--build-only")) {
  console.log(outfile);
} else {
  const child = spawn(process.execPath, [outfile], { stdio: "inherit", cwd: root });
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code) => process.exit(code ?? 0));
}
