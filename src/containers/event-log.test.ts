import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openState } from "../state/index.ts";
import type { ContainerRow } from "./container-store.ts";
import { eventsSchema, openEventLog } from "./event-log.ts";

const row = { id: "c0ffee", name: "web", config: { image: "busybox", labels: { a: "b" } } } as unknown as ContainerRow;
const sweep = async (): Promise<void> => await Promise.resolve();

test("events come from now on as they are written down, or from a time on, and end where they should", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "varve-events-"));
  const state = openState(folder, [eventsSchema]);
  t.after(() => {
    state.close();
    rmSync(folder, { recursive: true });
  });
  const log = openEventLog({ state });
  log.tell(row, "create", { timeMs: 1000 });
  log.tell(row, "start", { timeMs: 2000 });
  const past: string[] = [];
  for await (const { action } of log.read({ sinceMs: 1500, untilMs: 5000, sweep })) past.push(action);
  assert.deepEqual(past, ["start"]);
  const stop = new AbortController();
  const seen: string[] = [];
  const listening = log.read({ signal: stop.signal, sweep })[Symbol.asyncIterator]();
  let next = listening.next();
  log.tell(row, "kill", { attributes: { signal: "15" } });
  for (let heard = await next; heard.done !== true; heard = await next) {
    const { action, attributes } = heard.value;
    seen.push(`${action} ${JSON.stringify(attributes)}`);
    if (action === "kill") log.tell(row, "die");
    else stop.abort();
    next = listening.next();
  }
  assert.deepEqual(seen, [
    'kill {"a":"b","signal":"15","image":"busybox","name":"web"}',
    'die {"a":"b","image":"busybox","name":"web"}',
  ]);
});
