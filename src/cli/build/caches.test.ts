import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCacheExports, parseCacheImports } from "./caches.ts";

const where = { cwd: "/w" };

test("B08 Q02 Q03 caches to read: names alone are of a registry, folders are below the working directory", () => {
  assert.deepEqual(parseCacheImports(["user/app:cache", "", "a,b"], where), [
    { type: "registry", ref: "user/app:cache" },
    { type: "registry", ref: "a" },
    { type: "registry", ref: "b" },
  ]);
  assert.deepEqual(
    parseCacheImports(["type=registry,ref=h:5000/a,registry.insecure=true", "type=local,src=c,tag=t,digest=d"], where),
    [
      { type: "registry", ref: "h:5000/a", insecure: true },
      { type: "local", src: "/w/c", tag: "t", digest: "d" },
    ],
  );
});

test("B08 Q01 Q02 Q03 Q10 caches to write, with all that can be said of them", () => {
  assert.deepEqual(parseCacheExports(["user/app:cache", "type=inline", "type=inline,mode=min,ignore-error=false"], where), [
    { type: "registry", ref: "user/app:cache" },
    { type: "inline" },
    { type: "inline", ignoreError: false },
  ]);
  const all =
    "mode=max,ignore-error=true,image-manifest=false,oci-mediatypes=0,compression=zstd,compression-level=22,force-compression=1";
  const parsed = {
    mode: "max",
    ignoreError: true,
    imageManifest: false,
    ociMediaTypes: false,
    compression: "zstd",
    compressionLevel: 22,
    forceCompression: true,
  };
  assert.deepEqual(parseCacheExports([`type=registry,ref=a,${all}`, `type=local,dest=/d,tag=t,reset=true,${all}`], where), [
    { type: "registry", ref: "a", ...parsed },
    { type: "local", dest: "/d", tag: "t", reset: true, ...parsed },
  ]);
});

test("Q04 Q05 Q06 what is not supported is refused by its name", () => {
  for (const type of ["gha", "s3", "azblob"]) {
    const refusal = { code: "NOT_SUPPORTED_YET", message: new RegExp(`type=${type} is not supported`) };
    assert.throws(() => parseCacheExports([`type=${type},mode=max`], where), refusal);
    assert.throws(() => parseCacheImports([`type=${type},bucket=b`], where), refusal);
  }
  assert.throws(() => parseCacheExports(["type=local,dest=x,compression=estargz"], where), { code: "NOT_SUPPORTED_YET" });
});

test("B08 what cannot be is refused", () => {
  const exports: readonly (readonly [string, RegExp])[] = [
    ["type=registry", /requires ref/],
    ["type=local,src=x", /unknown attribute "src"/],
    ["type=local", /requires dest/],
    ["type=tape,ref=x", /unknown type "tape"/],
    ["ref=x", /a type is required/],
    ["type=inline,mode=max", /mode=min only/],
    ["type=inline,ref=x", /unknown attribute "ref"/],
    ["type=registry,ref=x,mode=all", /mode=all is none of min, max/],
    ["type=registry,ref=x,reset=true", /unknown attribute "reset"/],
    ["type=local,dest=x,reset=perhaps", /none of true, false/],
    ["type=local,dest=x,compression-level=10", /none of 0 to 9/],
    ["type=local,dest=x,compression=zstd,compression-level=23", /none of 0 to 22/],
    ["type=local,dest=x,image-manifest=true,oci-mediatypes=false", /needs oci-mediatypes/],
    ["type=local,dest", /expected key=value/],
  ];
  for (const [value, message] of exports)
    assert.throws(() => parseCacheExports([value], where), { code: "USAGE", message }, value);
  const imports: readonly (readonly [string, RegExp])[] = [
    ["type=inline,ref=x", /read as type=registry/],
    ["type=registry", /requires ref/],
    ["type=local", /requires src/],
    ["type=registry,ref=x,mode=max", /unknown attribute "mode"/],
  ];
  for (const [value, message] of imports)
    assert.throws(() => parseCacheImports([value], where), { code: "USAGE", message }, value);
});
