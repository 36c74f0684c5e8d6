/** SIGKILL at any moment: of Varve itself, of its worker, of the OCI runtime. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { findLastingTraces, findSurvivors, listDescendants } from "../kit/processes.ts";
import { makeSandbox } from "../kit/sandbox.ts";
import { auditStore, copyStore } from "./audit-store.ts";
import { isLong, tell } from "./scale.ts";

// busybox's touch -d keeps the fraction of the present second
const stamp = "touch -r /etc/passwd";
const files = {
  Dockerfile: [
    "FROM busybox AS a",
    `RUN for i in 1 2 3 4 5 6 7 8 9; do dd if=/dev/zero of=/z$i bs=64k count=4; sleep 0.02; done; ${stamp} /z*`,
    "FROM busybox AS b",
    `RUN --mount=type=cache,target=/c sleep 0.1; echo b >> /c/b; echo b > /b && ${stamp} /b`,
    "FROM busybox",
    "COPY --from=a /z1 /z9 /d/",
    "COPY --from=b /b /d/",
    `RUN rm /d/z1 && echo end > /end && ${stamp} /end /d`,
  ].join("\n"),
};

describe("a kill at any moment", () => {
  const box = makeSandbox();
  const counts = { "kills survived": 0, "of the main process": 0, "of the worker": 0, "of the runtime": 0, "blobs verified": 0 };
  const build = ["build", "--progress=plain", "-t", "kill/image", "--load", "-o", "type=oci,dest=out/image.tar"];
  let expected = "";
  let wholeMs = 0;

  before(async () => {
    box.write("context", files);
    await box.succeed(["pull", "-q", "busybox"], { store: "pulled" });
    copyStore(box.path("pulled"), box.path("store"));
    const began = performance.now();
    await box.succeed([...build, "--iidfile", "id", "context"], { store: "pulled" });
    wholeMs = performance.now() - began;
    expected = readFileSync(box.path("id"), "utf8");
  });
  after(async () => {
    await box.remove();
    tell(counts);
  });

  /** Random numbers that are the same in each run. */
  let seed = 20_261_121;
  const random = () => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;

  test("F3 whoever dies, the store stays whole and the next build is right", async () => {
    const rounds = isLong ? 300 : 6;
    for (let round = 0; round < rounds; round += 1) {
      const victim = (["of the main process", "of the worker", "of the runtime"] as const)[round % 3] ?? "of the worker";
      const some = round % 2 === 0 ? ["--no-cache"] : [];
      const running = box.start([...build, ...some, "context"]);
      if (victim === "of the main process") await sleep(random() * wholeMs);
      const processes = new Set<number>();
      let target = running.pid;
      if (victim !== "of the main process") {
        const found = await findProcess(
          running.pid,
          victim === "of the worker" ? /worker-entry/ : /^\S*(?:crun|runc)\0/,
          running.result,
        );
        if (found === undefined) {
          await running.result;
          continue;
        }
        target = found;
        if (victim === "of the worker") await sleep((random() * wholeMs) / 2);
      }
      for (const pid of listDescendants(running.pid)) processes.add(pid);
      try {
        process.kill(target, "SIGKILL");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
      }
      const { code, stderr } = await running.result;
      const told = `round ${round}, ${victim}: ${stderr}`;
      if (victim === "of the worker") assert.ok(code === 0 || /\[WORKER_DIED\]/.test(stderr), told);
      if (victim === "of the runtime") assert.ok(code === 0 || code === 1 || /\[RUNTIME_/.test(stderr), told);
      assert.deepEqual(await findLastingTraces(box.path("store")), [], told);
      assert.deepEqual(await findSurvivors(processes), [], told);
      assert.deepEqual(auditStore(box.path("store"), { unswept: true }), [], told);
      rmSync(box.path("id"), { force: true });
      await box.succeed([...build, "--iidfile", "id", "context"]);
      assert.equal(readFileSync(box.path("id"), "utf8"), expected, told);
      counts["kills survived"] += 1;
      counts[victim] += 1;
      counts["blobs verified"] += readdirSync(box.path("store/blobs/sha256")).length;
    }
    await box.succeed([...build, "--no-cache", "context"]);
    assert.deepEqual(auditStore(box.path("store")), []);
    assert.deepEqual(
      readdirSync(box.path("out")).filter((name) => name.startsWith(".")),
      [],
    );
  });

  async function findProcess(root: number, command: RegExp, ended: Promise<unknown>): Promise<number | undefined> {
    let over = false;
    void ended.then(() => (over = true));
    while (!over) {
      for (const pid of listDescendants(root).toReversed()) if (command.test(commandOf(pid))) return pid;
      await sleep(2);
    }
    return undefined;
  }
});

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1");
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return "";
    throw error;
  }
}
