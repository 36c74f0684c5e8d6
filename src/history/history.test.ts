import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import type { BuildEvent } from "../events/index.ts";
import { openState } from "../state/index.ts";
import { nameBuild } from "./build-name.ts";
import { readCheckout } from "./checkout.ts";
import { decodeEvent, encodeEvent } from "./event-text.ts";
import { openHistory, type HistoryStore, type Retention } from "./history-store.ts";
import { historySchema, openRecords } from "./records.ts";
import { createRef } from "./ref.ts";

const folder = mkdtempSync(join(tmpdir(), "varve-history-"));
after(() => rmSync(folder, { recursive: true }));

let stores = 0;

function openStore(retention: Partial<Retention> = {}) {
  const root = join(folder, `store-${(stores += 1)}`);
  const state = openState(root, [historySchema]);
  return { root, state, history: openHistory({ state, root, retention }) };
}

const log = (text: string, time = 1): BuildEvent => ({ type: "log", time, vertex: "a", stream: 1, data: Buffer.from(text) });
const vertex = (fields: object): BuildEvent => ({ type: "vertex", time: 1, vertex: "a", name: "A", inputs: [], ...fields });

function record(
  history: HistoryStore,
  { ref = createRef(), createdMs = 1000, events = [vertex({ completed: 2 })] } = {},
): string {
  const faults: unknown[] = [];
  const recorder = history.record({
    ref,
    name: "app",
    options: { context: "/app", dockerfile: "/app/Dockerfile" },
    createdMs,
    onFault: (error) => void faults.push(error),
  });
  for (const event of events) recorder.take(event);
  recorder.finish({ status: "completed", result: { manifests: [], names: [] } });
  assert.deepEqual(faults, []);
  return ref;
}

async function readAll(history: HistoryStore, ref: string): Promise<BuildEvent[]> {
  const events: BuildEvent[] = [];
  for await (const event of history.events(ref)) events.push(event);
  return events;
}

test("U26 a ref is 25 lower-case letters and digits", () => {
  const refs = Array.from({ length: 200 }, createRef);
  for (const ref of refs) assert.match(ref, /^[0-9a-z]{25}$/);
  assert.equal(new Set(refs).size, refs.length);
});

test("U26 every log event comes back with its bytes, text or not", () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.constantFrom(1, 2), (data, stream) => {
      const event: BuildEvent = { type: "log", time: 5, vertex: "v", stream: stream as 1 | 2, data };
      const line = encodeEvent(event);
      assert.equal(line.indexOf("\n"), line.length - 1);
      assert.deepEqual(decodeEvent(line), { ...event, data: new Uint8Array(data) });
    }),
  );
});

test("U20 a build is named as buildx names it", () => {
  const name = (context: string, dockerfile: string, target?: string) =>
    nameBuild({ context, dockerfile, ...(target === undefined ? {} : { target }) });
  assert.equal(name("/src/app", "/src/app/Dockerfile"), "app");
  assert.equal(name("/src/app", "/src/app/Dockerfile", "test"), "app (test)");
  assert.equal(name("/src/app", "/src/app/Bad"), "app/Bad");
  assert.equal(name("/src/app", "/src/app/docker/Dockerfile"), "app/docker");
  assert.equal(name("/src/app", "/src/other/Foo"), "other/Foo");
  assert.equal(name("/src/app", "-"), "app");
  assert.equal(name("-", "Dockerfile"), "");
  assert.equal(name("-", "Dockerfile", "fin"), "fin");
  assert.equal(name("https://example.com/repo.git#main", "Dockerfile"), "https://example.com/repo.git#main");
  assert.equal(
    nameBuild({ context: "/src/app", dockerfile: "/src/app/Dockerfile", buildArgs: { BUILDKIT_BUILD_NAME: "mine" } }),
    "mine",
  );
});

test("U26 a checkout is read from the files of .git, passwords left out", () => {
  const commit = "0123456789abcdef0123456789abcdef01234567";
  const write = (path: string, text: string) => {
    mkdirSync(join(folder, "repo", path, ".."), { recursive: true });
    writeFileSync(join(folder, "repo", path), text);
  };
  write(".git/HEAD", "ref: refs/heads/main\n");
  write(".git/refs/heads/main", `${commit}\n`);
  write(".git/config", '[core]\n\tbare = false\n[remote "origin"]\n\turl = https://me:secret@example.com/repo.git\n');
  write("deep/below/file", "");
  const expected = { source: "https://example.com/repo.git", revision: commit };
  assert.deepEqual(readCheckout(join(folder, "repo/deep/below")), expected);

  const other = commit.replaceAll("0", "f");
  rmSync(join(folder, "repo/.git/refs/heads/main"));
  write(".git/packed-refs", `# pack-refs\n${other} refs/heads/main\n${commit} refs/heads/domain\n`);
  assert.equal(readCheckout(join(folder, "repo"))?.revision, other);

  write(".git/worktrees/w/HEAD", `${commit}\n`);
  write(".git/worktrees/w/commondir", "../..\n");
  write("w/.git", `gitdir: ${join(folder, "repo/.git/worktrees/w")}\n`);
  assert.deepEqual(readCheckout(join(folder, "repo/w")), expected);
});

test("U20 refs are found by themselves, by a unique beginning, by ^N and by nothing", async () => {
  const { state, history } = openStore();
  const old = record(history, { ref: "aaab".padEnd(25, "0"), createdMs: 1000 });
  const middle = record(history, { ref: "aaac".padEnd(25, "0"), createdMs: 2000 });
  const last = record(history, { ref: "b".padEnd(25, "0"), createdMs: 3000 });
  assert.deepEqual(
    (await history.list()).map(({ ref }) => ref),
    [last, middle, old],
  );
  assert.equal(await history.resolve(), last);
  assert.equal(await history.resolve("^0"), last);
  assert.equal(await history.resolve("^2"), old);
  assert.equal(await history.resolve("aaac"), middle);
  assert.equal(await history.resolve(`varve/varve0/${old}`), old);
  await assert.rejects(history.resolve("aaa"), { code: "HISTORY_AMBIGUOUS" });
  for (const name of ["^3", "zz", "A", "%"]) await assert.rejects(history.resolve(name), { code: "HISTORY_NOT_FOUND" });
  state.close();
});

test("U26 steps are counted once however often they are told, and the step that failed is known", async () => {
  const { state, history } = openStore();
  const ref = createRef();
  const recorder = history.record({
    ref,
    name: "",
    options: { context: "-", dockerfile: "-" },
    createdMs: 1,
    onFault: (error) => assert.fail(String(error)),
  });
  recorder.take(vertex({ started: 1 }));
  recorder.take(vertex({ started: 1, completed: 2, cached: true }));
  recorder.take(vertex({ vertex: "b", completed: 2, error: "exit code: 1" }));
  recorder.take(vertex({ vertex: "c", completed: 2, error: "stopped", canceled: true }));
  recorder.take({ type: "warning", time: 1, rule: "R", message: "m" });
  recorder.take(vertex({ vertex: "d" }));
  recorder.finish({ status: "error", error: { code: "RUN_FAILED", message: "exit code: 1" } });
  const { steps, warnings, error, status } = await history.get(ref);
  assert.deepEqual(steps, { total: 4, completed: 3, cached: 1 });
  assert.deepEqual([warnings, error?.vertex, status], [1, "b", "error"]);
  state.close();
});

test("U27 records go when they are beyond the newest and too old, pinned ones never, with their files", async () => {
  const { root, state, history } = openStore({ maxEntries: 1, maxAgeMs: 0 });
  const first = record(history);
  await history.pin(first, true);
  const second = record(history);
  await new Promise((resolve) => setTimeout(resolve, 5));
  const third = record(history);
  const left = (await history.list()).map(({ ref }) => ref).toSorted();
  assert.deepEqual(left, [first, third].toSorted(), `${second} is gone`);
  assert.deepEqual(readdirSync(join(root, "history")).toSorted(), left);
  state.close();

  const roomy = openStore({ maxEntries: 1 });
  record(roomy.history);
  record(roomy.history);
  assert.equal((await roomy.history.list()).length, 2, "beyond the newest, but young");
  roomy.state.close();
});

test("U26 a long log is packed once the build is over, and comes back whole", async () => {
  const { root, state, history } = openStore();
  const events = Array.from({ length: 5000 }, (_, index) => log(`line ${index} of the log\n`, index));
  const ref = record(history, { events });
  await history.settled();
  assert.deepEqual(readdirSync(join(root, "history", ref)), ["events.jsonl.zst"]);
  const back = await readAll(history, ref);
  assert.equal(back.length, events.length);
  assert.deepEqual(back.at(-1), { ...events.at(-1), data: new Uint8Array(Buffer.from("line 4999 of the log\n")) });
  state.close();
});

test("U26 a build whose process is gone has died, with what was written until then", async () => {
  const { root, state, history } = openStore();
  const ref = createRef();
  openRecords(state).write(
    {
      ref,
      name: "",
      status: "running",
      createdMs: 100,
      pinned: false,
      options: { context: "-", dockerfile: "-" },
      steps: { total: 0, completed: 0, cached: 0 },
      warnings: 0,
    },
    "another boot:1:1:1",
  );
  mkdirSync(join(root, "history", ref), { recursive: true });
  const lines = [vertex({ started: 150, time: 150 }), log("said\n", 400)].map(encodeEvent).join("");
  writeFileSync(join(root, "history", ref, "events.jsonl"), `${lines}{"type":"log","ti`);
  const [found] = await history.list();
  assert.deepEqual([found?.status, found?.completedMs, found?.steps.total], ["died", 400, 1]);
  assert.equal((await readAll(history, ref)).length, 2);
  assert.deepEqual(await history.remove([ref]), [ref]);
  assert.deepEqual(readdirSync(join(root, "history")), []);
  state.close();
});

test("U26 a record that cannot be written is told once and throws nothing", async () => {
  const { root, state, history } = openStore();
  writeFileSync(join(root, "history"), "a file in the way");
  const faults: unknown[] = [];
  const ref = createRef();
  const options = { context: "-", dockerfile: "-" };
  const recorder = history.record({ ref, name: "", options, createdMs: 1, onFault: (error) => void faults.push(error) });
  recorder.take(log("x".repeat(2 * 1024 * 1024)));
  recorder.take(log("more"));
  recorder.finish({ status: "completed", result: { manifests: [], names: [] } });
  assert.equal(faults.length, 1);
  assert.equal((await history.get(ref)).incomplete, true);
  state.close();
});
