import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { VarveError } from "../errors/index.ts";
import { collectBytes, countBytes, endOnAbort, limitBytes, verifyDigest, type ByteSource } from "./index.ts";

const digestOf = (bytes: Uint8Array): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** Chunks, with a note of how many were asked for and whether the source was ended. */
function sourceOf(...chunks: string[]): {
  source: ByteSource;
  asked: () => number;
  ended: () => boolean;
} {
  let asked = 0;
  let ended = false;
  async function* read(): AsyncGenerator<Uint8Array> {
    try {
      for (const chunk of chunks) {
        asked += 1;
        yield Buffer.from(chunk);
      }
    } finally {
      ended = true;
    }
  }
  return { source: read(), asked: () => asked, ended: () => ended };
}
const collect = (source: ByteSource): Promise<Uint8Array> => collectBytes(source, { maxBytes: 1e6 });

test("verified content passes unchanged, however it is cut", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 20 })), async (chunks) => {
      const whole = Buffer.concat(chunks);
      const passed = await collect(
        verifyDigest(
          digestOf(whole),
          whole.length,
        )(
          (async function* () {
            yield* chunks;
          })(),
        ),
      );
      assert.deepEqual(Buffer.from(passed), whole);
    }),
  );
});

test("content that goes on is cut at its size, and no further chunk is asked for", async () => {
  const { source, asked, ended } = sourceOf("abc", "def", "ghi", "jkl");
  const passed: string[] = [];
  await assert.rejects(
    (async () => {
      for await (const chunk of verifyDigest(digestOf(Buffer.from("abcd")), 4)(source))
        passed.push(Buffer.from(chunk).toString());
    })(),
    { code: "CONTENT_SIZE_MISMATCH" },
  );
  assert.deepEqual(passed, ["abc", "d"]);
  assert.equal(asked(), 2);
  assert.ok(ended());
});

test("a wrong digest outranks a wrong size", async () => {
  await assert.rejects(collect(verifyDigest(digestOf(Buffer.from("x")), 4)(sourceOf("abcdef").source)), {
    code: "CONTENT_DIGEST_MISMATCH",
  });
  await assert.rejects(collect(verifyDigest(digestOf(Buffer.from("abc")), 3)(sourceOf("ab").source)), {
    code: "CONTENT_DIGEST_MISMATCH",
    message: /ends after 2 of 3/,
  });
  await assert.rejects(collect(verifyDigest(digestOf(Buffer.from("abc")), 9)(sourceOf("abc").source)), {
    code: "CONTENT_SIZE_MISMATCH",
  });
  await assert.rejects(collect(verifyDigest(digestOf(Buffer.from("x")))(sourceOf("y").source)), {
    code: "CONTENT_DIGEST_MISMATCH",
  });
});

test("a limit passes its last byte and refuses the next", async () => {
  assert.equal(Buffer.from(await collect(limitBytes(4)(sourceOf("ab", "cd").source))).toString(), "abcd");
  await assert.rejects(collect(limitBytes(3, { what: "the manifest" })(sourceOf("ab", "cd").source)), {
    code: "CONTENT_TOO_LARGE",
    message: "the manifest is larger than 3 bytes",
  });
});

test("counted bytes are told by chunk and in all", async () => {
  const told: number[][] = [];
  await collect(countBytes((...counts) => told.push(counts))(sourceOf("ab", "cde").source));
  assert.deepEqual(told, [
    [2, 2],
    [3, 5],
  ]);
});

test("an abort ends a source that hangs", async () => {
  const controller = new AbortController();
  async function* hang(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("a");
    setImmediate(() => controller.abort(new VarveError("CANCELED", "stop")));
    await new Promise(() => undefined);
  }
  await assert.rejects(collect(endOnAbort(controller.signal)(hang())), { message: "stop" });
  const { source, ended } = sourceOf("a", "b");
  for await (const _chunk of endOnAbort(undefined)(source)) break;
  assert.ok(ended());
});
