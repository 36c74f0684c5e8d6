/** The record that each build leaves: listed, looked into, replayed and removed, whatever ended the build. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { describeEachWay } from "../kit/each-way.ts";
import type { Sandbox } from "../kit/sandbox.ts";

interface Listed {
  readonly ref: string;
  readonly name: string;
  readonly status: string;
  readonly total_steps: number;
  readonly cached_steps: number;
}

async function listBuilds(box: Sandbox, ...args: readonly string[]): Promise<readonly Listed[]> {
  const { stdout } = await box.succeed(["history", "ls", "--format", "json", ...args]);
  const lines = stdout.toString().split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Listed);
}

async function inspect(box: Sandbox, ...args: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  const { stdout } = await box.succeed(["buildx", "history", "inspect", "--format", "json", ...args]);
  return JSON.parse(stdout.toString()) as Readonly<Record<string, unknown>>;
}

describeEachWay("the record of builds", (box) => {
  test("U20 U21 U23 a build is listed, says what it was asked for, and is replayed as it was shown", async () => {
    const context = box.write("app", {
      Dockerfile: "FROM busybox AS first\nARG WORD\nRUN echo $WORD; echo to stderr >&2\nFROM first AS last\nCOPY file /\n",
      file: "content",
    });
    const asked = [
      "--build-arg",
      "WORD=hello",
      "--label",
      "a=b",
      "--target",
      "last",
      "-t",
      "recorded",
      "--add-host",
      "there:10.0.0.1",
    ];
    const metadata = box.path("metadata.json");
    const built = await box.succeed(["build", "--progress=plain", "--metadata-file", metadata, ...asked, context]);
    const [listed] = await listBuilds(box);
    assert.deepEqual([listed?.name, listed?.status], ["app (last)", "Completed"]);
    assert.equal(listed?.ref, (JSON.parse(readFileSync(metadata, "utf8")) as Record<string, unknown>)["buildx.build.ref"]);

    const { BuildArgs, Labels, Target, Tags, Context, Dockerfile, Status, Config } = await inspect(box, listed?.ref ?? "");
    assert.deepEqual(
      { BuildArgs, Labels, Target, Tags, Context, Dockerfile, Status, Config },
      {
        BuildArgs: [{ Name: "WORD", Value: "hello" }],
        Labels: [{ Name: "a", Value: "b" }],
        Target: "last",
        Tags: ["recorded"],
        Context: "app",
        Dockerfile: "Dockerfile",
        Status: "completed",
        Config: { ExtraHosts: ["there=10.0.0.1"], ImageResolveMode: "local" },
      },
    );
    const { stderr } = await box.succeed(["history", "logs"]);
    // numbers and turns depend on the moment in which something is shown, the lines of the steps do not
    const lines = (text: string) =>
      [...text.matchAll(/^#\d+ (\d+\.\d+ .*|DONE .*|CACHED)$/gm)]
        .map(([, line = ""]) => line)
        .toSorted((left, right) => left.localeCompare(right, "en"));
    assert.ok(lines(built.stderr).length >= 6, built.stderr);
    assert.deepEqual(lines(stderr), lines(built.stderr));
    const { stdout } = await box.succeed(["history", "inspect"]);
    assert.match(
      stdout.toString(),
      /^Name:\t\tapp \(last\)\nRef:\t\t[0-9a-z]{25}\nContext:\tapp\nDockerfile:\tDockerfile\nTarget:\t\tlast\n\n/,
    );
    assert.match(stdout.toString(), /\nBUILD ARG\tVALUE\nWORD\t\thello\n\nLABEL\tVALUE\na\tb\n/);
  });

  test("U21 U08 a failed build keeps its error, the place and the last lines of the step", async () => {
    const { code } = await box.build({ Dockerfile: "FROM busybox\nRUN echo before the end && exit 7\n" }, ["-t", "failing"]);
    assert.equal(code, 1);
    const [listed] = await listBuilds(box, "--filter", "status=error");
    assert.equal(listed?.status, "Error");
    const { Error: error } = await inspect(box);
    const { VarveCode, Logs, Name, Sources } = error as Readonly<Record<string, unknown>>;
    assert.deepEqual([VarveCode, Logs, Name], ["RUN_FAILED", ["before the end"], "[2/2] RUN echo before the end && exit 7"]);
    assert.match(Buffer.from(String(Sources), "base64").toString(), /^Dockerfile:2\n/);
    const { stdout } = await box.succeed(["history", "inspect", "^0"]);
    assert.match(stdout.toString(), /\nError:\t+RUN_FAILED process .* exit code: 7\n/);
  });

  test("U20 U26 a canceled build and one that was killed are told apart, and keep what they said", async () => {
    const context = box.write("endless", { Dockerfile: "FROM busybox\nRUN echo it runs; sleep 600\n" });
    for (const [signal, status] of [
      ["SIGINT", "Canceled"],
      ["SIGKILL", "Died"],
    ] as const) {
      const build = box.start(["build", "--progress=plain", context]);
      await build.waitFor(/ it runs\n/);
      const [running] = await listBuilds(box);
      assert.equal(running?.status, "Running");
      const removed = await box.varve(["history", "rm", "^0"]);
      assert.match(removed.stderr, /\[HISTORY_RUNNING\]/);
      // what is written is at most a moment old: the reader waits for it, and for the end of the build
      const following = box.start(["history", "logs"]);
      await following.waitFor(/ it runs\n/);
      build.kill(signal);
      await build.result;
      assert.equal((await following.result).code, 0);
      const [ended] = await listBuilds(box);
      assert.deepEqual([ended?.ref, ended?.status], [running?.ref, status]);
      const { stderr } = await box.succeed(["history", "logs"]);
      assert.match(stderr, / it runs\n/);
    }
  });

  test("U26 a log is never cut, and comes back byte for byte", async () => {
    const { code, stderr } = await box.build({ Dockerfile: "FROM busybox\nRUN seq 1 60000; printf '\\377\\n'\n" });
    assert.equal(code, 0, stderr);
    const { stderr: raw } = await box.succeed(["history", "logs", "--progress=rawjson"]);
    const bytes = raw
      .split("\n")
      .slice(0, -1)
      .flatMap((line) => (JSON.parse(line) as { readonly logs?: readonly { readonly data: string }[] }).logs ?? [])
      .map(({ data }) => Buffer.from(data, "base64"));
    const expected = Array.from({ length: 60_000 }, (_, index) => `${index + 1}\n`).join("");
    assert.deepEqual(Buffer.concat(bytes), Buffer.concat([Buffer.from(expected), Buffer.from([0xff, 10])]));
  });

  test("U05 rawjson says what BuildKit's schema has, a line each", async () => {
    const { code, stderr } = await box.build({ Dockerfile: "FROM busybox\nRUN echo 'a<b'\nenv A=b\n" }, ["--progress=rawjson"]);
    assert.equal(code, 0, stderr);
    const statuses = stderr
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>);
    const all = (key: string) => statuses.flatMap((status) => status[key] ?? []);
    assert.deepEqual(
      statuses
        .flatMap((status) => Object.keys(status))
        .filter((key) => !["vertexes", "statuses", "logs", "warnings"].includes(key)),
      [],
    );
    const [log] = all("logs");
    assert.equal(Buffer.from(String(log?.["data"]), "base64").toString(), "a<b\n");
    const run = all("vertexes").findLast(({ digest }) => digest === log?.["vertex"]);
    assert.equal(run?.["name"], "[2/2] RUN echo 'a<b'");
    for (const key of ["started", "completed"]) assert.match(String(run?.[key]), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
    assert.ok(stderr.includes("RUN echo 'a\\u003cb'"), "as Go's encoder writes it");
    const warning = all("warnings").find(({ url }) => String(url).includes("consistent-instruction-casing"));
    assert.deepEqual(warning?.["range"], [{ start: { line: 3 }, end: { line: 3 } }]);
    const { filename } = (warning?.["sourceInfo"] ?? {}) as Readonly<Record<string, unknown>>;
    assert.equal(filename, "Dockerfile");
  });

  test("U26 secrets and passwords are no part of the record", async () => {
    const canary = `canary-${"y".repeat(12)}-${process.pid}`;
    writeFileSync(box.path("secret"), canary, { mode: 0o644 });
    const { code, stderr } = await box.build(
      { Dockerfile: "# a comment\nFROM busybox\nRUN --mount=type=secret,id=key wc -c /run/secrets/key\n" },
      ["--secret", `id=key,src=${box.path("secret")}`, "--build-arg", `HTTP_PROXY=http://me:${canary}@127.0.0.1:9/`],
    );
    assert.equal(code, 0, stderr);
    const build = await inspect(box);
    assert.deepEqual(build["Secrets"], ["key"]);
    assert.deepEqual(build["BuildArgs"], [{ Name: "HTTP_PROXY", Value: "http://127.0.0.1:9/" }]);
    for (const name of ["state.db", "state.db-wal"]) {
      if (!readdirSync(box.path("store")).includes(name)) continue;
      assert.equal(readFileSync(box.path("store", name)).includes(canary), false, `${name} holds the secret`);
    }
    const { stderr: raw } = await box.succeed(["history", "logs", "--progress=rawjson"]);
    assert.equal(raw.includes(canary), false);
    const folder = box.path("store/history", String(build["Ref"]));
    for (const file of readdirSync(folder)) assert.equal(readFileSync(join(folder, file)).includes(canary), false);
  });

  test("U20 U21 builds of a Git checkout are found by --local", async () => {
    const context = box.write("checkout", { Dockerfile: "FROM scratch\nCOPY Dockerfile /\n" });
    const as = box.way.person === undefined ? {} : { uid: box.way.person.uid, gid: box.way.person.gid };
    const git = (...args: readonly string[]) =>
      execFileSync("git", args, { cwd: context, ...as, env: { ...process.env, HOME: box.path("home") } });
    git("init", "--quiet");
    git("remote", "add", "origin", "https://example.com/checkout.git");
    git("-c", "user.name=T", "-c", "user.email=t@example.com", "commit", "--quiet", "--allow-empty", "-m", "one");
    await box.succeed(["build", context]);
    const { VCSRepository, VCSRevision } = await inspect(box);
    assert.deepEqual(
      [VCSRepository, VCSRevision],
      ["https://example.com/checkout.git", git("rev-parse", "HEAD").toString().trim()],
    );
    const { stdout } = await box.succeed(["history", "ls", "--local", "--format={{.Name}}"], { cwd: context });
    assert.equal(stdout.toString(), "checkout\n");
    assert.deepEqual(
      (await listBuilds(box, "--filter", "repository=checkout.git")).map(({ name }) => name),
      ["checkout"],
    );
    assert.deepEqual(await listBuilds(box, "--filter", "duration>10h"), []);
  });

  test("U24 U25 records are removed with their logs; what comes later is refused by name", async () => {
    const before = await listBuilds(box);
    await box.succeed(["buildx", "history", "rm", "^0"]);
    assert.deepEqual(
      (await listBuilds(box)).map(({ ref }) => ref),
      before.slice(1).map(({ ref }) => ref),
    );
    await box.succeed(["history", "rm", "--all"]);
    assert.deepEqual(await listBuilds(box), []);
    assert.deepEqual(readdirSync(box.path("store/history")), []);
    const { stdout } = await box.succeed(["history", "ls"]);
    assert.equal(stdout.toString().split("\n")[0], "BUILD ID   NAME      STATUS    CREATED AT   DURATION");
    for (const [args, code] of [
      [["history", "inspect"], "HISTORY_NOT_FOUND"],
      [["history", "rm"], "USAGE"],
      [["history", "export", "-o", "file"], "NOT_SUPPORTED_YET"],
      [["buildx", "history", "import"], "NOT_SUPPORTED_YET"],
      [["history", "inspect", "attachment", "^0"], "NOT_SUPPORTED_YET"],
      [["history", "ls", "--filter", "colour=red"], "USAGE"],
    ] as const) {
      const { code: exit, stderr } = await box.varve(args);
      assert.notEqual(exit, 0);
      assert.ok(stderr.includes(`[${code}]`), stderr);
    }
  });

  test("U27 varve.toml says how many records are kept, and wrong settings are refused", async () => {
    const config = readFileSync(box.path("varve.toml"), "utf8");
    const context = box.write("kept", { Dockerfile: "FROM scratch\nCOPY Dockerfile /\n" });
    try {
      writeFileSync(box.path("varve.toml"), `${config}\n[history]\nmaxAge = "0s"\nmaxEntries = 2\n`);
      for (let times = 0; times < 4; times += 1) await box.succeed(["build", context]);
      assert.equal((await listBuilds(box)).length, 2);
      writeFileSync(box.path("varve.toml"), `${config}\n[history]\nmaxAge = "often"\n`);
      assert.match((await box.varve(["history", "ls"])).stderr, /\[CONFIG_INVALID\]/);
    } finally {
      writeFileSync(box.path("varve.toml"), config);
    }
  });
});
