import assert from "node:assert/strict";
import { test } from "node:test";
import type { StepEvent } from "../../compose/index.ts";
import { parseDigest } from "../../oci/index.ts";
import { displayWidth } from "../progress/terminal-text.ts";
import { drawStepFrame, type StepFrameOptions } from "./step-frame.ts";
import { createStepList } from "./step-list.ts";

type Told = readonly [atMs: number, event: StepEvent];

const doing = (subject: string, status: string): StepEvent => ({ subject, status, isUnderWay: true });
const done = (subject: string, status: string): StepEvent => ({ subject, status });

const started: readonly Told[] = [
  [0, doing("Network app_default", "Creating")],
  [100, done("Network app_default", "Created")],
  [100, doing("Container app-web-1", "Creating")],
  [200, done("Container app-web-1", "Created")],
  [300, doing("Container app-web-1", "Starting")],
];

function frame(told: readonly Told[], options: Partial<StepFrameOptions> = {}): readonly string[] {
  const steps = createStepList();
  for (const [atMs, event] of told) steps.take(event, atMs);
  return drawStepFrame({ steps: steps.all(), title: "Running", nowMs: 1300, columns: 60, colors: false, ...options }).map(
    ({ painted = "" }) => painted.replaceAll("\u001b", "ESC"),
  );
}

test("M20 a frame says how many are done, and of each what becomes of it and how long it has taken", () => {
  assert.deepEqual(frame(started), [
    "[+] Running 1/2",
    " ✔ Network app_default  Created                        0.1s",
    " ⠹ Container app-web-1  Starting                       1.2s",
  ]);
  assert.deepEqual(frame([...started, [1500, done("Container app-web-1", "Started")]], { nowMs: 9000 }), [
    "[+] Running 2/2",
    " ✔ Network app_default  Created                        0.1s",
    " ✔ Container app-web-1  Started                        1.4s",
  ]);
});

test("M20 the spinner turns as long as something is under way", () => {
  const signs = [1300, 1400, 1500, 2300].map((nowMs) => frame(started, { nowMs })[2]?.slice(1, 2));
  assert.deepEqual(signs, ["⠹", "⠸", "⠼", "⠹"]);
});

test("M20 NO_COLOR the signs alone tell how it came out; else colours do, too", () => {
  const told: readonly Told[] = [
    ...started,
    [400, { subject: "Network old", status: "Resource is still in use", isWarning: true }],
    [500, { subject: "web", text: "Error", status: "no such\nimage", failed: true }],
  ];
  assert.deepEqual(
    frame(told)
      .slice(3)
      .map((line) => line.replace(/ +\d.*$/, "")),
    [" ! Network old          Resource is still in use", " ✘ web Error            no such image"],
  );
  const [header, network, container, , failed] = frame(told, { colors: true });
  assert.equal(header, "[+] Running 3/4");
  assert.match(network ?? "", /^ ESC\[32m✔ESC\[0m Network app_default {2}ESC\[32mCreatedESC\[0m +ESC\[34m0\.1sESC\[0m$/);
  assert.match(container ?? "", /^ ESC\[33m⠹ESC\[0m Container app-web-1 {2}Starting +ESC\[34m1\.2sESC\[0m$/);
  assert.match(failed ?? "", /^ ESC\[1;31m✘ESC\[0m web Error +ESC\[1;31mno such imageESC\[0m/);
  assert.equal(frame([[0, done("a", "Created")]], { colors: true })[0], "ESC[34m[+] Running 1/1ESC[0m");
});

test("M20 an image on its way shows how far its layers are, and they leave when it is there", () => {
  const layer = (id: string, state: "downloading" | "pulled", current: number): Told => [
    200,
    {
      subject: "db",
      text: "Pulling",
      status: "",
      isUnderWay: true,
      layer: { digest: parseDigest(`sha256:${id.repeat(64)}`), state, current, total: 2_000_000 },
    },
  ];
  const told: readonly Told[] = [
    [0, { subject: "db", text: "Pulling", status: "", isUnderWay: true }],
    layer("a", "pulled", 2_000_000),
    layer("b", "downloading", 1_000_000),
  ];
  assert.deepEqual(frame(told, { columns: 80 }), [
    "[+] Running 0/1",
    ` ⠸ db Pulling [⣿⣤] 3MB / 4MB ${" ".repeat(46)}1.3s`,
    "   ✔ aaaaaaaaaaaa Pull complete",
    `   ⠸ bbbbbbbbbbbb Downloading [${"=".repeat(12)}>${" ".repeat(11)}]  1MB/2MB`,
  ]);
  assert.deepEqual(frame([...told, [900, { subject: "db", text: "Pulled", status: "" }]]), [
    "[+] Running 1/1",
    ` ✔ db Pulled ${" ".repeat(42)}0.9s`,
  ]);
});

test("M20 no line is as wide as the terminal; where it is narrow the time leaves first, and then the name's end", () => {
  for (let columns = 4; columns < 50; columns++)
    for (const line of frame(started, { columns })) assert.ok(displayWidth(line) < columns, `${columns}: ${line}`);
  assert.equal(frame(started, { columns: 36 })[2], " ⠹ Container app-web-1  Starting");
  assert.equal(frame(started, { columns: 28 })[2], " ⠹ Container app-w Starting");
  const wide: readonly Told[] = [[0, doing("Container 日本語日本語日本語", "Starting")]];
  assert.equal(frame(wide, { columns: 30 })[1], " ⠸ Container 日本語  Starting");
});

test("M20 on a low screen what is done leaves first; the last frame has everything", () => {
  const told = Array.from({ length: 6 }, (_, at): Told => [
    at,
    at % 2 === 0 ? done(`c${at}`, "Started") : doing(`c${at}`, "Starting"),
  ]);
  const shown = (rows?: number): readonly string[] =>
    frame(told, rows === undefined ? {} : { rows }).map((line) => line.slice(0, 5).trim());
  assert.deepEqual(
    shown(5),
    ["[+] R", "⠸ c1", "⠸ c3", "✔ c4", "⠸ c5"].map((line) => line.replace("⠸", "⠹")),
  );
  assert.equal(shown(3).length, 3);
  assert.equal(shown().length, 7);
});
