import assert from "node:assert/strict";
import { test } from "node:test";
import type { Observed } from "../../compose/index.ts";
import { createLogPrinter, type LogPrinterOptions } from "./print-logs.ts";

const container = (service: string): Observed =>
  ({
    name: `app-${service}-1`,
    service,
    number: 1,
    isOneOff: false,
    container: { config: { labels: { "com.docker.compose.project": "app" } } },
  }) as unknown as Observed;

const line = (text: string) => ({ data: Buffer.from(text), timestamp: "2026-01-01T00:00:00Z", stream: 1 as const });

function printed(options: Partial<LogPrinterOptions> = {}): string {
  let text = "";
  const print = (_stream: 1 | 2, more: string): void => void (text += more);
  const printer = createLogPrinter({
    print,
    names: ["db-1", "web-1"],
    prefix: true,
    colors: false,
    timestamps: false,
    ...options,
  });
  printer.line(container("web"), line("one\n"));
  printer.line(container("db"), line("two"));
  printer.exit(container("web"), 3);
  printer.exit(container("db"), 1, { isRestarting: true });
  return text.replaceAll("\u001b", "ESC");
}

test("M86 lines have the container's name before them, as wide as the longest", () => {
  const ends = "web-1 exited with code 3\ndb-1 exited with code 1 (restarting)\n";
  assert.equal(printed(), `web-1  | one\ndb-1   | two\n${ends}`);
  assert.equal(printed({ prefix: false }), `one\ntwo\n${ends}`);
  assert.match(printed({ timestamps: true }), /^web-1 {2}\| 2026-01-01T00:00:00Z one$/m);
});

test("M86 each name has a colour of its own, by its place and not by who speaks first", () => {
  assert.equal(
    printed({ colors: true }),
    "ESC[33mweb-1  | ESC[0mone\nESC[36mdb-1   | ESC[0mtwo\n" +
      "ESC[33mweb-1 exited with code 3ESC[0m\nESC[36mdb-1 exited with code 1 (restarting)ESC[0m\n",
  );
  const many = Array.from({ length: 7 }, (_, at) => `s${at}-1`);
  assert.match(printed({ colors: true, names: [...many.slice(0, 5), "web-1"] }), /^ESC\[36;1mweb-1/);
});
