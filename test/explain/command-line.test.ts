/** Explanations as the command line gives them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { BuildExplanation } from "../../src/engine/index.ts";
import { describeOnce } from "../kit/each-way.ts";

describeOnce("explanations on the command line", (box) => {
  const files = { Dockerfile: "FROM busybox AS one\nRUN echo 1 > /x\nFROM busybox AS two\nCOPY a /\nRUN echo 2", a: "a" };
  const context = () => box.path("context");
  const build = async (...args: string[]) => await box.varve(["build", "--progress=plain", "--target=two", ...args, context()]);

  test("varve explain tells why the steps of the last build ran, or of another one", async () => {
    box.write("context", files);
    assert.equal((await build()).code, 0);
    box.write("context", { a: "aa" });
    assert.equal((await build()).code, 0);
    const stdout = (await box.succeed(["explain"])).stdout.toString();
    assert.match(
      stdout,
      /\(completed\): 2 steps ran, 1 cached\n\nIt began with\n  \[two 2\/3\] COPY a \/: 1 file of context changed: a \(content\)\n/,
    );
    assert.match(stdout, /\n\[two 3\/3\] RUN echo 2\n  after \[two 2\/3\] COPY a \/\n/);
    assert.match((await box.succeed(["explain", "^1"])).stdout.toString(), /It began with\n  \d steps: first time seen\n/);
  });

  test("varve explain --format json is the library's explanation", async () => {
    const explanation = JSON.parse((await box.succeed(["explain", "--format=json"])).stdout.toString()) as BuildExplanation;
    const copy = explanation.steps.find(({ name }) => name.endsWith("COPY a /"));
    assert.deepEqual(copy?.reason, {
      kind: "files-changed",
      from: "context",
      files: [{ path: "/a", change: "content" }],
      count: 1,
    });
    assert.deepEqual(
      explanation.roots.map(({ name }) => name),
      ["[two 2/3] COPY a /"],
    );
    assert.equal((await box.varve(["explain", "--format=xml"])).code, 2);
  });

  test("--require-cached passes when nothing would run, and else runs nothing and says why", async () => {
    assert.equal((await build("--require-cached")).code, 0);
    box.write("context", { a: "aaa" });
    const refused = await build("--require-cached");
    assert.equal(refused.code, 6);
    assert.match(
      refused.stderr,
      /\[two 2\/3\] COPY a \/ is not cached: 1 file of context changed: a \(content\) \[CACHE_REQUIRED\]/,
    );
    const again = await build("--require-cached");
    assert.match(again.stderr, /COPY a \/ is not cached: 1 file of context changed/, "the refused build left nothing behind");
  });

  test("--require-cached=STAGE lets other stages run", async () => {
    box.write("context", { a: "a" });
    assert.equal((await build()).code, 0);
    const all = async (...args: string[]) => await box.varve(["build", "--progress=plain", ...args, context()]);
    box.write("context", { Dockerfile: `${files.Dockerfile}\nCOPY --from=one /x /` });
    assert.equal((await all("--require-cached=two")).code, 6);
    box.write("context", { Dockerfile: `${files.Dockerfile}\nFROM two AS three\nCOPY --from=one /x /` });
    const passed = await all("--require-cached=two");
    assert.equal(passed.code, 0, passed.stderr);
    assert.equal((await all("--require-cached=nowhere")).code, 2);
  });

  test("--require-cached=STAGE fails before a stage runs that it builds on, or that stands beside it", async () => {
    const Dockerfile = (text: string) =>
      [
        "FROM busybox AS base",
        `RUN echo ${text} > /base`,
        "FROM base AS wanted",
        "RUN echo wanted > /wanted",
        "FROM busybox AS beside",
        `RUN echo ${text} > /beside`,
        "COPY --from=wanted /wanted /",
        "",
      ].join("\n");
    const all = async (text: string, ...args: string[]) => {
      box.write("stages", { Dockerfile: Dockerfile(text) });
      return await box.varve(["build", "--progress=plain", ...args, box.path("stages")]);
    };
    assert.equal((await all("one")).code, 0);
    const refused = await all("two", "--require-cached=wanted");
    assert.equal(refused.code, 6, refused.stderr);
    assert.match(
      refused.stderr,
      /\[wanted 1\/1\] RUN echo wanted > \/wanted is not cached: after \[base 2\/2\] .*, since instruction changed: .* \[CACHE_REQUIRED\]/,
    );
    assert.doesNotMatch(refused.stderr, /RUN echo two > \/base\n#\d+ DONE/);
  });
});
