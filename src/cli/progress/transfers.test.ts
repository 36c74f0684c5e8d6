import assert from "node:assert/strict";
import { test } from "node:test";
import type { LayerTransfer } from "../../engine/index.ts";
import { parseDigest } from "../../oci/index.ts";
import { createTransferProgress } from "./transfers.ts";

const layer = (id: string, state: LayerTransfer["state"], current = 0, from?: string): LayerTransfer => ({
  digest: parseDigest(`sha256:${id.repeat(64)}`),
  current,
  total: 2_000_000,
  state,
  ...(from === undefined ? {} : { from }),
});

function record(isTerminal: boolean, rows = 24): { text: () => string; progress: ReturnType<typeof createTransferProgress> } {
  let text = "";
  const out = { isTerminal, print: (more: string) => void (text += more), size: () => ({ columns: 90, rows }) };
  return { text: () => text, progress: createTransferProgress(out) };
}

test("O04 without a terminal each layer says once where it got to", () => {
  const { text, progress } = record(false);
  for (const status of [
    layer("a", "waiting"),
    layer("a", "pushing", 10),
    layer("a", "pushing", 20),
    layer("a", "pushed", 2_000_000),
    layer("a", "pushed", 2_000_000),
    layer("b", "exists"),
    layer("c", "mounted", 0, "team/app"),
  ])
    progress.take(status);
  progress.end();
  assert.equal(
    text(),
    "aaaaaaaaaaaa: Waiting\naaaaaaaaaaaa: Pushed\nbbbbbbbbbbbb: Layer already exists\ncccccccccccc: Mounted from team/app\n",
  );
});

test("on a terminal layers are drawn over, as many as fit", () => {
  const { text, progress } = record(true, 4);
  for (const id of ["a", "b", "c"]) progress.take(layer(id, "pushing", 1_000_000));
  progress.draw();
  progress.draw();
  progress.take(layer("c", "pushed", 2_000_000));
  progress.end();
  const bar = `[${"=".repeat(25)}>${" ".repeat(24)}]  1MB/2MB`;
  assert.equal(
    text(),
    `\u001b[2Kbbbbbbbbbbbb: Pushing ${bar}\n\u001b[2Kcccccccccccc: Pushing ${bar}\n` +
      `\u001b[2A\u001b[2Kbbbbbbbbbbbb: Pushing ${bar}\n\u001b[2Kcccccccccccc: Pushed\n`,
  );
});
