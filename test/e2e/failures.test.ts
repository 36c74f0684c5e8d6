import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { finish, leftIn, openTrial } from "../kit/trial.ts";

const failures = [
  { what: "an unknown instruction", dockerfile: "FROM busybox\nRUNN true\n", code: 2, says: [/Dockerfile:2/, />>> RUNN true/, /did you mean RUN\?/] },
  { what: "an unknown flag of an instruction", dockerfile: "FROM busybox\nCOPY --chonw=1 a /\n", code: 2, says: [/Dockerfile:2/, /did you mean --?chown\?|did you mean chown\?/] },
  { what: "a missing file", dockerfile: "FROM scratch\nCOPY nothere /\n", code: 1, says: [/Dockerfile:2/, /"\/nothere": not found/] },
  { what: "a file that the ignore file hides", dockerfile: "FROM scratch\nCOPY a.log /\n", code: 1, says: [/\*\.log/] },
  { what: "a failing command", dockerfile: "FROM busybox\nRUN echo last words; exit 7\n", code: 1, says: [/last words/, /exit code: 7/, /Dockerfile:2/] },
  { what: "a missing base image", dockerfile: "FROM no.such.registry.invalid/image\n", code: 5, says: [/Dockerfile:1/] },
  { what: "an unknown target", dockerfile: "FROM scratch AS build\nCOPY a /\n", args: ["--target=biuld"], code: 2, says: [/biuld/, /did you mean build\?/] },
  { what: "an unknown flag of the command line", dockerfile: "FROM scratch\n", args: ["--buld-arg=x"], code: 2, says: [/unknown flag: --buld-arg/, /--build-arg/] },
  { what: "a foreign platform", dockerfile: "FROM scratch\nCOPY a /\n", args: ["--platform=linux/s390x"], code: 3, says: [/not supported yet/] },
] as const;

for (const { what, dockerfile, code, says, ...rest } of failures) {
  test(`U08 ${what} is a clear error with exit code ${code}, and leaves an output as it was`, async (t) => {
    const { varve, context } = openTrial(t, { Dockerfile: dockerfile, a: "a", "a.log": "a", ".dockerignore": "*.log\n", "out.tar": "precious" });
    const outcome = await varve("build", "--progress=plain", "-o", "type=oci,dest=out.tar", "--iidfile=iid", ...("args" in rest ? rest.args : []), ".");
    assert.equal(outcome.code, code, outcome.stderr);
    for (const words of says) assert.match(outcome.stderr, words);
    assert.equal(outcome.stdout.length, 0);
    assert.equal(readFileSync(join(context, "out.tar"), "utf8"), "precious");
    assert.deepEqual(readdirSync(context).sort(), [".dockerignore", "Dockerfile", "a", "a.log", "out.tar"]);
  });
}

const endless = { Dockerfile: "FROM busybox\nRUN echo started && sleep 100000\n" };

test("F3 F6 kill -9 in the middle of a RUN leaves no mount and no process, and the next build works and clears up", async (t) => {
  const { start, varve, store, folder, write } = openTrial(t, endless);
  const child = start("build", "--progress=plain", ".");
  await saidBy(child.stderr, /started$/m);
  assert.ok(leftIn(folder).length > 1, "the step runs");
  const snapshots = readdirSync(join(store, "snapshots")).length;
  child.kill("SIGKILL");
  await waitUntil(() => leftIn(folder).length === 0);
  assert.deepEqual(leftIn(folder), []);
  write({ Dockerfile: "FROM busybox\nRUN echo again\n" });
  const next = await varve("build", "-q", ".");
  assert.equal(next.code, 0, next.stderr);
  assert.equal(readdirSync(join(store, "snapshots")).length, snapshots, "the abandoned snapshot gave way to the new one");
  assert.deepEqual(readdirSync(join(store, "ingest")), []);
});

test("F7 Ctrl-C ends a build with 130 and leaves nothing", async (t) => {
  const { start, folder } = openTrial(t, endless);
  const child = start("build", "--progress=plain", ".");
  await saidBy(child.stderr, /started$/m);
  const ended = finish(child);
  child.kill("SIGINT");
  assert.equal((await ended).code, 130);
  assert.deepEqual(leftIn(folder), []);
});

test("F6 a process that a step leaves in the background ends with the step", async (t) => {
  const { varve, folder } = openTrial(t, { Dockerfile: "FROM busybox\nRUN (sleep 100000 &) ; echo done\n" });
  const { code, stderr } = await varve("build", ".");
  assert.equal(code, 0, stderr);
  assert.deepEqual(leftIn(folder), []);
});

test("R13 all of a step's output arrives, however much it is", async (t) => {
  const { varve } = openTrial(t, { Dockerfile: "FROM busybox\nRUN i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done\n" });
  const { stderr } = await varve("build", "--progress=plain", ".");
  const lines = stderr.match(/ line \d+$/gm) ?? [];
  assert.equal(lines.length, 20000);
  assert.equal(lines.at(-1), " line 19999");
});

test("F8 a layer that climbs out through links stays in its root", async (t) => {
  const trial = openTrial(t, { "Base.Dockerfile": "FROM scratch\nCOPY --parents=false trap /trap\n", Dockerfile: "FROM trap\nCOPY a /trap/escaped\n", trap: { link: "/tmp" }, a: "a" });
  writeFileSync(join(trial.context, "Base.Dockerfile"), "FROM busybox\nRUN ln -s / /trap\n");
  assert.equal((await trial.varve("build", "-q", "-t", "trap", "-f", "Base.Dockerfile", ".")).code, 0);
  const { code, stderr } = await trial.varve("build", "-o", "out", ".");
  assert.equal(code, 0, stderr);
  assert.equal(existsSync("/escaped"), false);
  assert.equal(readFileSync(join(trial.context, "out/escaped"), "utf8"), "a", "the link leads to the image's own root");
});

async function saidBy(stream: NodeJS.ReadableStream | null, words: RegExp): Promise<void> {
  let text = "";
  await new Promise<void>((resolve, reject) => {
    stream?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (words.test(text)) resolve();
    });
    stream?.on("end", () => reject(new Error(`it ended before it said ${words.source}:\n${text}`)));
  });
}

/** Waits for the kernel to take down what it was told to; at most ten seconds. */
async function waitUntil(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200 && !condition(); tries += 1) await sleep(50);
}
