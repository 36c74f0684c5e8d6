import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { commandReference } from "./command-reference.ts";
import type { Io } from "./io.ts";
import { runCommandLine } from "./run-command-line.ts";

async function run(
  args: readonly string[],
  fields: Partial<Io> & { readonly input?: string } = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const text = { stdout: "", stderr: "" };
  const output = (name: "stdout" | "stderr") => ({
    isTerminal: false,
    print: (part: string) => void (text[name] += part),
    write: async (chunk: Uint8Array) => void (text[name] += Buffer.from(chunk).toString()),
  });
  const code = await runCommandLine(args, {
    env: {},
    cwd: "/",
    uid: 0,
    stdin: {
      isTerminal: false,
      async *chunks() {
        yield new TextEncoder().encode(fields.input ?? "");
      },
    },
    stdout: output("stdout"),
    stderr: output("stderr"),
    signal: new AbortController().signal,
    now: Date.now,
    ...fields,
  });
  return { code, ...text };
}

test("help and version go to stdout and end with 0", async () => {
  for (const args of [[], ["--help"], ["help"]]) {
    const { code, stdout } = await run(args);
    assert.equal(code, 0);
    assert.match(stdout, /^Usage: {2}varve \[OPTIONS\] COMMAND\n[^]*\n {2}build +Build an image/);
  }
  assert.match((await run(["-v"])).stdout, /^varve version \d+\.\d+\.\d+/);
  assert.match((await run(["image"])).stdout, /^Usage: {2}varve image COMMAND\n[^]*\n {2}ls +List images/);
});

test("the help of a command is made from its flags", async () => {
  for (const args of [
    ["build", "--help"],
    ["help", "build"],
    ["build", "-t", "x", "-h"],
  ]) {
    const { code, stdout } = await run(args);
    assert.equal(code, 0);
    assert.match(stdout, /^Usage: {2}varve build \[OPTIONS\] PATH \| URL \| -\n/);
    assert.match(stdout, /\n {2}-t, --tag stringArray {3,}Image identifier/);
    assert.doesNotMatch(stdout, /cpu-period/);
  }
  assert.match((await run(["buildx", "build", "--help"])).stdout, /^Usage: {2}varve buildx build /);
});

test("B22 B34 wrong command lines end with 2, nothing on stdout, and a way out", async () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [["biuld"], /unknown command: varve biuld \[USAGE\]\nhint: did you mean varve build\?/],
    [["build"], /'varve build' requires 1 argument \[USAGE\][^]*Usage: {2}varve build/],
    [["build", ".", "."], /requires 1 argument/],
    [["rmi"], /requires at least 1 argument/],
    [["build", "--tga=x", "."], /unknown flag: --tga \[USAGE\]\nhint: did you mean --tag\?/],
    [["build", "/nothing/there"], /unable to prepare context: path "\/nothing\/there" not found/],
    [["build", "-f", "-", "-"], /can't use stdin for both/],
    [["build", "--progress=loud", "/"], /invalid progress mode loud/],
    [["build", "-q", "--progress=plain", "/"], /progress=plain and quiet cannot be used together/],
    [["build", "--iidfile=/nothing/i", "-o", "out", "/"], /--iidfile cannot be used with the output type local/],
    [["build", "--progress=tty", "/"], /progress=tty needs a terminal/],
  ];
  for (const [args, stderr] of cases) {
    const result = await run(args);
    assert.match(result.stderr, stderr, args.join(" "));
    assert.equal(result.code, 2, args.join(" "));
    assert.equal(result.stdout, "");
  }
});

test("B04 B10 B21 B23 B27 what Docker has and Varve does not is refused with 3", async () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [["swarm", "init"], /varve swarm is not supported yet \[NOT_SUPPORTED_YET\]/],
    [["buildx", "bake"], /varve buildx bake is not supported yet/],
    [["build", "--cache-to=type=gha", "."], /--cache-to type=gha is not supported/],
    [["build", "--attest=type=sbom", "."], /--attest type=sbom is not supported yet/],
    [["build", "--provenance=mode=max", "."], /--provenance[ =]mode=max is not supported yet/],
    [["build", "--sbom=true", "."], /--sbom[ =]true is not supported yet/],
    [["build", "--cgroup-parent=x", "."], /--cgroup-parent/],
    [["build", "--policy=filename=x", "."], /--policy/],
    [["build", "--resource=memory=1g", "."], /--resource/],
    [["build", "-m", "1g", "."], /--memory/],
    [["build", "--squash", "."], /--squash/],
  ];
  for (const [args, stderr] of cases) {
    const result = await run(args);
    assert.match(result.stderr, stderr, args.join(" "));
    assert.equal(result.code, 3, args.join(" "));
  }
});

test("B04 B23 B33 flags of Docker's that ask for nothing, or for no attestations, are taken", async () => {
  const inert = ["--compress", "--force-rm", "--rm", "--squash=false", "--isolation=default"];
  const off = ["--provenance=false", "--sbom=false", "--attest=type=provenance,disabled=true"];
  const { code, stderr } = await run(["build", ...inert, ...off, "/nothing/there"]);
  assert.match(stderr, /unable to prepare context/);
  assert.equal(code, 2);
});

test("B13 a failed build leaves no image ID of an earlier one", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "varve-cli-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const { writeFileAside } = await import("./file-aside.ts");
  await writeFileAside(join(folder, "id"), "sha256:old");
  assert.equal(readFileSync(join(folder, "id"), "utf8"), "sha256:old");
  assert.equal((await run(["build", "--iidfile=id", "missing"], { cwd: folder })).code, 2);
  assert.throws(() => readFileSync(join(folder, "id")), { code: "ENOENT" });
});

test("docs/cli.md is what the tables say", async () => {
  const page = readFileSync(new URL("../../docs/cli.md", import.meta.url), "utf8");
  assert.equal(page, await commandReference(), "run: node scripts/write-docs.ts");
});
