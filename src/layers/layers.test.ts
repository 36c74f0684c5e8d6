import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { text } from "node:stream/consumers";

const isRoot = process.getuid?.() === 0;

/** Runs a check in fresh namespaces; its own tests report through its output. */
async function runIn(check: string, { userNamespace }: { userNamespace: boolean }): Promise<void> {
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  // Root maps the first 65536 ids onto themselves, from outside; others are given their subordinate ids.
  const flags = !userNamespace
    ? ["--mount"]
    : isRoot
      ? ["--user", "--mount"]
      : ["--user", "--map-root-user", "--map-auto", "--mount"];
  const script = 'echo; read -r line; exec "$@"';
  const child = spawn("unshare", [...flags, "sh", "-c", script, "sh", process.execPath, join(import.meta.dirname, check)], {
    env,
    stdio: ["pipe", "pipe", "pipe"],
  });
  const [stdout, stderr] = [text(child.stdout), text(child.stderr)];
  await once(child.stdout, "data");
  if (userNamespace && isRoot)
    for (const map of ["uid_map", "gid_map"]) writeFileSync(`/proc/${child.pid}/${map}`, "0 0 65536\n");
  child.stdin.end("\n");
  const [code] = (await once(child, "close")) as [number | null];
  assert.equal(code, 0, `${await stdout}${await stderr}`);
  assert.match(await stdout, /pass [1-9]/);
}

for (const userNamespace of isRoot ? [false, true] : [true]) {
  const where = userNamespace ? "in a user namespace" : "as root";
  test(`T44 layers ${where}: packing and unpacking undo each other, and marks mean what they should`, () =>
    runIn("layers.check.ts", { userNamespace }));
  test(`CVE-2020-10696 CVE-2025-11395 ${where}: no hostile layer reaches outside its folder`, () =>
    runIn("hostile-layers.check.ts", { userNamespace }));
  test(`C13 X02 CVE-2025-45582 archives ${where}: ADD unpacks them into a root, and they stay there`, () =>
    runIn("unpack-archive.check.ts", { userNamespace }));
}
