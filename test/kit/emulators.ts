/** QEMU's user mode for the tests of steps that are not for this machine: Debian's qemu-user-static, unpacked or installed. */
import assert from "node:assert/strict";
import { chmodSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Sandbox } from "./sandbox.ts";

/** A PATH whose first folder has QEMU for arm64 and arm, where the sandbox's user may read it. */
export function bringEmulators(box: Sandbox): string {
  const { PATH = "" } = process.env;
  const folder = box.path("qemu");
  for (const name of ["aarch64", "arm"]) {
    const program = PATH.split(":")
      .flatMap((place) => [join(place, `qemu-${name}-static`), join(place, `qemu-${name}`)])
      .find((path) => existsSync(path));
    assert.ok(program, `there is no qemu-${name}-static on the PATH (scripts/setup.sh --tests)`);
    box.write("qemu", { [`qemu-${name}-static`]: readFileSync(program) });
    chmodSync(join(folder, `qemu-${name}-static`), 0o755);
  }
  return `${folder}:${PATH}`;
}
