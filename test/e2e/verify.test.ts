/** Builds that are built again: the same bytes, or where they differ. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { describeEachWay } from "../kit/each-way.ts";

interface Verification {
  readonly image: string;
  readonly rebuilt: string;
  readonly agrees: boolean;
  readonly layers: number;
  readonly platforms?: readonly string[];
  readonly differences: readonly {
    readonly platform?: string;
    readonly layer?: number;
    readonly path?: string;
    readonly field: string;
  }[];
}

describeEachWay("verify", (box) => {
  const verify = async (...args: string[]) => {
    const { code, stdout, stderr } = await box.varve(["verify", "--rebuild", "--progress=quiet", "--format=json", ...args]);
    assert.ok(code === 0 || code === 1, stderr);
    const found = JSON.parse(stdout.toString()) as Verification;
    assert.equal(code, found.agrees ? 0 : 1);
    return found;
  };

  test("an image of which every byte comes from its inputs is built again to the same bytes, with the options of its record", async () => {
    const Dockerfile =
      "FROM scratch AS first\nARG WHO\nENV WHO=$WHO\nCOPY --chmod=640 file /there/\nLABEL a=b\nFROM scratch AS last\n";
    const built = await box.build({ Dockerfile, file: "content" }, [
      "-t",
      "same",
      "--target=first",
      "--build-arg=WHO=me",
      "--label=x=y",
    ]);
    assert.equal(built.code, 0, built.stderr);
    const { agrees, image, rebuilt, layers } = await verify("same");
    assert.deepEqual([agrees, image === rebuilt, layers], [true, true, 1]);
    const { stdout } = await box.succeed(["verify", "--rebuild", "same"]);
    assert.match(stdout.toString(), /\nThe bytes agree: the config and 1 layer\.\n$/);
  });

  test("what differs is named by layer, path and field", async () => {
    const context = box.write("changing", {
      Dockerfile: "FROM scratch\nCOPY kept /\nCOPY changing /there/\nCOPY Dockerfile /\n",
      kept: "kept",
      "changing/a": "one",
      "changing/gone": "",
    });
    await box.succeed(["build", "-q", "-t", "other", context]);
    box.write("changing", { "changing/a": "another", "changing/new": "" });
    const found = await verify("other");
    assert.equal(found.agrees, false);
    assert.deepEqual(
      found.differences
        .filter(({ field }) => field !== "mtime")
        .map(({ layer, path, field }) => [layer, path, field])
        .toSorted((left, right) => String(left).localeCompare(String(right), "en")),
      [
        [1, "there/a", "content"],
        [1, "there/a", "size"],
        [1, "there/new", "entry"],
      ],
    );
    const { code, stdout } = await box.varve(["verify", "--rebuild", "--progress=quiet", "other"]);
    assert.equal(code, 1);
    assert.match(
      stdout.toString(),
      /The bytes differ:\n {2}layer 2 of 3: COPY changing \/there\/.*\n(?: {4}.*\n)* {4}there\/a: size: 3 → 7\n/,
    );
    assert.match(stdout.toString(), /^ {4}there\/new: only in the rebuilt image$/m);
    assert.equal((await box.succeed(["images", "-q", "-f", "dangling=true"])).stdout.toString(), "", "the second image is gone");
  });

  test("B20 of an image of several platforms each is built again and compared", async () => {
    const context = box.write("several", {
      Dockerfile: "FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /own\n",
      amd64: "one",
      arm64: "two",
    });
    await box.succeed(["build", "-q", "--platform=linux/amd64,linux/arm64", "-t", "several", context]);
    const same = await verify("several");
    assert.deepEqual([same.agrees, same.platforms, same.layers], [true, ["linux/amd64", "linux/arm64"], 2]);
    box.write("several", { arm64: "three" });
    const other = await verify("several");
    assert.equal(other.agrees, false);
    const contents = other.differences.filter(({ field }) => field === "content");
    assert.deepEqual(
      contents.map(({ platform, layer, path }) => [platform, layer, path]),
      [["linux/arm64", 0, "own"]],
    );
    assert.ok(other.differences.every(({ platform }) => platform === "linux/arm64"));
    const { code, stdout } = await box.varve(["verify", "--rebuild", "--progress=quiet", "several"]);
    assert.equal(code, 1);
    assert.match(stdout.toString(), /^ {2}linux\/arm64, layer 1: COPY arm64 \/own # buildkit$/m);
  });

  test("what the record does not hold is asked for, and images without a record are refused", async () => {
    const Dockerfile = "FROM scratch\nCOPY <<END /file\ntext\nEND\n";
    const piped = await box.succeed(["build", "-q", "-t", "piped", "-"], { input: Dockerfile });
    assert.match(piped.stdout.toString(), /^sha256:/);
    const refused = await box.varve(["verify", "--rebuild", "piped"]);
    assert.match(refused.stderr, /REBUILD_IMPOSSIBLE/);
    assert.equal(refused.code, 2);
    const context = box.write("again", { Dockerfile });
    assert.equal((await verify("--context", context, "--file", `${context}/Dockerfile`, "piped")).agrees, true);
    await box.succeed(["history", "rm", "--all"]);
    assert.match(
      (await box.varve(["verify", "--rebuild", "piped"])).stderr,
      /no build that is recorded here made sha256:\w+ \[HISTORY_NOT_FOUND\]/,
    );
    assert.equal((await box.varve(["verify", "piped"])).code, 2);
  });
});
