/** What runs again after a change, and what runs at the same time. */
import assert from "node:assert/strict";
import { cpSync, utimesSync } from "node:fs";
import { test } from "node:test";
import { describeEachWay } from "../kit/each-way.ts";
import { logOf, readSteps, stepsRun } from "../kit/progress.ts";

const dockerfile = [
  "FROM busybox AS one",
  "COPY one.txt /",
  "RUN sha1sum /one.txt > /one.sum",
  "FROM busybox AS two",
  "COPY two /two/",
  "RUN --mount=target=/src,source=mounted cat /two/* /src/* > /two.all",
  "FROM busybox AS unused",
  "RUN exit 9",
  "FROM scratch",
  "COPY --from=one /one.sum /",
  "COPY --from=two /two.all /",
].join("\n");
const files = { Dockerfile: dockerfile, "one.txt": "1", "two/a": "2", "two/b": "3", "mounted/c": "4", "unread.txt": "5" };

describeEachWay("caching", (box) => {
  let context = "";
  const build = async (...args: string[]) => (await box.succeed(["build", "--progress=plain", ...args, context])).stderr;

  test("S01 C19 a first build runs the steps that the target needs, a second one none", async () => {
    context = box.write("cached", files);
    assert.deepEqual(stepsRun(await build()), [
      "COPY --from=one /one.sum /",
      "COPY --from=two /two.all /",
      "COPY one.txt /",
      "COPY two /two/",
      "RUN --mount=target=/src,source=mounted cat /two/* /src/* > /two.all",
      "RUN sha1sum /one.txt > /one.sum",
    ]);
    assert.deepEqual(stepsRun(await build()), []);
  });

  test("C19 an edited file runs the steps that read it, and those after them", async () => {
    box.write("cached", { "one.txt": "one" });
    assert.deepEqual(stepsRun(await build()), [
      "COPY --from=one /one.sum /",
      "COPY --from=two /two.all /",
      "COPY one.txt /",
      "RUN sha1sum /one.txt > /one.sum",
    ]);
    box.write("cached", { "mounted/c": "four" });
    assert.deepEqual(stepsRun(await build()), [
      "COPY --from=two /two.all /",
      "RUN --mount=target=/src,source=mounted cat /two/* /src/* > /two.all",
    ]);
  });

  test("C19 a file that no step reads changes nothing, and neither do times", async () => {
    box.write("cached", { "unread.txt": "changed", "another.txt": "new" });
    utimesSync(box.path("cached/one.txt"), 1, 1);
    assert.deepEqual(stepsRun(await build()), []);
  });

  test("C19 what was built once is cached, also after other builds; a step that makes the same as before ends the chain", async () => {
    box.write("cached", { "one.txt": "1", "mounted/c": "4" });
    assert.deepEqual(stepsRun(await build()), []);
    box.write("cached", { "two/d": "" });
    assert.deepEqual(stepsRun(await build()), [
      "COPY two /two/",
      "RUN --mount=target=/src,source=mounted cat /two/* /src/* > /two.all",
    ]);
  });

  test("C19 the same context in another folder is all cached", async () => {
    cpSync(box.path("cached"), box.path("moved"), { recursive: true });
    box.write("moved", {});
    assert.deepEqual(stepsRun((await box.succeed(["build", "--progress=plain", box.path("moved")])).stderr), []);
  });

  test("A01 I08 a build argument runs the steps below its ARG only", async () => {
    const text = "FROM busybox\nRUN echo before\nARG word=x\nRUN echo after $word\n";
    const first = await box.build({ Dockerfile: text });
    assert.deepEqual(stepsRun(first.stderr), ["RUN echo after x", "RUN echo before"]);
    assert.deepEqual(stepsRun((await box.build({ Dockerfile: text }, ["--build-arg", "word=y"])).stderr), ["RUN echo after y"]);
    assert.deepEqual(stepsRun((await box.build({ Dockerfile: text }, ["--build-arg", "word=x"])).stderr), []);
  });

  test("B18 --no-cache runs all; --no-cache-filter the steps of a stage", async () => {
    assert.equal(stepsRun(await build("--no-cache")).length, 6);
    const filtered = stepsRun(await build("--no-cache-filter=one"));
    assert.ok(filtered.includes("RUN sha1sum /one.txt > /one.sum"), filtered.join());
    assert.ok(!filtered.includes("COPY two /two/"), filtered.join());
    assert.deepEqual(stepsRun(await build()), []);
  });

  test("eight stages without ties between them run side by side", async () => {
    const names = [1, 2, 3, 4, 5, 6, 7, 8].map((number) => `s${number}`);
    // none of them ends before all have begun
    const stages = names.map(
      (name) =>
        `FROM busybox AS ${name}\nRUN --mount=type=cache,id=begun,target=/begun touch /begun/${name} /${name}; i=0; until [ $(ls /begun | wc -l) = 8 ] || [ $i = 600 ]; do sleep 0.1; i=$((i+1)); done; ls /begun`,
    );
    const text = [...stages, "FROM scratch", ...names.map((name) => `COPY --from=${name} /${name} /`)].join("\n");
    const { code, stderr } = await box.build({ Dockerfile: text });
    assert.equal(code, 0, stderr);
    for (const name of names) assert.deepEqual(logOf(stderr, `[${name} 2/2]`), names, name);
  });

  test("two builds at once in one store both succeed, and leave a cache that has all", async () => {
    const text = (name: string) => `FROM busybox\nRUN sleep 0.5; echo shared > /shared\nRUN echo ${name} > /name\n`;
    const results = await Promise.all(
      ["a", "b"].map(async (name) => await box.build({ Dockerfile: text(name) }, ["-t", `at-once-${name}`, "-o", "type=image"])),
    );
    for (const { code, stderr } of results) assert.equal(code, 0, stderr);
    const again = await Promise.all(["a", "b"].map(async (name) => await box.build({ Dockerfile: text(name) })));
    for (const { stderr } of again) assert.deepEqual(stepsRun(stderr), []);
    const { stdout } = await box.succeed(["images", "--format", "{{.Repository}}"]);
    assert.deepEqual(
      stdout
        .toString()
        .split("\n")
        .filter((name) => name.startsWith("at-once"))
        .toSorted(),
      ["at-once-a", "at-once-b"],
    );
  });

  test("R02 builds at once share a locked cache mount one after the other", async () => {
    const text = (name: string) =>
      `FROM busybox\nRUN --mount=type=cache,id=locked,target=/c,sharing=locked test ! -e /c/in && touch /c/in && sleep 0.3 && rm /c/in && echo ${name}\n`;
    const results = await Promise.all(["x", "y", "z"].map(async (name) => await box.build({ Dockerfile: text(name) })));
    for (const { code, stderr } of results) assert.equal(code, 0, stderr);
  });

  test("the step of a failed stage does not hide what the others said", async () => {
    const { code, stderr } = await box.build({
      Dockerfile: [
        "FROM busybox AS a",
        "RUN --mount=type=cache,id=beside,target=/c touch /c/begun; sleep 600",
        "FROM busybox",
        "RUN --mount=type=cache,id=beside,target=/c until [ -e /c/begun ]; do sleep 0.1; done; echo said; exit 4",
        "COPY --from=a /bin/sh /x",
      ].join("\n"),
    });
    assert.equal(code, 1);
    assert.deepEqual(logOf(stderr, "echo said"), ["said"]);
    assert.deepEqual(
      readSteps(stderr)
        .filter(({ name }) => name.includes("sleep 600"))
        .map(({ end }) => end),
      ["CANCELED"],
    );
  });
});
