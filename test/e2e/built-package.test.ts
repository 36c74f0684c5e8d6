/** The package as it is published: bundled, with its worker in a file of its own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { describeEachWay } from "../kit/each-way.ts";
import { logOf } from "../kit/progress.ts";

describeEachWay("the built package", (box) => {
  test("builds the same image as the sources", async () => {
    const files = { Dockerfile: "FROM busybox\nCOPY Dockerfile /copied\nRUN wc -l < /copied\n" };
    const built = await box.build(files, [], { built: true });
    assert.equal(built.code, 0, built.stderr);
    assert.deepEqual(logOf(built.stderr, "RUN wc"), ["3"]);
    const [one, other] = [
      await box.succeed(["build", "-q", box.path("context-1")], { built: true }),
      await box.succeed(["build", "-q", box.path("context-1")]),
    ];
    assert.equal(one.stdout.toString(), other.stdout.toString());
  });

  test("fails as the sources do", async () => {
    const { code, stderr } = await box.build({ Dockerfile: "FROM busybox\nRUN exit 7\n" }, [], { built: true });
    assert.equal(code, 1, stderr);
    assert.match(stderr, /^Dockerfile:2$/m);
  });
});
