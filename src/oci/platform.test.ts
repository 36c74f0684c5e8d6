import assert from "node:assert/strict";
import { test } from "node:test";
import {
  acceptedPlatforms,
  formatPlatform,
  hostPlatform,
  matchPlatform,
  mediaTypes,
  parsePlatform,
  platformToSpec,
  selectManifest,
  sha256,
  type Descriptor,
  type PlatformSpec,
} from "./index.ts";

const host = hostPlatform("x64");
const spec = (text: string): PlatformSpec => {
  const [os = "", architecture = "", variant] = text.split("/");
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
};

test("platforms are read and normalised as containerd does", () => {
  for (const [text, normal] of [
    ["linux/amd64", "linux/amd64"],
    ["linux/x86_64", "linux/amd64"],
    ["LINUX/AMD64/v1", "linux/amd64"],
    ["linux/amd64/v3", "linux/amd64/v3"],
    ["linux/aarch64", "linux/arm64"],
    ["linux/arm64/v8", "linux/arm64"],
    ["linux/arm64/9", "linux/arm64/v9"],
    ["linux/arm", "linux/arm/v7"],
    ["linux/arm/6", "linux/arm/v6"],
    ["linux/armhf", "linux/arm/v7"],
    ["linux/armel", "linux/arm/v6"],
    ["i386", "linux/386"],
    ["arm64", "linux/arm64"],
    ["linux", "linux/amd64"],
    ["macos", "darwin/amd64"],
    ["local", "linux/amd64"],
    ["weird/thing", "weird/thing"],
  ] as const) {
    assert.equal(formatPlatform(parsePlatform(text, { host })), normal, text);
  }
  assert.equal(parsePlatform("windows(10.0.17763)/amd64").osVersion, "10.0.17763");
  for (const bad of ["", "nonsense", "linux/", "linux//v7", "a/b/c/d", "linux/*", "linux/arm/v7/x", "lin ux/amd64"]) {
    assert.throws(() => parsePlatform(bad, { host }), { code: "PLATFORM_INVALID" }, bad);
  }
  assert.throws(() => parsePlatform("local"), TypeError);
});

test("the host's platform follows from node's name of the architecture", () => {
  assert.deepEqual(hostPlatform("arm"), { os: "linux", architecture: "arm", variant: "v7" });
  assert.deepEqual(hostPlatform("ppc64"), { os: "linux", architecture: "ppc64le" });
  assert.throws(() => hostPlatform("pdp11"), { code: "PLATFORM_INVALID" });
  assert.deepEqual(platformToSpec(hostPlatform("arm")), {
    os: "linux",
    architecture: "arm",
    variant: "v7",
  });
});

test("a platform accepts what also runs on it, the nearest first", () => {
  const accepted = (text: string): string => acceptedPlatforms(parsePlatform(text)).map(formatPlatform).join(" ");
  assert.equal(accepted("linux/amd64"), "linux/amd64 linux/386");
  assert.equal(accepted("linux/amd64/v3"), "linux/amd64/v3 linux/amd64/v2 linux/amd64 linux/386");
  assert.equal(accepted("linux/arm/v7"), "linux/arm/v7 linux/arm/v6 linux/arm/v5");
  assert.equal(accepted("linux/arm/v5"), "linux/arm/v5");
  assert.equal(accepted("linux/arm64"), "linux/arm64 linux/arm/v8 linux/arm/v7 linux/arm/v6 linux/arm/v5");
  assert.equal(accepted("linux/arm64/v8.1"), "linux/arm64/v8.1 linux/arm64 linux/arm/v8 linux/arm/v7 linux/arm/v6 linux/arm/v5");
  assert.match(accepted("linux/arm64/v9"), /^linux\/arm64\/v9 linux\/arm64\/v8\.5 .* linux\/arm64 linux\/arm\/v8/);
  assert.equal(accepted("linux/s390x"), "linux/s390x");
});

test("the best candidate wins wherever it stands in the list", () => {
  const list = ["linux/386", "linux/arm/v5", "linux/arm/v6", "linux/amd64", "linux/amd64/v2"].map(spec);
  assert.equal(matchPlatform(parsePlatform("linux/arm/v7"), list), 2);
  assert.equal(matchPlatform(parsePlatform("linux/amd64"), list), 3);
  assert.equal(matchPlatform(parsePlatform("linux/amd64/v4"), list), 4);
  assert.equal(matchPlatform(parsePlatform("linux/386"), list), 0);
  assert.equal(matchPlatform(parsePlatform("linux/s390x"), list), undefined);
  assert.equal(
    matchPlatform(parsePlatform("linux/amd64"), [undefined, { ...spec("linux/amd64"), "os.features": ["special"] }]),
    undefined,
  );
});

test("an index yields the platform's image and never an attestation", () => {
  const entry = (name: string, platform?: PlatformSpec, annotations?: Record<string, string>): Descriptor => ({
    mediaType: mediaTypes.ociManifest,
    digest: sha256(name),
    size: 1,
    ...(platform === undefined ? {} : { platform }),
    ...(annotations === undefined ? {} : { annotations }),
  });
  const attestation = entry("a", spec("linux/amd64"), {
    "vnd.docker.reference.type": "attestation-manifest",
  });
  const arm = entry("b", spec("linux/arm64/v8"));
  const nameless = entry("c");
  assert.equal(selectManifest({ schemaVersion: 2, manifests: [attestation, arm] }, parsePlatform("linux/arm64")), arm);
  assert.equal(selectManifest({ schemaVersion: 2, manifests: [attestation, arm] }, parsePlatform("linux/amd64")), undefined);
  assert.equal(selectManifest({ schemaVersion: 2, manifests: [attestation, nameless] }, parsePlatform("linux/amd64")), nameless);
});
