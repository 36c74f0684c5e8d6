import assert from "node:assert/strict";
import { test } from "node:test";
import { formatPlatform } from "../oci/index.ts";
import { readBuildPlatforms } from "./build-platforms.ts";

const read = (platforms: readonly string[], multi?: string) => {
  const buildArgs = multi === undefined ? {} : { BUILDKIT_MULTI_PLATFORM: multi };
  const { wanted, isMulti } = readBuildPlatforms({ platforms, buildArgs });
  return [wanted.map(formatPlatform), isMulti] as const;
};

test("B20 platforms are normal and each there once, in the order in which they were asked for", () => {
  assert.deepEqual(read([]), [[], false]);
  assert.deepEqual(read(["linux/aarch64"]), [["linux/arm64"], false]);
  assert.deepEqual(read(["linux/arm64/v8", "linux/amd64", "linux/arm64"]), [["linux/arm64", "linux/amd64"], true]);
  assert.deepEqual(read(["linux/armhf", "linux/armel", "linux/x86_64/v2"]), [
    ["linux/arm/v7", "linux/arm/v6", "linux/amd64/v2"],
    true,
  ]);
  assert.deepEqual(read(["windows(10.0.1)/amd64", "windows(10.0.2)/amd64"]), [["windows/amd64", "windows/amd64"], true]);
  assert.throws(() => read(["linux/arm64", "nothing"]), { code: "PLATFORM_INVALID" });
});

test("A11 BUILDKIT_MULTI_PLATFORM makes one platform several, and cannot make several one", () => {
  assert.deepEqual(read(["linux/arm64"], "1"), [["linux/arm64"], true]);
  assert.deepEqual(read(["linux/arm64"], "false"), [["linux/arm64"], false]);
  assert.deepEqual(read(["linux/arm64"], ""), [["linux/arm64"], false]);
  assert.deepEqual(read([], "true"), [[], true]);
  assert.throws(() => read(["linux/arm64", "linux/amd64"], "0"), { code: "FRONTEND_VALUE_INVALID" });
  assert.throws(() => read([], "yes"), { code: "FRONTEND_VALUE_INVALID" });
});
