import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createEmulations } from "./emulation.ts";
import { emulatedArchitectures, findEmulator, registrationOf } from "./emulators.ts";
import { sameIds } from "./own-binfmt.ts";
import { probeProgram } from "./probe-program.ts";

const folder = mkdtempSync(join(tmpdir(), "varve-emulation-"));
after(() => rmSync(folder, { recursive: true }));

const own = { x64: "amd64", arm64: "arm64" }[process.arch as string] ?? "amd64";
const probed = emulatedArchitectures.filter((name) => probeProgram(name) !== undefined);

function place(name: string, program: Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, program);
  chmodSync(path, 0o755);
  return path;
}

test("R12 a probe is a program that ends at once with success, on its own architecture", () => {
  const program = probeProgram(own);
  assert.ok(program);
  const { status, stdout, stderr } = spawnSync(place("probe", program));
  assert.deepEqual([status, stdout.length, stderr.length], [0, 0, 0]);
});

test("R12 the head of each probe is what the registration of its emulator looks for, and of no other", () => {
  for (const wanted of probed) {
    const text = registrationOf({ ...formatOf(wanted), path: "/qemu" });
    const [, name, type, offset, magic = "", mask = "", path, flags] = text.split(":");
    assert.deepEqual([name, type, offset, path, flags], ["varve-emulator", "M", "", "/qemu", "POCF"]);
    for (const other of probed) {
      const head = probeProgram(other) ?? Buffer.alloc(0);
      const isMatch = bytesOf(mask).every((bits, at) => ((head[at] ?? 0) & bits) === ((bytesOf(magic)[at] ?? 0) & bits));
      assert.equal(isMatch, other === wanted, `${wanted} and ${other}`);
    }
  }
});

test("R12 only a program without a dynamic loader can be an emulator", () => {
  const program = probeProgram("amd64") ?? Buffer.alloc(0);
  const dynamic = Buffer.from(program);
  dynamic.writeUInt32LE(3, 64); // PT_INTERP
  place("qemu-s390x-static", dynamic);
  assert.equal(findEmulator("s390x", { path: folder })?.path.startsWith(folder) ?? false, false);
  const path = place("qemu-s390x-static", program);
  assert.equal(findEmulator("s390x", { path: folder })?.path, path);
  assert.equal(findEmulator("pdp11", { path: folder }), undefined);
});

test("R12 this machine's own programs need no emulation, and what cannot be run is said with the package that helps", async () => {
  const emulationOf = createEmulations();
  assert.deepEqual(await emulationOf(own, { path: "/nowhere", folder }), { registration: undefined });
  await assert.rejects(emulationOf("pdp11", { path: "/nowhere", folder }), {
    code: "EMULATION_UNAVAILABLE",
    message: "this machine cannot run programs for pdp11: there is no QEMU for it on the PATH",
  });
});

test("R12 ids are mapped to themselves, but never all that there are", () => {
  assert.equal(sameIds("         0          0 4294967295\n"), "0 0 4294967294\n");
  assert.equal(sameIds("         0       1000          1\n         1     100000      65536\n"), "0 0 1\n1 1 65536\n");
});

function bytesOf(escaped: string): number[] {
  return escaped
    .split("\\x")
    .slice(1)
    .map((digits) => Number.parseInt(digits, 16));
}

function formatOf(architecture: string): Pick<NonNullable<ReturnType<typeof findEmulator>>, "bits" | "order" | "machine"> {
  const head = probeProgram(architecture) ?? Buffer.alloc(64);
  const order = head[5] === 1 ? "little" : "big";
  return { bits: head[4] === 2 ? 64 : 32, order, machine: order === "little" ? head.readUInt16LE(18) : head.readUInt16BE(18) };
}
