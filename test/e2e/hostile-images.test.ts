/** Base images made to break out: whatever becomes of the build, what they name outside of their root stays untouched. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { describeEachWay } from "../kit/each-way.ts";
import { logOf } from "../kit/progress.ts";
import type { Sandbox } from "../kit/sandbox.ts";

const digest = (bytes: Buffer | string) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** An image archive (OCI layout) with the given layers, which need not be sound. */
function writeImage(box: Sandbox, name: string, layers: readonly Buffer[]): string {
  const folder = box.path("layouts", name);
  mkdirSync(`${folder}/blobs/sha256`, { recursive: true });
  const put = (bytes: Buffer, mediaType: string) => {
    writeFileSync(`${folder}/blobs/${digest(bytes).replace(":", "/")}`, bytes);
    return { mediaType, digest: digest(bytes), size: bytes.length };
  };
  const json = (value: unknown) => Buffer.from(JSON.stringify(value));
  const blobs = layers.map((layer) => put(gzipSync(layer), "application/vnd.oci.image.layer.v1.tar+gzip"));
  const architecture = process.arch === "x64" ? "amd64" : process.arch;
  const config = put(
    json({ os: "linux", architecture, config: {}, rootfs: { type: "layers", diff_ids: layers.map(digest) } }),
    "application/vnd.oci.image.config.v1+json",
  );
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const manifest = put(json({ schemaVersion: 2, mediaType, config, layers: blobs }), mediaType);
  writeFileSync(`${folder}/oci-layout`, '{"imageLayoutVersion":"1.0.0"}');
  const annotations = {
    "org.opencontainers.image.ref.name": "latest",
    "io.containerd.image.name": `docker.io/hostile/${name}:latest`,
  };
  writeFileSync(`${folder}/index.json`, JSON.stringify({ schemaVersion: 2, manifests: [{ ...manifest, annotations }] }));
  execFileSync("tar", ["-c", "-f", box.path(`${name}.tar`), "-C", folder, "oci-layout", "index.json", "blobs"]);
  return box.path(`${name}.tar`);
}

/** An archive made by GNU tar out of pieces, each from a folder of its own: later pieces may contradict earlier ones. */
function pieces(box: Sandbox, name: string, scripts: readonly string[], transform = ""): Buffer {
  const archive = box.path(`${name}.layer`);
  scripts.forEach((script, index) => {
    const folder = box.path("pieces", name, String(index));
    mkdirSync(folder, { recursive: true });
    execFileSync("sh", ["-ec", script], { cwd: folder });
    const names = readdirSync(folder);
    execFileSync("tar", [
      index === 0 ? "-c" : "-r",
      "-P",
      "-f",
      archive,
      "-C",
      folder,
      "--owner=0",
      "--group=0",
      ...(transform ? [`--transform=${transform}`] : []),
      ...names,
    ]);
  });
  return readFileSync(archive);
}

describeEachWay("hostile base images", (box) => {
  const outside = box.write("outside", { precious: "precious" });
  const load = async (name: string, layers: readonly Buffer[]) => {
    const archive = writeImage(box, name, layers);
    return await box.varve(["load", "-i", archive]);
  };
  const assertUntouched = () => {
    assert.deepEqual(readdirSync(outside), ["precious"]);
    assert.equal(readFileSync(`${outside}/precious`, "utf8"), "precious");
  };

  const attacks: readonly (readonly [string, readonly (() => Buffer)[]])[] = [
    [
      "replaces a link by a folder",
      [() => pieces(box, "links-out", [`ln -s ${outside} way`, "mkdir way; echo bad > way/precious; echo bad > way/new"])],
    ],
    [
      "climbs out by its names",
      [() => pieces(box, "climbs-out", ["echo bad > precious"], `s,^,${"../".repeat(12)}${outside.slice(1)}/,`)],
    ],
    ["has absolute names", [() => pieces(box, "absolute", ["echo bad > precious"], `s,^,${outside}/,`)]],
    ["writes through a link", [() => pieces(box, "hard-link-out", [`ln -s ${outside}/precious way`, "echo bad > way"])]],
    [
      "writes through a link of an earlier layer",
      [
        () => pieces(box, "later-1", [`ln -s ${outside} way`]),
        () => pieces(box, "later-2", ["mkdir way; echo bad > way/precious; touch way/.wh.precious"]),
      ],
    ],
    [
      "deletes through a link",
      [
        () => pieces(box, "whiteout-1", [`ln -s ${outside} way`]),
        () => pieces(box, "whiteout-2", ["mkdir way; touch way/.wh.precious way/.wh..wh..opq"]),
      ],
    ],
  ];
  for (const [what, layers] of attacks) {
    test(`F8 an image that ${what} touches nothing outside of its root`, async () => {
      const name = what.replaceAll(" ", "-");
      const loaded = await load(
        name,
        layers.map((make) => make()),
      );
      const built = await box.build({ Dockerfile: `FROM hostile/${name}\nCOPY Dockerfile /way/copied\nWORKDIR /way/deep\n` }, [
        "-o",
        "type=tar,dest=-",
      ]);
      assert.notEqual(loaded.code, 70, loaded.stderr);
      assert.notEqual(built.code, 70, built.stderr);
      assertUntouched();
    });
  }

  test("F8 CVE-2019-14271 links of an image lead a RUN, a mount, a user's files and a copy out nowhere", async () => {
    const base = await box.build(
      {
        Dockerfile: `FROM busybox\nRUN rm -rf /etc/passwd && ln -s ${outside} /way && ln -s ${outside}/precious /etc/passwd && ln -s ${outside}/made /made\n`,
      },
      ["-t", "hostile/links"],
    );
    assert.equal(base.code, 0, base.stderr);
    const dockerfile = [
      "FROM hostile/links AS links",
      "RUN --mount=type=bind,target=/way/mounted --mount=type=cache,target=/made cat /way/mounted/a; echo x > /made/x; true",
      "COPY a /way/precious",
      "COPY a /made",
      "WORKDIR /way/folder",
      "RUN cat /way/precious; pwd",
      "FROM busybox",
      "RUN --mount=from=links,target=/l cat /l/way/precious 2>&1; true",
    ].join("\n");
    const built = await box.build({ Dockerfile: dockerfile, a: "of the context\n" }, ["--target=links"]);
    assert.notEqual(built.code, 70, built.stderr);
    const mounted = await box.build({ Dockerfile: dockerfile, a: "of the context\n" }, []);
    if (mounted.code === 0) assert.doesNotMatch(logOf(mounted.stderr, "--mount=from=links").join("\n"), /^precious/);
    const user = await box.build({ Dockerfile: "FROM hostile/links\nCOPY --chown=precious Dockerfile /x\n" });
    assert.notEqual(user.code, 70, user.stderr);
    assertUntouched();
  });

  test("F8 CVE-2021-41089 a local output writes through no link that the result holds, nor one that lies in its way", async () => {
    const result = {
      Dockerfile: `FROM busybox AS b\nRUN mkdir /o && ln -s ${outside} /o/way\nFROM scratch\nCOPY --from=b /o /\nCOPY Dockerfile /way2/precious\n`,
    };
    const target = box.write("target", {});
    execFileSync("ln", ["-sfn", outside, `${target}/way2`]);
    const built = await box.build(result, ["-o", target]);
    assert.notEqual(built.code, 70, built.stderr);
    assertUntouched();
  });
});
