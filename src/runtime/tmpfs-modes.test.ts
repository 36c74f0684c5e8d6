import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { tmpfsModes, withMode } from "./tmpfs-modes.ts";

test("R03 a tmpfs has the permissions of the folder that it hides, and is everybody's where nothing was", () => {
  const base = mkdtempSync(join(tmpdir(), "varve-modes-"));
  try {
    for (const [path, mode] of [
      ["root", 0o755],
      ["root/private", 0o700],
      ["bound", 0o755],
      ["bound/inner", 0o750],
    ] as const) {
      mkdirSync(join(base, path));
      chmodSync(join(base, path), mode);
    }
    symlinkSync("/private", join(base, "root/link"));
    const tmpfs = (destination: string) => ({ type: "tmpfs", destination, readonly: false }) as const;
    const modes = tmpfsModes(join(base, "root"), [
      tmpfs("/private"),
      tmpfs("/link"),
      tmpfs("/missing/deep"),
      { type: "bind", source: join(base, "bound"), destination: "/bound", readonly: true },
      tmpfs("/bound/inner"),
      tmpfs("/private/below"),
    ]);
    assert.deepEqual([...modes.values()], [0o700, 0o700, 0o1777, 0o750, 0o1777]);
  } finally {
    rmSync(base, { recursive: true });
  }
});

test("R03 a mount without a mode of its own stays as it is", () => {
  const mount = { destination: "/t", type: "tmpfs", source: "tmpfs", options: ["nosuid"] };
  assert.equal(withMode(mount, undefined), mount);
  assert.deepEqual(withMode(mount, 0o700).options, ["nosuid", "mode=0700"]);
});
