import assert from "node:assert/strict";
import { test } from "node:test";
import { createSecretStore, maxSecretBytes } from "./secret-store.ts";

const text = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString();

test("B28 a secret is a text, bytes or a function, which is asked once", async () => {
  let asked = 0;
  const store = createSecretStore({
    text: "a",
    bytes: Buffer.from("b"),
    lazy: async () => {
      asked += 1;
      return "c";
    },
  });
  assert.equal(asked, 0);
  assert.deepEqual(
    await Promise.all(["text", "bytes", "lazy", "lazy", "none", "toString"].map(async (id) => text(await store.get(id)))),
    ["a", "b", "c", "c", undefined, undefined],
  );
  assert.equal(asked, 1);
});

test("B28 a secret has at most 500 KiB, and the refusal does not show it", async () => {
  const store = createSecretStore({ most: "x".repeat(maxSecretBytes), more: `canary${"x".repeat(maxSecretBytes)}` });
  assert.equal((await store.get("most"))?.length, maxSecretBytes);
  await assert.rejects(
    store.get("more"),
    (error: Error) => !JSON.stringify(error).includes("canary") && error.message === "secret more too big. max size 500KiB",
  );
});
