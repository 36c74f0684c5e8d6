/** Builds that are ended in the middle: whatever ended them, nothing of them goes on, and the store is as good as before. */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { describeEachWay } from "../kit/each-way.ts";
import { findLastingTraces, findSurvivors, listDescendants } from "../kit/processes.ts";
import type { Sandbox } from "../kit/sandbox.ts";

const endless = {
  Dockerfile: "FROM busybox\nRUN echo begun > /file && sleep 600 & echo the step runs && wait\n",
  "Next.Dockerfile": "FROM busybox\nRUN echo next\n",
};

/** A build in the middle of its RUN, and all processes that belong to it. */
async function startEndless(box: Sandbox, args: readonly string[] = []) {
  const context = box.write("endless", endless);
  const build = box.start(["build", "--progress=plain", ...args, context]);
  await build.waitFor(/^#\d+ \d+\.\d+ the step runs$/m);
  const processes = listDescendants(build.pid);
  assert.ok(processes.length >= 3, "a worker, a runtime and a step are there");
  return { ...build, context, processes };
}

async function assertNothingLives(box: Sandbox, processes: readonly number[]): Promise<void> {
  assert.deepEqual(await findLastingTraces(box.folder), []);
  assert.deepEqual(await findSurvivors(processes), []);
}

const foldersIn = (path: string) => (existsSync(path) ? readdirSync(path) : []).toSorted();

describeEachWay("an interrupted build", (box) => {
  test("F3 F6 kill -9 in the middle of a RUN leaves no process and no mount, and the next build works and sweeps up", async () => {
    const build = await startEndless(box);
    const during = foldersIn(box.path("store/snapshots"));
    build.kill("SIGKILL");
    assert.equal((await build.result).signal, "SIGKILL");
    await assertNothingLives(box, build.processes);
    assert.deepEqual(foldersIn(box.path("store/snapshots")), during, "nobody was there to clear up yet");
    await box.succeed(["build", "--progress=plain", "-f", `${build.context}/Next.Dockerfile`, build.context]);
    const after = foldersIn(box.path("store/snapshots"));
    const abandoned = during.at(-1) ?? "";
    assert.ok(
      during.length > 0 && !after.includes(abandoned),
      `the killed step's folder ${abandoned} is still there: ${after.join()}`,
    );
    assert.deepEqual(foldersIn(box.path("store/ingest")), []);
  });

  test("F3 kill -9 of the worker alone is a defect that is told, and leaves nothing either", async () => {
    const build = await startEndless(box);
    const [worker] = build.processes;
    process.kill(worker ?? 0, "SIGKILL");
    const { code, stderr } = await build.result;
    assert.equal(code, 70, stderr);
    assert.match(stderr, /\[WORKER_DIED\]/);
    await assertNothingLives(box, build.processes);
  });

  for (const [signal, expected] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    test(`F7 ${signal} ends the build with ${expected}, its RUN and its half-made snapshot with it, and writes no output`, async () => {
      const build = await startEndless(box, [
        "-t",
        "never",
        "-o",
        `type=oci,dest=${box.path("never.tar")}`,
        `--iidfile=${box.path("never.id")}`,
      ]);
      build.kill(signal);
      const { code, stderr } = await build.result;
      assert.equal(code, expected, stderr);
      assert.match(stderr, /^#\d+ CANCELED$/m);
      await assertNothingLives(box, build.processes);
      assert.deepEqual(
        readdirSync(box.folder).filter((name) => name.includes("never")),
        [],
      );
      const { stdout } = await box.succeed(["images", "-q", "never"]);
      assert.equal(stdout.toString(), "");
      await box.succeed(["build", "-f", `${build.context}/Next.Dockerfile`, build.context]);
    });
  }

  test("F7 a build that is ended while others use the store does not disturb them", async () => {
    const build = await startEndless(box);
    const other = box.build({ Dockerfile: "FROM busybox\nRUN sleep 1; echo undisturbed\n" });
    build.kill("SIGINT");
    const [{ code, stderr }] = await Promise.all([other, build.result]);
    assert.equal(code, 0, stderr);
  });

  test("F6 a process that a step leaves in the background ends with the step", async () => {
    const { code, stderr } = await box.build({ Dockerfile: "FROM busybox\nRUN (sleep 600 &) ; echo done\n" });
    assert.equal(code, 0, stderr);
    await assertNothingLives(box, []);
  });
});
