/** Emulation with a real kernel and a real QEMU. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { findEmulator, registrationOf } from "../../src/runtime/emulators.ts";
import { createEmulations } from "../../src/runtime/emulation.ts";
import { spawnWithFormat } from "../../src/runtime/own-binfmt.ts";
import { isRoot } from "../kit/ways.ts";

const { PATH: path = "" } = process.env;
const other = process.arch === "arm64" ? "amd64" : "arm64";
const table = "/proc/sys/fs/binfmt_misc";
const entries = (): readonly string[] => (existsSync(table) ? readdirSync(table) : []);

/** What the module says in a process of its own, in a namespace where the kernel knows the other architecture. */
async function askInNamespace(registration: string, folder: string): Promise<string> {
  const module = resolve(import.meta.dirname, "../../src/runtime/emulation.ts");
  const script = `import { createEmulations } from ${JSON.stringify(module)};
    console.log(JSON.stringify(await createEmulations()("${other}", { path: "/nowhere", folder: ${JSON.stringify(folder)} })));`;
  const command = [process.execPath, "--disable-warning=ExperimentalWarning", "--input-type=module", "--eval", script];
  const env = { PATH: path };
  const child = spawnWithFormat(command, registration, { folder, cwd: "/", env, stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout?.on("data", (chunk: Buffer) => (said += chunk.toString()));
  await new Promise((done) => child.once("close", done));
  return said.trim();
}

// An ordinary user's steps are tried end to end: only root may map ids for a child here.
if (isRoot) {
  test("R12 what the kernel runs is left to it, else QEMU is used in a namespace of its own, and nothing stays", async () => {
    const folder = mkdtempSync(join(tmpdir(), "varve-emulation-"));
    try {
      const before = entries();
      const emulator = findEmulator(other, { path });
      assert.ok(emulator, `there is no QEMU for ${other} on the PATH (scripts/setup.sh --tests)`);
      const registration = registrationOf(emulator);
      mkdirSync(join(folder, "outer"));
      assert.equal(await askInNamespace(registration, join(folder, "outer")), "{}", "registered: no registration of its own");
      const ownWay = await createEmulations()(other, { path, folder });
      assert.ok(ownWay.registration === undefined || ownWay.registration === registration);
      assert.deepEqual(entries(), before);
      assert.deepEqual(readdirSync(folder), ["outer"], "nothing is left in the folder");
      assert.doesNotMatch(execFileSync("cat", ["/proc/self/mounts"]).toString(), new RegExp(folder));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}
