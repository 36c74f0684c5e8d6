import assert from "node:assert/strict";
import { test } from "node:test";
import {
  compressionOfLayer,
  encodeGoJson,
  isLayer,
  mediaTypes,
  parseImageConfig,
  parseIndex,
  parseManifest,
  serializeConfig,
  serializeIndex,
  serializeManifest,
  sha256,
} from "./index.ts";

const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
const layer = { mediaType: mediaTypes.ociLayerGzip, digest: sha256("l"), size: 3 };
const config = { mediaType: mediaTypes.ociConfig, digest: sha256("c"), size: 2 };
const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [layer] };
const image = {
  architecture: "amd64",
  os: "linux",
  rootfs: { type: "layers", diff_ids: [sha256("d")] },
};

test("E34 a manifest is printed with two blanks, in the order of Go's structs, and keeps what is not known", () => {
  const shuffled = {
    future: { b: 1, a: 2 },
    layers: [
      {
        size: 3,
        future: 1,
        digest: layer.digest,
        mediaType: layer.mediaType,
        annotations: { b: "<", "10": "x", "9": "y" },
      },
    ],
    config,
    schemaVersion: 2,
  };
  assert.equal(
    Buffer.from(serializeManifest(parseManifest(bytes(shuffled)))).toString(),
    `{
  "schemaVersion": 2,
  "config": {
    "mediaType": "${config.mediaType}",
    "digest": "${config.digest}",
    "size": 2
  },
  "layers": [
    {
      "mediaType": "${layer.mediaType}",
      "digest": "${layer.digest}",
      "size": 3,
      "annotations": {
        "10": "x",
        "9": "y",
        "b": "\\u003c"
      },
      "future": 1
    }
  ],
  "future": {
    "b": 1,
    "a": 2
  }
}`,
  );
});

test("E34 an index prints its platforms in order and its empty lists", () => {
  const platform = { variant: "v7", os: "linux", architecture: "arm", "os.features": [] };
  const index = parseIndex(
    bytes({
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: [{ ...layer, mediaType: mediaTypes.ociManifest, platform }],
    }),
  );
  const again = JSON.parse(Buffer.from(serializeIndex(index)).toString()) as {
    manifests: { platform: object }[];
  };
  assert.deepEqual(Object.entries(again.manifests[0]?.platform ?? {}), [
    ["architecture", "arm"],
    ["os", "linux"],
    ["variant", "v7"],
  ]);
  assert.equal(
    Buffer.from(serializeIndex({ schemaVersion: 2, manifests: [] })).toString(),
    '{\n  "schemaVersion": 2,\n  "manifests": []\n}',
  );
});

test("E33 a config is printed compactly, sorted at the top, without empty members, with Go's escapes", () => {
  const parsed = parseImageConfig(
    bytes({
      ...image,
      "moby.custom": { z: 1 },
      variant: "",
      config: {
        Labels: { b: "2", a: "1" },
        Env: ["A=1"],
        Cmd: ["sh", "-c", "a && b > c"],
        Entrypoint: null,
        Volumes: null,
        ExposedPorts: { "80/tcp": {} },
        Healthcheck: { Test: ["NONE"], Retries: 0 },
        User: "",
        Future: 1,
      },
      history: [
        {
          created_by: "RUN a && b",
          created: "2024-01-01T00:00:00Z",
          empty_layer: false,
          comment: "x",
        },
      ],
    }),
  );
  assert.equal(
    Buffer.from(serializeConfig(parsed)).toString(),
    `{"architecture":"amd64","config":{"ExposedPorts":{"80/tcp":{}},"Env":["A=1"],"Cmd":["sh","-c","a \\u0026\\u0026 b \\u003e c"],"Labels":{"a":"1","b":"2"},` +
      `"Healthcheck":{"Test":["NONE"]},"Future":1},"history":[{"created":"2024-01-01T00:00:00Z","created_by":"RUN a \\u0026\\u0026 b","comment":"x"}],` +
      `"moby.custom":{"z":1},"os":"linux","rootfs":{"type":"layers","diff_ids":["${sha256("d")}"]}}`,
  );
  assert.deepEqual(parseImageConfig(serializeConfig(parsed)).config?.Cmd, ["sh", "-c", "a && b > c"]);
});

test("Go's null means absent in configs from the field", () => {
  const parsed = parseImageConfig(
    bytes({
      ...image,
      rootfs: { type: "layers", diff_ids: null },
      history: null,
      config: { Env: null, Cmd: null, Labels: null, Healthcheck: null, Volumes: { "/data": null } },
    }),
  );
  assert.deepEqual(parsed.config, { Volumes: { "/data": {} } });
  assert.deepEqual(parsed.rootfs.diff_ids, []);
  assert.equal(parsed.history, undefined);
});

test("documents against the specification are refused", () => {
  const refused = (read: (bytes: Uint8Array) => unknown, value: unknown, message: RegExp): void => {
    assert.throws(() => read(bytes(value)), { code: "IMAGE_INVALID", message }, JSON.stringify(value));
  };
  refused(parseManifest, [], /not an object/);
  refused(parseManifest, { ...manifest, schemaVersion: 3 }, /schemaVersion/);
  refused(parseManifest, { ...manifest, mediaType: mediaTypes.ociIndex }, /media type/);
  refused(parseManifest, { ...manifest, manifests: [] }, /ambiguous/);
  refused(parseManifest, { ...manifest, config: undefined }, /config is not an object/);
  refused(parseManifest, { ...manifest, layers: [{ ...layer, size: -1 }] }, /layers\[0\] has no valid size/);
  refused(parseManifest, { ...manifest, layers: [{ ...layer, size: 1.5 }] }, /size/);
  refused(parseManifest, { ...manifest, layers: [{ ...layer, digest: "sha256:../../x" }] }, /digest/);
  refused(parseManifest, { ...manifest, layers: Array.from({ length: 5000 }, () => layer) }, /more than 4096/);
  refused(parseIndex, { schemaVersion: 2, manifests: [], layers: [] }, /ambiguous/);
  refused(parseIndex, { schemaVersion: 2, manifests: [{ ...layer, platform: { os: 1 } }] }, /platform/);
  refused(parseImageConfig, { ...image, os: "" }, /its os/);
  refused(parseImageConfig, { ...image, config: { Env: "A=1" } }, /config\.Env/);
  refused(parseImageConfig, { ...image, config: { Labels: { a: 1 } } }, /config\.Labels/);
  refused(parseImageConfig, { ...image, rootfs: { type: "layers", diff_ids: ["x"] } }, /diff_ids/);
  refused(parseImageConfig, { ...image, history: [1] }, /history\[0\]/);
  assert.throws(() => parseManifest(Buffer.from([0x7b, 0xff, 0x7d])), { code: "IMAGE_INVALID" });
  assert.throws(() => parseManifest(bytes({ schemaVersion: 1 })), { code: "IMAGE_SCHEMA1" });
});

test("a member named __proto__ stays data", () => {
  const parsed = parseManifest(Buffer.from(JSON.stringify(manifest).replace("{", '{"__proto__":{"polluted":1},')));
  assert.equal(Object.getPrototypeOf(parsed), Object.prototype);
  assert.match(Buffer.from(serializeManifest(parsed)).toString(), /"__proto__": \{\n {4}"polluted": 1/);
});

test("Go's JSON escapes what HTML and JavaScript would misread", () => {
  assert.equal(
    encodeGoJson({ "<k>": "a\u2028\u2029&\u0001\ud800\b", n: 1e3, l: [], o: {}, u: undefined }),
    '{"\\u003ck\\u003e":"a\\u2028\\u2029\\u0026\\u0001\ufffd\\b","n":1000,"l":[],"o":{}}',
  );
});

test("layer media types say their compression", () => {
  assert.equal(compressionOfLayer(mediaTypes.dockerLayerGzip), "gzip");
  assert.equal(compressionOfLayer(mediaTypes.ociLayerZstd), "zstd");
  assert.equal(compressionOfLayer("toString"), undefined);
  assert.equal(isLayer(mediaTypes.ociConfig), false);
});
