import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { lintRules } from "../../dockerfile/index.ts";
import { runCommandLine } from "../run-command-line.ts";

/** A folder of files, and command lines run in it. Nothing outside of it is touched. */
function prepare(t: TestContext, files: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), "varve-lint-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, "sub"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const run = async (args: readonly string[], input = "") => {
    const text = { stdout: "", stderr: "" };
    const output = (name: "stdout" | "stderr") => ({
      isTerminal: false,
      print: (part: string) => void (text[name] += part),
      write: async (chunk: Uint8Array) => void (text[name] += Buffer.from(chunk).toString()),
    });
    const code = await runCommandLine(args, {
      env: { VARVE_ROOT: join(folder, "store"), VARVE_CONFIG: join(folder, "none.toml"), HOME: folder },
      cwd: folder,
      uid: process.getuid?.(),
      stdin: {
        isTerminal: false,
        async *chunks() {
          yield new TextEncoder().encode(input);
        },
      },
      stdout: output("stdout"),
      stderr: output("stderr"),
      signal: new AbortController().signal,
      now: Date.now,
    });
    return { code, ...text };
  };
  return { run, read: (name: string) => readFileSync(join(folder, name), "utf8") };
}

const doubtful = "FROM scratch as A\nENV a b\n";

test("varve lint shows the findings of all files, and ends with 1 when there are any", async (t) => {
  const { run } = prepare(t, {
    Dockerfile: "FROM scratch\n",
    "sub/Dockerfile": "FROM scratch\nCOPY x.log /\n",
    "sub/.dockerignore": "*.log\n",
    bad: "FROM scratch\nFOO\n",
  });
  assert.deepEqual(await run(["lint"]), { code: 0, stdout: "Check complete, no warnings found.\n", stderr: "" });
  const { code, stdout } = await run(["lint", "Dockerfile", "sub/Dockerfile", "bad"]);
  assert.equal(code, 1);
  assert.match(
    stdout,
    /^Check complete, 1 warning has been found!\n\nWARNING: CopyIgnoredFile - https:.*\nAttempting to Copy file "x\.log" .*\nsub\/Dockerfile:2\n-{20}\n/,
  );
  assert.match(
    stdout,
    /\nERROR: dockerfile parse error on line 2: unknown instruction: FOO.* \[DOCKERFILE_UNKNOWN_INSTRUCTION\]\nbad:2\n-{20}\n/,
  );
});

test("varve lint reads stdin under a name of its own", async (t) => {
  const { run } = prepare(t, { "sub/.dockerignore": "*.log\n" });
  const { stdout } = await run(["lint", "--stdin-filename=sub/x.Dockerfile", "-"], "FROM scratch\nCOPY x.log /\n");
  assert.match(stdout, /CopyIgnoredFile[^]*\nsub\/x\.Dockerfile:2\n/);
});

test("varve lint --format=github writes annotations, their texts escaped", async (t) => {
  const { run } = prepare(t, { "a,b:c%": doubtful });
  const { stdout } = await run(["lint", "--format=github", "a,b:c%"]);
  const [first] = stdout.split("\n");
  assert.equal(
    first,
    "::warning file=a%2Cb%3Ac%25,line=1,endLine=1,title=StageNameCasing::Stage name 'A' should be lowercase (https://docs.docker.com/go/dockerfile/rule/stage-name-casing/)",
  );
});

test("varve lint --format=sarif writes what SARIF 2.1.0 requires", async (t) => {
  const { run } = prepare(t, { "my file": `${doubtful}FOO\n` });
  const { code, stdout } = await run(["lint", "--format=sarif", "my file"]);
  assert.equal(code, 1);
  const log = JSON.parse(stdout) as {
    version: string;
    $schema: string;
    runs: {
      tool: { driver: { name: string; rules: { id: string; shortDescription: { text: string } }[] } };
      results: { ruleId: string; ruleIndex?: number; level: string; message: { text: string }; locations: unknown[] }[];
    }[];
  };
  assert.equal(log.version, "2.1.0");
  assert.match(log.$schema, /sarif-schema-2\.1\.0\.json$/);
  const [only] = log.runs;
  assert.ok(only);
  assert.equal(only.tool.driver.name, "varve");
  assert.deepEqual(
    only.tool.driver.rules.map(({ id }) => id),
    Object.keys(lintRules),
  );
  assert.deepEqual(
    only.results.map(({ ruleId, level }) => [ruleId, level]),
    [
      ["StageNameCasing", "warning"],
      ["FromAsCasing", "warning"],
      ["DOCKERFILE_UNKNOWN_INSTRUCTION", "error"],
    ],
  );
  for (const { ruleId, ruleIndex } of only.results)
    if (ruleIndex !== undefined) assert.equal(only.tool.driver.rules[ruleIndex]?.id, ruleId);
  assert.deepEqual(only.results[0]?.locations, [
    {
      physicalLocation: {
        artifactLocation: { uri: "my%20file" },
        region: { startLine: 1, startColumn: 1, endLine: 1, endColumn: 18 },
      },
    },
  ]);
});

test("varve lint --format=json writes one answer for each file, as build --call=check does", async (t) => {
  const { run } = prepare(t, { Dockerfile: doubtful });
  const { stdout } = await run(["lint", "--format=json", "Dockerfile", "Dockerfile"]);
  const answers = JSON.parse(stdout) as { warnings: { ruleName: string }[] }[];
  assert.equal(answers.length, 2);
  assert.deepEqual(
    answers[1]?.warnings.map(({ ruleName }) => ruleName),
    ["StageNameCasing", "FromAsCasing", "LegacyKeyValueFormat"],
  );
});

test("varve lint --fix puts files right and reports what is left", async (t) => {
  const { run, read } = prepare(t, { Dockerfile: `${doubtful}MAINTAINER me\n` });
  const { code, stdout } = await run(["lint", "--fix"]);
  assert.equal(code, 1);
  assert.match(stdout, /^Check complete, 1 warning has been found!\n\nWARNING: MaintainerDeprecated/);
  assert.equal(read("Dockerfile"), "FROM scratch AS a\nENV a=b\nMAINTAINER me\n");
  assert.equal((await run(["lint", "--fix", "--unsafe-fixes"])).code, 0);
  assert.equal(read("Dockerfile"), 'FROM scratch AS a\nENV a=b\nLABEL org.opencontainers.image.authors="me"\n');
});

test("varve lint --fix of stdin writes the file to stdout and the findings to stderr", async (t) => {
  const { run } = prepare(t, {});
  const { stdout, stderr } = await run(["lint", "--fix", "-"], `${doubtful}CMD x\n`);
  assert.equal(stdout, "FROM scratch AS a\nENV a=b\nCMD x\n");
  assert.match(stderr, /JSONArgsRecommended/);
});

test("varve lint refuses what it does not understand", async (t) => {
  const { run } = prepare(t, { Dockerfile: doubtful });
  for (const args of [["--format=xml"], ["--unsafe-fixes"], ["-", "-"], ["nothing-there"]]) {
    assert.equal((await run(["lint", ...args])).code, 2, args.join(" "));
  }
});

test("N36 B09 build --check prints what it found and ends with 1", async (t) => {
  const { run } = prepare(t, { Dockerfile: doubtful, fine: "FROM scratch\n", bad: "FROM scratch as a\nCOPY x\n" });
  const found = await run(["build", "--check", "--progress=quiet", "."]);
  assert.equal(found.code, 1);
  assert.equal(found.stderr, "");
  assert.match(
    found.stdout,
    /^Check complete, 3 warnings have been found!\n\nWARNING: StageNameCasing - https:[^\n]*\nStage name 'A' should be lowercase\nDockerfile:1\n-{20}\n/,
  );
  assert.equal((await run(["build", "--call=check,ignorestatus=true", "--progress=quiet", "."])).code, 0);
  assert.deepEqual(await run(["build", "--call=lint", "--progress=quiet", "-f", "fine", "."]), {
    code: 0,
    stdout: "Check complete, no warnings found.\n",
    stderr: "",
  });
  const bad = await run(["build", "--check", "--progress=quiet", "-f", "bad", "."]);
  assert.equal(bad.code, 1);
  assert.match(bad.stdout, /1 warning has been found!/);
  assert.match(bad.stderr, /bad:2\n[^]*ERROR: dockerfile parse error on line 2: COPY requires/);
});

test("N36 build --call=check,format=json says it in BuildKit's shape", async (t) => {
  const { run } = prepare(t, { Dockerfile: "FROM scratch as a\nENV a \\\n  b\nFOO\n", fine: "FROM scratch\n" });
  const { code, stdout } = await run(["build", "--call=check,format=json", "--progress=quiet", "."]);
  assert.equal(code, 1);
  const { warnings, sources, buildError } = JSON.parse(stdout) as {
    warnings: unknown[];
    sources: { filename: string; data: string }[];
    buildError: unknown;
  };
  assert.deepEqual(warnings[0], {
    ruleName: "FromAsCasing",
    description: "The 'as' keyword should match the case of the 'from' keyword",
    url: "https://docs.docker.com/go/dockerfile/rule/from-as-casing/",
    detail: "'as' and 'FROM' keywords' casing do not match",
    location: { ranges: [{ start: { line: 1 }, end: { line: 1 } }] },
  });
  assert.equal(sources[0]?.filename, "Dockerfile");
  assert.equal(Buffer.from(sources[0].data, "base64").toString().split("\n")[3], "FOO");
  assert.deepEqual(buildError, {
    message: "dockerfile parse error on line 4: unknown instruction: FOO (did you mean FROM?)",
    location: { ranges: [{ start: { line: 4 }, end: { line: 4 } }] },
  });
  const fine = await run(["build", "--call=check,format=json", "--progress=quiet", "-f", "fine", "."]);
  assert.equal(fine.code, 0);
  assert.equal((JSON.parse(fine.stdout) as { warnings: unknown }).warnings, null);
});

const described = `# base the base image
ARG base=scratch
ARG other=1
# tools has the tools
FROM \${base} AS Tools
# level how much
ARG level=\${other:-2}
ARG base
RUN --mount=type=cache,target=/c true
# nothing of it
FROM tools AS last
ARG level=3
`;

test("X16 P14 build --call=outline and targets list what a build can be given and what can be built", async (t) => {
  const { run } = prepare(t, { Dockerfile: described });
  const outline = await run(["build", "--call=outline", "--progress=quiet", "--target=tools", "."]);
  assert.equal(outline.code, 0, outline.stderr);
  assert.equal(
    outline.stdout,
    "TARGET:      tools\nDESCRIPTION: has the tools\n\nBUILD ARG   VALUE     DESCRIPTION\nbase        scratch   the base image\nlevel       2         how much\n\n",
  );
  const given = await run(["build", "--call=outline,format=json", "--progress=quiet", "--build-arg=level=9", "."]);
  const { name, args } = JSON.parse(given.stdout) as {
    name: string;
    args: { name: string; value: string; location: { ranges: { start: { line: number } }[] } }[];
  };
  assert.equal(name, "last");
  assert.deepEqual(
    args.map((arg) => [arg.name, arg.value, arg.location.ranges[0]?.start.line]),
    [
      ["base", "scratch", 2],
      ["level", "9", 12],
    ],
  );
  const targets = await run(["build", "--call=targets", "--progress=quiet", "."]);
  assert.equal(targets.stdout, "TARGET         DESCRIPTION\ntools          has the tools\nlast (default) \n");
  const json = JSON.parse((await run(["build", "--call=targets,format=json", "--progress=quiet", "."])).stdout) as {
    targets: unknown[];
  };
  assert.deepEqual(json.targets[1], {
    name: "last",
    default: true,
    base: "tools",
    location: { ranges: [{ start: { line: 11 }, end: { line: 11 } }] },
  });
});

test("X16 B09 build --call lists its questions, and refuses others", async (t) => {
  const { run } = prepare(t, { Dockerfile: "FROM scratch\n" });
  const { stdout } = await run(["build", "--call=subrequests.describe", "."]);
  assert.match(stdout, /^NAME {17}VERSION DESCRIPTION\noutline {14}1\.0\.0 {3}List all/);
  for (const call of ["nonsense", "check,outline", "check,foo=1", "check,format=xml", "check,ignorestatus=x"]) {
    assert.equal((await run(["build", `--call=${call}`, "."])).code, 2, call);
  }
});

test("N32 N35 a build with error=true fails with the rules, and its warnings come at the end with their places", async (t) => {
  const { run } = prepare(t, { Dockerfile: `# check=error=true\n${doubtful}` });
  const { code, stderr } = await run(["build", "."]);
  assert.equal(code, 2);
  assert.match(stderr, /lint violation found for rules: StageNameCasing, FromAsCasing, LegacyKeyValueFormat \[DOCKERFILE_LINT\]/);
  assert.match(stderr, /#1 WARN: StageNameCasing: Stage name 'A' should be lowercase \(line 2\)\n/);
  assert.match(
    stderr,
    /\n 3 warnings found \(use varve --debug to expand\):\n - StageNameCasing: Stage name 'A' should be lowercase \(line 2\)\n/,
  );
});
