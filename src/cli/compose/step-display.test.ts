import assert from "node:assert/strict";
import { test } from "node:test";
import type { StepEvent } from "../../compose/index.ts";
import { parseDigest } from "../../oci/index.ts";
import type { ComposeFlags } from "./global-flags.ts";
import { readStepMode } from "./progress-mode.ts";
import { createStepDisplay } from "./step-display.ts";

interface Setting {
  readonly isTerminal?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly progress?: string;
  readonly ansi?: string;
}

function open({ isTerminal = false, env = {}, progress, ansi }: Setting) {
  let text = "";
  const stream = { isTerminal, print: (more: string) => void (text += more), write: () => Promise.resolve() };
  const composeFlags: ComposeFlags = {
    "all-resources": undefined,
    ansi,
    compatibility: undefined,
    "dry-run": undefined,
    "env-file": [],
    file: [],
    parallel: undefined,
    profile: [],
    progress,
    "project-directory": undefined,
    "project-name": undefined,
    verbose: undefined,
    version: undefined,
    workdir: undefined,
  };
  const io = {
    env,
    cwd: "/",
    uid: 0,
    stdin: { isTerminal, chunks: () => [] as unknown as AsyncIterable<Uint8Array> },
    stdout: stream,
    stderr: stream,
    signal: new AbortController().signal,
    now: () => 0,
  };
  return { call: { io, composeFlags }, text: () => text };
}

const layer = (state: "downloading" | "pulled", current: number): StepEvent => ({
  subject: "db",
  text: "Pulling",
  status: "",
  isUnderWay: true,
  layer: { digest: parseDigest(`sha256:${"a".repeat(64)}`), state, current, total: 9 },
});

const events: readonly StepEvent[] = [
  { subject: "Container app-web-1", status: "Creating", isUnderWay: true },
  { subject: "Container app-web-1", status: "Created" },
  { subject: "db", text: "Pulling", status: "", isUnderWay: true },
  layer("downloading", 1),
  layer("downloading", 5),
  layer("pulled", 9),
  { subject: "db", text: "Pulled", status: "" },
  { subject: "Network n", status: "Creating", isUnderWay: true, isDryRun: true },
];

function told(setting: Setting): string {
  const { call, text } = open(setting);
  const display = createStepDisplay(call, "Running");
  for (const event of events) display.report(event);
  display.end();
  return text();
}

test("M20 without a terminal each step is a line in Docker Compose's form", () => {
  const lines = [
    " Container app-web-1  Creating",
    " Container app-web-1  Created",
    " db Pulling ",
    " aaaaaaaaaaaa Downloading ",
    " aaaaaaaaaaaa Pull complete ",
    " db Pulled ",
    " DRY-RUN MODE -  Network n  Creating",
  ];
  assert.equal(told({}), `${lines.join("\n")}\n`);
  assert.equal(told({ isTerminal: true, ansi: "never" }), `${lines.join("\n")}\n`);
});

test("M20 --progress=json is a document for each step, and quiet is nothing", () => {
  assert.deepEqual(
    told({ progress: "json" })
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown),
    [
      { id: "Container app-web-1", status: "Creating" },
      { id: "Container app-web-1", status: "Created" },
      { id: "db", text: "Pulling" },
      { id: "aaaaaaaaaaaa", parent_id: "db", text: "Downloading" },
      { id: "aaaaaaaaaaaa", parent_id: "db", text: "Pull complete" },
      { id: "db", text: "Pulled" },
      { "dry-run": true, id: "Network n", status: "Creating" },
    ],
  );
  assert.equal(told({ progress: "quiet", isTerminal: true }), "");
});

test("M20 M29 what is asked for decides over the terminal, and what cannot be is refused", () => {
  const mode = (setting: Setting): string => readStepMode(open(setting).call);
  assert.equal(mode({}), "plain");
  assert.equal(mode({ isTerminal: true }), "tty");
  assert.equal(mode({ isTerminal: true, env: { TERM: "dumb" } }), "plain");
  assert.equal(mode({ ansi: "always" }), "tty");
  assert.equal(mode({ isTerminal: true, env: { COMPOSE_ANSI: "never" } }), "plain");
  assert.equal(mode({ isTerminal: true, env: { COMPOSE_PROGRESS: "plain" } }), "plain");
  assert.equal(mode({ env: { COMPOSE_PROGRESS: "json" }, progress: "tty" }), "tty");
  assert.equal(mode({ progress: "none" }), "quiet");
  for (const [setting, message] of [
    [{ progress: "fancy" }, /unsupported --progress value "fancy"/],
    [{ progress: "tty", ansi: "never" }, /can't use --progress tty while ANSI support is disabled/],
    [{ progress: "plain", ansi: "always" }, /can't use --progress plain while ANSI support is forced/],
    [{ ansi: "sometimes" }, /unsupported --ansi value "sometimes"/],
  ] as const)
    assert.throws(() => mode(setting), { code: "USAGE", message });
});

test("M20 on a terminal what is done before others draw stays above, and is not told again", () => {
  const { call, text } = open({ isTerminal: true, env: { NO_COLOR: "1" } });
  const display = createStepDisplay(call, "Running");
  display.report({ subject: "Network n", status: "Created" });
  display.leave();
  const first = text();
  assert.match(first, /\[\+\] Running 1\/1[^\n]*\n ✔ Network n {2}Created/);
  display.leave();
  assert.equal(text(), first);
  display.report({ subject: "Container c", status: "Started" });
  display.end();
  const second = text().slice(first.length);
  assert.doesNotMatch(second, /Network/);
  assert.doesNotMatch(second.replaceAll("\u001b", "ESC"), /ESC\[\d+A/, "nothing above is drawn over");
  assert.ok(second.endsWith("\u001b[?25h"), "the cursor is shown");
});
