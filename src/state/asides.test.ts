import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { asideOf, listAbandonedAsides } from "./process-owner.ts";

const folder = mkdtempSync(join(tmpdir(), "varve-asides-"));
after(() => rmSync(folder, { recursive: true }));

test("F3 what a dead process left beside an output is found, and what others wrote is not", () => {
  const path = join(folder, "image.tar");
  const module = new URL("./process-owner.ts", import.meta.url).pathname;
  const script = `import { asideOf } from ${JSON.stringify(module)}; process.stdout.write(asideOf(${JSON.stringify(path)}));`;
  const dead = spawnSync(process.execPath, ["--input-type=module-typescript", "-e", script]).stdout.toString();
  assert.ok(dead.startsWith(join(folder, ".image.tar.")), dead);
  for (const one of [dead, asideOf(path), join(folder, ".image.tar.tmp"), `${dead}.old`, join(folder, ".other.tar.tmp")])
    writeFileSync(one, "");
  assert.deepEqual(listAbandonedAsides(path), [dead]);
  assert.deepEqual(listAbandonedAsides(join(folder, "nowhere/image.tar")), []);
  assert.equal(readdirSync(folder).length, 5);
});
