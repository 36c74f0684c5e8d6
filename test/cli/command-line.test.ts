/** The command line as its users meet it: a process with arguments, pipes and signals. Nothing outside its folder is touched. */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { gzipSync } from "node:zlib";
import { compiledCode } from "../kit/compiled-code.ts";

const main = new URL("../../src/cli/main.ts", import.meta.url).pathname;

interface Result {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** A folder with a store and files of its own, gone after the test. */
function prepare(t: TestContext, files: Readonly<Record<string, string>> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "varve-cli-"));
  // the sync after a build may leave its mark meanwhile
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
  mkdirSync(join(folder, "context"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, "context", name), text);
  const { PATH = "" } = process.env;
  const env = {
    PATH,
    HOME: folder,
    ...compiledCode(),
    VARVE_ROOT: join(folder, "store"),
    VARVE_CONFIG: join(folder, "varve.toml"),
  };
  const start = (...args: string[]): ChildProcess =>
    spawn(process.execPath, [main, ...args], { cwd: folder, env, stdio: ["pipe", "pipe", "pipe"] });
  return {
    folder,
    start,
    run: (...args: string[]) => finish(start(...args)),
    feed: (input: Buffer | string, ...args: string[]) => finish(start(...args), input),
  };
}

async function finish(child: ChildProcess, input?: Buffer | string): Promise<Result> {
  const stdout: Buffer[] = [];
  let stderr = "";
  child.stdout?.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(input);
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { code, stdout: Buffer.concat(stdout), stderr };
}

/** A tar of small files, as GNU tar would write it. */
function tarOf(files: Readonly<Record<string, string>>): Buffer {
  const blocks = Object.entries(files).flatMap(([name, text]) => {
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write(["0000644", "0000000", "0000000", ""].join("\u0000"), 100);
    header.write(`${Buffer.byteLength(text).toString(8).padStart(11, "0")}\0`, 124);
    header.write("00000000000\u0000        0", 136);
    header.write("ustar\u000000", 257);
    header.write(
      `${header
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, "0")}\0`,
      148,
    );
    const body = Buffer.alloc(Math.ceil(Buffer.byteLength(text) / 512) * 512);
    body.write(text);
    return [header, body];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

const simple = { Dockerfile: "FROM scratch\nCOPY a /a\n", a: "hello\n" };

test("B26 a build prints its image ID with -q, and else nothing on stdout", async (t) => {
  const { run } = prepare(t, simple);
  const loud = await run("build", "-t", "one", "context");
  assert.equal(loud.code, 0, loud.stderr);
  assert.equal(loud.stdout.length, 0);
  assert.match(
    loud.stderr,
    /#1 \[internal\] load build definition from Dockerfile\n[^]*\n#\d+ \[1\/1\] COPY a \/a\n#\d+ DONE [\d.]+s\n/,
  );
  const quiet = await run("build", "-q", "context");
  assert.equal(quiet.stderr, "");
  assert.match(quiet.stdout.toString(), /^sha256:[0-9a-f]{64}\n$/);
  assert.match((await run("build", "context")).stderr, /COPY a \/a\n#\d+ CACHED\n/);
});

test("the image commands list, show, name, save, remove and load", async (t) => {
  const { run } = prepare(t, simple);
  await run("build", "-q", "-t", "one", "context");
  assert.equal((await run("tag", "one", "example.org/two:3")).code, 0);
  const table = (await run("images")).stdout.toString();
  assert.match(table, /^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE\n/);
  assert.match(table, /^example.org\/two +3 +[0-9a-f]{12} +.* ago +\S+B$/m);
  assert.match(table, /^one +latest +[0-9a-f]{12} /m);
  const [image] = JSON.parse((await run("inspect", "one")).stdout.toString()) as { Id: string; RepoTags: string[] }[];
  assert.deepEqual(image?.RepoTags.toSorted(), ["example.org/two:3", "one:latest"]);
  assert.equal((await run("inspect", "-f", "{{.Id}}", "one")).stdout.toString(), `${image?.Id}\n`);
  assert.match(
    (await run("history", "one")).stdout.toString(),
    /^IMAGE +CREATED +CREATED BY +SIZE +COMMENT\n[0-9a-f]{12} .*COPY a \/a # buildkit/,
  );
  assert.equal((await run("save", "-o", "one.tar", "one")).code, 0);
  assert.equal((await run("rmi", "one")).stdout.toString(), "Untagged: one:latest\n");
  const removed = await run("rmi", "example.org/two:3", "nothing");
  assert.equal(removed.stdout.toString(), `Untagged: example.org/two:3\nDeleted: ${image?.Id}\n`);
  assert.equal(removed.code, 1);
  assert.match(removed.stderr, /^ERROR: No such image: nothing/);
  assert.equal((await run("load", "-i", "one.tar")).stdout.toString(), "Loaded image: one:latest\n");
  assert.equal((await run("inspect", "-f", "{{.Id}}", "one")).stdout.toString(), `${image?.Id}\n`);
});

test("X02 stdin is a Dockerfile, a tar, or a Dockerfile for a folder", async (t) => {
  const { run, feed } = prepare(t, simple);
  const want = (await run("build", "-q", "context")).stdout.toString();
  assert.match(want, /^sha256:/);
  const tar = tarOf(simple);
  for (const input of [tar, gzipSync(tar)]) {
    const built = await feed(input, "build", "-");
    assert.equal(built.code, 0, built.stderr);
  }
  const other = tarOf({ "sub.Dockerfile": "FROM scratch\nCOPY b /b\n", b: "b" });
  const named = await feed(other, "build", "-f", "sub.Dockerfile", "-");
  assert.equal(named.code, 0, named.stderr);
  assert.equal((await feed(simple.Dockerfile, "build", "-q", "-f", "-", "context")).stdout.toString(), want);
  assert.equal((await feed("FROM scratch\nLABEL a=b\n", "build", "-q", "-")).code, 0);
  assert.match((await feed(simple.Dockerfile, "build", "-")).stderr, /"\/a": not found/);
});

test("B13 B16 B19 results go to files and to stdout", async (t) => {
  const { run, folder } = prepare(t, simple);
  const piped = await run("build", "--iidfile=id", "--metadata-file=meta.json", "-o", "type=oci,dest=-", "-t", "one", "context");
  assert.equal(piped.code, 0, piped.stderr);
  assert.ok(piped.stdout.includes('"imageLayoutVersion"'));
  const id = readFileSync(join(folder, "id"), "utf8");
  assert.match(id, /^sha256:[0-9a-f]{64}$/);
  const metadata = JSON.parse(readFileSync(join(folder, "meta.json"), "utf8")) as Record<string, unknown>;
  assert.equal(metadata["containerimage.config.digest"], id);
  assert.equal((await run("build", "-o", "out", "context")).code, 0);
  assert.equal(readFileSync(join(folder, "out/a"), "utf8"), "hello\n");
});

test("U08 a wrong Dockerfile is shown with its lines, and leaves nothing half written", async (t) => {
  const { run, folder } = prepare(t, { Dockerfile: "FROM scratch\nCPY a /a\n", missing: "FROM scratch\nCOPY nothing /\n" });
  const typo = await run("build", "-o", "type=oci,dest=x.tar", "--iidfile=id", "--metadata-file=meta", "context");
  assert.equal(typo.code, 2);
  assert.match(
    typo.stderr,
    /\nDockerfile:2\n-+\n +1 \| +FROM scratch\n +2 \| >>> CPY a \/a\n[^]*ERROR: failed to build: .*unknown instruction: CPY/,
  );
  const missing = await run("build", "-f", "context/missing", "-o", "type=oci,dest=x.tar", "context");
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /\nmissing:2\n[^]*>>> COPY nothing \/\n[^]*ERROR: failed to build: .*"\/nothing": not found/);
  assert.deepEqual(
    readdirSync(folder)
      .filter((name) => name !== "store")
      .toSorted(),
    ["context"],
  );
});

const shell = `FROM scratch AS base
COPY busybox /bin/busybox
SHELL ["/bin/busybox", "sh", "-c"]
FROM base AS failing
RUN echo almost there; exit 7
FROM base AS waiting
RUN echo started; /bin/busybox sleep 1000
`;

/** A context whose image has a shell: Debian's static busybox. */
function prepareShell(t: TestContext) {
  const place = prepare(t, { Dockerfile: shell });
  const busybox = ["/usr/bin/busybox", "/bin/busybox"].find((path) => existsSync(path));
  assert.ok(busybox, "Debian's busybox-static is needed");
  copyFileSync(busybox, join(place.folder, "context/busybox"));
  chmodSync(join(place.folder, "context/busybox"), 0o755);
  return place;
}

test("B32 U08 a failing RUN shows its last output and its exit code, also with -q", async (t) => {
  const { run } = prepareShell(t);
  for (const args of [[], ["-q"]]) {
    const { code, stdout, stderr } = await run("build", ...args, "--target=failing", "context");
    assert.equal(code, 1, stderr);
    assert.equal(stdout.length, 0);
    assert.match(
      stderr,
      /------\n > \[failing 1\/1\] RUN echo almost there; exit 7:\n[\d.]+ almost there\n------\nDockerfile:5\n/,
    );
    assert.match(stderr, /did not complete successfully: exit code: 7 \[RUN_FAILED\]\n$/);
  }
});

test("a signal stops the build in good order, and the exit code says which", async (t) => {
  const { folder, start } = prepareShell(t);
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    const child = start("build", "--target=waiting", "context");
    child.stderr?.on("data", (chunk: Buffer) => void (/ started\n/.test(chunk.toString()) && child.kill(signal)));
    const result = await finish(child);
    assert.equal(result.code, code, result.stderr);
    assert.match(result.stderr, new RegExp(`#\\d+ CANCELED\nERROR: failed to build: canceled by ${signal} \\[CANCELED\\]\n$`));
    assert.ok(!readFileSync("/proc/mounts", "utf8").includes(folder));
  }
});

test("a reader that goes away ends the command without a word", async (t) => {
  const { start } = prepare(t, simple);
  const child = start("build", "-o", "-", "--progress=none", "context");
  child.stdout?.destroy();
  const result = await finish(child);
  assert.equal(result.stderr, "");
  assert.equal(result.code, 141);
});
