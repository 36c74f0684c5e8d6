import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parseAnnotations } from "./annotations.ts";
import { parseOutputs, type OutputContext, type OutputFlags } from "./outputs.ts";

const stdout = async (): Promise<void> => {};
const context: OutputContext = { cwd: "/w", stdoutIsTerminal: false, stdout, env: {}, dockerConfigDir: "/none" };
const parse = (...values: string[]) => parseOutputs(values, context);
const withFlags = (flags: OutputFlags, ...values: string[]) => parseOutputs(values, context, flags);
const refuses = (value: string, message?: RegExp, code = "USAGE") =>
  assert.throws(() => parse(value), { code, ...(message && { message }) }, value);

test("B19 E03 E04 E05 E06 E07 outputs are CSV, a bare path, or a dash", () => {
  assert.deepEqual(parse("out", "type=oci,dest=x.tar"), [
    { type: "local", dest: "/w/out" },
    { type: "oci", dest: "/w/x.tar" },
  ]);
  assert.deepEqual(parse("-"), [{ type: "tar", dest: stdout }]);
  assert.deepEqual(parse("type=oci"), [{ type: "oci", dest: stdout }]);
  assert.deepEqual(parse('type=docker,"name=a,b:1",dest=/d.tar,compression=zstd'), [
    { type: "docker", dest: "/d.tar", names: ["a", "b:1"], compression: "zstd" },
  ]);
  assert.deepEqual(parse("type=docker,name=a"), [{ type: "image", names: ["a"] }]);
  assert.deepEqual(parse("type=image,name=a,push=false"), [{ type: "image", names: ["a"], push: false }]);
  assert.deepEqual(parse("type=cacheonly"), [{ type: "cacheonly" }]);
  assert.deepEqual(parse("type=oci,tar=false,dest=x"), [{ type: "oci", dest: "/w/x", tar: false }]);
});

test("E01 E02 an image's own attributes are read; a registry is an image that is pushed", () => {
  assert.deepEqual(
    parse(
      "type=image,name=a,push=true,push-by-digest=1,registry.insecure=t,store=false,unpack=false,dangling-name-prefix=p," +
        "danging-name-empty-only=true,name-canonical=",
    ),
    [
      {
        type: "image",
        names: ["a"],
        pushByDigest: true,
        insecure: true,
        store: false,
        unpack: false,
        danglingNamePrefix: "p",
        danglingNameEmptyOnly: true,
        nameCanonical: true,
        push: true,
      },
    ],
  );
  assert.deepEqual(parse("type=registry,name=a,push=false"), [{ type: "image", names: ["a"], push: true }]);
});

test("E20 E21 E22 E23 E24 E25 E26 E27 E28 what images share is read, and checked at once", () => {
  assert.deepEqual(
    parse(
      "type=oci,dest=x,compression=zstd,compression-level=19,force-compression=true,oci-mediatypes=true,oci-artifact=true," +
        "attestation-inline=false,prefer-nondist-layers=true,rewrite-timestamp=true,source-date-epoch=7",
    ),
    [
      {
        type: "oci",
        dest: "/w/x",
        compression: "zstd",
        compressionLevel: 19,
        forceCompression: true,
        ociMediaTypes: true,
        preferNondistLayers: true,
        rewriteTimestamp: true,
        sourceDateEpoch: 7,
      },
    ],
  );
  assert.deepEqual(parse("type=tar,dest=x,source-date-epoch="), [{ type: "tar", dest: "/w/x", sourceDateEpoch: null }]);
  refuses("type=oci,dest=x,compression-level=10", /gzip|out of range/);
  refuses("type=oci,dest=x,compression=zstd,compression-level=23", /out of range/);
  refuses("type=oci,dest=x,compression-level=fast", /non-integer/);
  refuses("type=oci,dest=x,force-compression=maybe", /non-bool/);
  refuses("type=oci,dest=x,oci-artifact=true,oci-mediatypes=false", /conflicts with "oci-mediatypes=false"/);
  refuses("type=image,unpack=true,rewrite-timestamp=true", /conflicts with "unpack"/);
  refuses("type=oci,dest=x,source-date-epoch=soon", /non-integer/);
  refuses("type=oci,dest=x,compression=estargz", /estargz/, "NOT_SUPPORTED_YET");
});

test("E29 annotations say where they stand, and keep the case of their key", () => {
  assert.deepEqual(
    parse("type=oci,dest=x,annotation.org.Example=1,annotation-manifest[linux/arm64].a=b=c,annotation-index.i=j"),
    [
      {
        type: "oci",
        dest: "/w/x",
        annotations: [
          { place: "manifest", key: "org.Example", value: "1" },
          { place: "manifest", platform: "linux/arm64", key: "a", value: "b=c" },
          { place: "index", key: "i", value: "j" },
        ],
      },
    ],
  );
  refuses("type=oci,dest=x,annotation-layer.a=b", /unknown annotation type "layer"/);
  refuses("type=oci,dest=x,annotation=b", /unknown attribute/);
  refuses("type=tar,dest=x,annotation.a=b", /unknown attribute/);
});

test("B03 --annotation takes types and platforms, and counts for every image", () => {
  assert.deepEqual(parseAnnotations(["a=b", "index,manifest-descriptor[linux/amd64]:c=d:e"]), [
    { place: "manifest", key: "a", value: "b" },
    { place: "index", key: "c", value: "d:e" },
    { place: "manifest-descriptor", platform: "linux/amd64", key: "c", value: "d:e" },
  ]);
  assert.throws(() => parseAnnotations(["a"]), { message: 'invalid annotation "a", expected key=value' });
  assert.throws(() => parseAnnotations(["Index:a=b"]), { message: /expected type and optional platform in square brackets/ });
  assert.throws(() => parseAnnotations(["layer:a=b"]), { message: /unknown annotation type "layer"/ });
  const annotations = parseAnnotations(["a=b"]);
  assert.deepEqual(withFlags({ annotations }), [{ type: "image", annotations }]);
  assert.deepEqual(withFlags({ annotations }, "out", "type=oci,dest=x"), [
    { type: "local", dest: "/w/out" },
    { type: "oci", dest: "/w/x", annotations },
  ]);
  assert.throws(() => withFlags({ annotations }, "out"), { code: "USAGE" });
});

test("B15 B25 --push sends the images there are, or one more; --load keeps one", () => {
  assert.deepEqual(withFlags({ push: true }), [{ type: "image", push: true }]);
  assert.deepEqual(withFlags({ push: true }, "type=image,name=a", "out"), [
    { type: "image", names: ["a"], push: true },
    { type: "local", dest: "/w/out" },
  ]);
  assert.deepEqual(withFlags({ push: true }, "out"), [
    { type: "local", dest: "/w/out" },
    { type: "image", push: true },
  ]);
  assert.deepEqual(withFlags({ load: true }), [{ type: "image" }]);
  assert.deepEqual(withFlags({ push: true, load: true }), [{ type: "image", push: true }]);
  assert.deepEqual(withFlags({ load: true }, "type=registry,store=false"), [
    { type: "image", store: false, push: true },
    { type: "image" },
  ]);
});

test("E04 type=docker goes to the engine of a context of Docker's, to Podman, or to an address", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "varve-contexts-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const at = join(folder, "contexts/meta", createHash("sha256").update("far").digest("hex"));
  mkdirSync(at, { recursive: true });
  writeFileSync(join(at, "meta.json"), '{"Name":"far","Endpoints":{"docker":{"Host":"tcp://far:2375"}}}');
  const engine = (name: string, env: Record<string, string> = {}) =>
    parseOutputs([`type=docker,context=${name}`], { ...context, env, dockerConfigDir: folder })[0];
  assert.deepEqual(engine("far"), { type: "docker", engine: "tcp://far:2375" });
  assert.deepEqual(engine("default"), { type: "docker", engine: "unix:///var/run/docker.sock" });
  assert.deepEqual(engine("default", { DOCKER_HOST: "tcp://h:1" }), { type: "docker", engine: "tcp://h:1" });
  assert.deepEqual(engine("unix:///s"), { type: "docker", engine: "unix:///s" });
  assert.deepEqual(engine("podman"), { type: "docker", engine: "unix:///run/podman/podman.sock" });
  assert.throws(() => engine("none"), { code: "USAGE", message: /context "none" does not exist/ });
  refuses("type=docker,context=default,dest=x", /not to both/);
});

test("B02 E05 what mode=delete may empty lies below the working folder, or is allowed", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "varve-delete-"));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "cwd"));
  const inside: OutputContext = { ...context, cwd: join(folder, "cwd") };
  const value = (dest: string) => [`type=local,mode=delete,dest=${dest}`];
  assert.deepEqual(parseOutputs(value("out"), inside), [{ type: "local", dest: join(folder, "cwd/out"), mode: "delete" }]);
  for (const dest of [".", "..", "../out", folder])
    assert.throws(() => parseOutputs(value(dest), inside), { code: "USAGE", message: /requires --allow=buildx.local.delete/ });
  assert.equal(parseOutputs(value("../out"), inside, { allowDelete: true }).length, 1);
  refuses("type=local,dest=x,mode=move", /invalid local exporter mode/);
});

test("B19 outputs that cannot be are refused", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "varve-outputs-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "file"), "");
  refuses("type=nope", /unknown output type/);
  refuses("type=local", /dest is required/);
  refuses("type=local,dest=-");
  refuses("dest=x,foo=y", /type is required/);
  refuses("type=oci,dest", /has no value/);
  refuses("type=oci,what=1,dest=x", /unknown attribute/);
  refuses("type=oci,compression=lz4,dest=x");
  refuses("type=image,dest=x");
  refuses("type=docker,tar=false,dest=x", /is for the output type oci/);
  refuses("type=oci,tar=false", /dest is required/);
  refuses(`type=oci,dest=${folder}`, /is a directory/);
  refuses(`type=local,dest=${folder}/file`, /is a file/);
  assert.throws(() => parse("-", "type=oci,dest=-"), { message: /multiple outputs/ });
  assert.throws(() => parseOutputs(["-"], { ...context, stdoutIsTerminal: true }), {
    message: /refusing to write to a terminal/,
  });
});
