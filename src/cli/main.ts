#!/usr/bin/env node
/* The entry of the command line: small on purpose, since `varve --version` and every cached build pay for what it imports. */
import module from "node:module";
import { basename } from "node:path";
import { compileCacheFolder } from "./compile-cache.ts";
import { loadBundle } from "./load-bundle.ts";

const folder = compileCacheFolder();
if (folder !== undefined) module.enableCompileCache?.(folder);

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const given = process.argv.slice(2);
// the package's other name for `varve compose`
const args = basename(process.argv[1] ?? "") === "docker-compose" ? ["compose", ...given] : given;
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(`varve needs Node.js 22.18 or later; this is ${process.version}\n`);
  process.exitCode = 3;
} else if (args.length === 1 && (args[0] === "--version" || args[0] === "-v") && process.env["VARVE_CALLED_AS"] === undefined) {
  const { packageVersion } = await import("../package/index.ts");
  process.stdout.write(`varve version ${packageVersion()}\n`);
} else {
  const { runProcess } = (
    import.meta.filename.endsWith(".ts")
      ? await import("./run-process.ts")
      : loadBundle(`${import.meta.dirname}/run-process.cjs`, { cacheFolder: folder, learn: args.includes("build") })
  ) as typeof import("./run-process.ts");
  await runProcess(args);
}
