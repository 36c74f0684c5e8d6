import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { forwardPorts, holdPort, releasePort } from "./forward-ports.ts";

for (const [when, script] of [
  ["at once", "echo no room >&2; exit 3"],
  ["when it was told of a port", "echo no room >&2; sleep 0.3; exit 3"],
] as const) {
  test(`a process that should forward ports and ends ${when} is a failure with what it said`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "varve-forward-"));
    const held = await holdPort({ hostIp: "127.0.0.1", hostPort: 0, containerPort: 80, protocol: "tcp" });
    t.after(async () => {
      await releasePort(held);
      rmSync(folder, { recursive: true });
    });
    const place = { path: "", enter: ["sh", "-c", script], enterNetwork: () => [] };
    await assert.rejects(forwardPorts(place, [held], { ipv4: "127.0.0.1", ipv6: undefined }, { folder, name: "forwarder" }), {
      code: "NETWORK_FAILED",
      message: "the process that forwards ports ended before it listened: no room",
    });
  });
}
