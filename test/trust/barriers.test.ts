/** Processes that end just before each thing that they would change on the disk: the store is whole, and the next command works. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { openVarve } from "../../src/engine/index.ts";
import { findLastingTraces } from "../kit/processes.ts";
import { makeSandbox } from "../kit/sandbox.ts";
import { auditStore, copyStore, diskUsage } from "./audit-store.ts";
import { faultEnv, pickPoints, tell } from "./scale.ts";

// busybox's touch -d keeps the fraction of the present second
const stamp = "touch -r /etc/passwd";
const files = {
  Dockerfile: [
    "FROM busybox AS a",
    `RUN --mount=type=cache,target=/c echo a > /c/x && echo a > /a && ${stamp} /a`,
    "FROM busybox",
    "COPY f g /d/",
    "COPY --from=a /a /",
    `RUN mkdir /r && echo c > /r/c && ${stamp} /r/c /r`,
  ].join("\n"),
  f: "one",
  g: "two",
};

interface Scenario {
  readonly title: string;
  readonly target: "main" | "worker";
  /** The store before it, by name. */
  readonly from: "empty" | "pulled" | "built";
  readonly args: readonly string[];
  /** How many of its changes are tried with `npm test`. */
  readonly few: number;
}

describe("a process that dies at any of its changes", () => {
  const box = makeSandbox();
  let expectedId = "";
  const image = "trust/image";
  const build = [
    "build",
    "--progress=plain",
    "-t",
    image,
    "--load",
    "-o",
    "type=oci,dest=out/image.tar",
    "--cache-to",
    "type=local,dest=out/cache",
  ];
  const counts = { "kills survived": 0, "blobs verified": 0, "images compared": 0 };

  before(async () => {
    box.write("context", files);
    box.write("out", {});
    await box.succeed(["pull", "-q", "busybox"], { store: "pulled" });
    copyStore(box.path("pulled"), box.path("built"));
    await box.succeed([...build, "context"], { store: "built" });
    await box.succeed(["save", "-o", "saved.tar", image], { store: "built" });
    expectedId = await idOf("built");
    rmSync(box.path("out"), { recursive: true });
  });
  after(async () => {
    await box.remove();
    tell(counts);
  });

  async function idOf(store: string): Promise<string> {
    const { stdout } = await box.succeed(["images", "-q", "--no-trunc", image], { store });
    return stdout.toString().trim();
  }

  /** Each image in the store can be saved whole; the built one is what it should be. */
  async function checkImages(store: string): Promise<void> {
    await using varve = openVarve({ root: box.path(store), configPath: box.path("varve.toml") });
    for (const { names } of await varve.images.list()) {
      if (names.length === 0) continue;
      await varve.images.save(names, async () => undefined);
      counts["images compared"] += 1;
    }
    const { records } = await varve.store.usage();
    const told = records.reduce((sum, { bytes }) => sum + bytes, 0);
    const found = diskUsage(box.path(store));
    assert.ok(Math.abs(told - found) <= found * 0.02 + 200_000, `du says ${told}, the disk ${found}`);
  }

  /** A store of its own for what comes next. */
  async function begin({ from }: Scenario): Promise<void> {
    // what goes on in the background after a build, in the folder by its path
    assert.deepEqual(await findLastingTraces(box.path("store")), []);
    for (const name of ["store", "out", "log"]) rmSync(box.path(name), { recursive: true, force: true, maxRetries: 10 });
    if (from !== "empty") copyStore(box.path(from), box.path("store"));
  }

  async function survive(scenario: Scenario, at: number): Promise<boolean> {
    await begin(scenario);
    const { target, args } = scenario;
    const result = await box.varve(args, { env: faultEnv(target, at, box.path("log")) });
    if (target === "main" && result.signal !== "SIGKILL") {
      assert.equal(result.code, 0, result.stderr);
      return false;
    }
    // where only a worker died, its parent says so, or got along without it
    const context = `${scenario.title}, before the change ${at} (${readFileSync(box.path("log"), "utf8").trim().split("\n").at(-1)})`;
    if (target === "worker")
      assert.ok(result.code === 0 || /\[WORKER_DIED\]/.test(result.stderr), `${context}: ${result.stderr}`);
    assert.deepEqual(await findLastingTraces(box.path("store")), [], context);
    assert.deepEqual(auditStore(box.path("store"), { unswept: true }), [], context);
    if (existsSync(box.path("store"))) await checkImages("store");
    // the same again, and then a build: they sweep up
    await box.succeed(args);
    await box.succeed([...build, "--no-cache", "context"]);
    assert.equal(await idOf("store"), expectedId, context);
    assert.deepEqual(auditStore(box.path("store")), [], context);
    assert.deepEqual(
      readdirSync(box.path("out")).filter((name) => name.startsWith(".")),
      [],
      `${context}: files beside the output`,
    );
    counts["kills survived"] += 1;
    counts["blobs verified"] += readdirSync(box.path("store/blobs/sha256")).length;
    return true;
  }

  const scenarios: readonly Scenario[] = [
    { title: "build, from nothing", target: "main", from: "empty", args: [...build, "context"], few: 3 },
    { title: "build", target: "main", from: "pulled", args: [...build, "context"], few: 4 },
    { title: "build, its worker", target: "worker", from: "pulled", args: [...build, "context"], few: 3 },
    { title: "prune", target: "main", from: "built", args: ["builder", "prune", "-af"], few: 2 },
    { title: "system prune", target: "main", from: "built", args: ["system", "prune", "-af"], few: 1 },
    { title: "rmi", target: "main", from: "built", args: ["image", "prune", "-af"], few: 2 },
    { title: "load", target: "main", from: "empty", args: ["load", "-q", "-i", "saved.tar"], few: 2 },
  ];
  for (const scenario of scenarios) {
    test(`F3 ${scenario.title}: whatever it was about to change`, async () => {
      // how many there are, by a run that ends well
      await begin(scenario);
      await box.succeed(scenario.args, { env: faultEnv(scenario.target, 0, box.path("log")) });
      const last = readFileSync(box.path("log"), "utf8").trim().split("\n").length;
      for (const at of pickPoints(last, scenario.few)) {
        if (!(await survive(scenario, at))) break;
      }
    });
  }
});
