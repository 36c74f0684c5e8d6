import assert from "node:assert/strict";
import { test } from "node:test";
import { chainId, chainIds, digestAlgorithm, digestHex, digestOfHex, isDigest, parseDigest, sha256 } from "./index.ts";

const empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

test("a digest is a known algorithm and its full length of lower-case hex", () => {
  assert.equal(sha256(new Uint8Array()), empty);
  assert.equal(parseDigest(empty), empty);
  assert.equal(digestOfHex(digestHex(parseDigest(empty))), empty);
  assert.equal(digestAlgorithm(parseDigest(empty)), "sha256");
  assert.ok(isDigest(`sha512:${"a".repeat(128)}`));
  for (const bad of [
    "",
    "sha256",
    "sha256:",
    empty.slice(0, -1),
    `${empty}0`,
    `md5:${"a".repeat(32)}`,
    `toString:${"a".repeat(64)}`,
    `${empty}\n`,
    7,
    undefined,
  ]) {
    assert.equal(isDigest(bad), false, String(bad));
  }
});

test("upper-case hex is refused with a hint", () => {
  assert.throws(() => parseDigest(empty.toUpperCase().replace("SHA", "sha")), {
    code: "DIGEST_INVALID",
    hint: "write it in lower case",
  });
});

test("chain IDs fold diff IDs from the lowest layer up", () => {
  const [a, b, c] = [sha256("a"), sha256("b"), sha256("c")];
  const ab = sha256(`${a} ${b}`);
  assert.equal(chainId([]), undefined);
  assert.deepEqual(chainIds([a, b, c]), [a, ab, sha256(`${ab} ${c}`)]);
});
