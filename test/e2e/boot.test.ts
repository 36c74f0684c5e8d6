import assert from "node:assert/strict";
import { after, test } from "node:test";
import { describeEachWay } from "../kit/each-way.ts";

describeEachWay("containers start with the machine", (box) => {
  const names = ["always", "unless-stopped", "on-failure"] as const;

  after(async () => await box.succeed(["rm", "--force", ...names]));

  test("boot start brings up what Docker's daemon brings up when it starts, and leaves the rest", async () => {
    for (const policy of names)
      await box.succeed([
        "run",
        "--detach",
        "--network=none",
        `--name=${policy}`,
        `--restart=${policy}`,
        "busybox",
        "sleep",
        "1000",
      ]);
    await box.succeed(["stop", "--timeout=0", ...names]);
    assert.equal(String((await box.succeed(["boot", "start"])).stdout), "always\n");
    const running = await box.succeed(["ps", "--format={{.Names}}"]);
    assert.equal(String(running.stdout), "always\n");
    assert.equal(String((await box.succeed(["boot", "start"])).stdout), "", "what runs is let be");
  });

  test("the unit that is installed starts containers with the settings of the command", async () => {
    const stdout = String((await box.succeed(["boot", "install", "--print"])).stdout);
    assert.match(stdout, /^ExecStart=".+" ".+main\.ts" "boot" "start"$/m);
    assert.ok(stdout.includes(`Environment="VARVE_ROOT=${box.path("store")}"`));
  });
});
