/** Where results go, and what the command line says of them. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { digestOf, listArchive, readEntry, readOciArchive } from "../kit/archive.ts";
import { describeEachWay } from "../kit/each-way.ts";

const files = {
  Dockerfile: "FROM scratch\nCOPY a.txt /\nCOPY --chown=12:34 --chmod=700 b /opt/b\nLABEL out=put\n",
  "a.txt": "a",
  b: "bb",
};

describeEachWay("outputs", (box) => {
  const out = box.write("out", {});
  let id = "";

  test("B13 B16 E03 E04 one build writes an image and both kinds of archives, and says what they are", async () => {
    const outputs = ["-o", "type=image", "-o", `type=oci,dest=${out}/oci.tar`, "-o", `type=docker,dest=${out}/docker.tar`];
    const says = [`--iidfile=${out}/id`, `--metadata-file=${out}/metadata.json`];
    const made = await box.build(files, ["-t", "out:1", "-t", "registry.example/team/out", ...outputs, ...says]);
    assert.equal(made.code, 0, made.stderr);
    assert.equal(made.stdout.toString(), "");
    id = readFileSync(`${out}/id`, "utf8");
    const oci = readOciArchive(readFileSync(`${out}/oci.tar`));
    assert.equal(oci.configDigest, id);
    const metadata = JSON.parse(readFileSync(`${out}/metadata.json`, "utf8")) as Record<string, unknown>;
    assert.equal(metadata["containerimage.config.digest"], id);
    assert.equal(metadata["image.name"], "docker.io/library/out:1,registry.example/team/out:latest");
    assert.equal((await box.succeed(["inspect", "-f", "{{.Id}}", "out:1"])).stdout.toString().trim(), id);
    const docker = readFileSync(`${out}/docker.tar`);
    const [entry] = JSON.parse(readEntry(docker, "manifest.json").toString()) as {
      Config: string;
      RepoTags: string[];
      Layers: string[];
    }[];
    assert.equal(digestOf(readEntry(docker, entry?.Config ?? "")), id);
    assert.deepEqual(entry?.RepoTags, ["out:1", "registry.example/team/out:latest"]);
    assert.equal(entry?.Layers.length, 2);
    const alone = await box.build(files, ["-o", `type=oci,dest=${out}/oci.tar`, `--metadata-file=${out}/metadata.json`]);
    assert.equal(alone.code, 0, alone.stderr);
    const { descriptor } = readOciArchive(readFileSync(`${out}/oci.tar`));
    const said = JSON.parse(readFileSync(`${out}/metadata.json`, "utf8")) as Record<string, unknown>;
    assert.equal(said["containerimage.digest"], descriptor.digest);
  });

  test("E05 E06 B19 the files of a result go to an archive, to stdout, or into a folder among what is there", async () => {
    mkdirSync(`${out}/folder`);
    writeFileSync(`${out}/folder/kept`, "kept");
    box.write("out", {});
    const written = await box.build(files, ["-o", `type=tar,dest=${out}/files.tar`, "-o", `${out}/folder`]);
    assert.equal(written.code, 0, written.stderr);
    assert.deepEqual(listArchive(readFileSync(`${out}/files.tar`)), ["a.txt", "opt/", "opt/b"]);
    assert.deepEqual(readdirSync(`${out}/folder`).toSorted(), ["a.txt", "kept", "opt"]);
    assert.equal(statSync(`${out}/folder/opt/b`).mode & 0o7777, 0o700);
    const piped = await box.build(files, ["-o", "-"]);
    assert.equal(piped.code, 0, piped.stderr);
    assert.deepEqual(piped.stdout, readFileSync(`${out}/files.tar`));
  });

  test("E03 an archive on stdout is the same as the one in a file, with the layers packed as asked", async () => {
    for (const [compression, type] of [
      ["gzip", "tar+gzip"],
      ["zstd", "tar+zstd"],
      ["uncompressed", "tar"],
    ] as const) {
      const attributes = `type=oci,compression=${compression},dest=`;
      // Layers that were packed before stay as they are, so each kind gets layers of its own.
      const own = { ...files, "a.txt": compression, b: compression };
      const piped = await box.build(own, ["-o", `${attributes}-`]);
      assert.equal(piped.code, 0, piped.stderr);
      assert.equal((await box.build(own, ["-o", `${attributes}${out}/${compression}.tar`])).code, 0);
      assert.deepEqual(piped.stdout, readFileSync(`${out}/${compression}.tar`));
      const { descriptor, configDigest } = readOciArchive(piped.stdout);
      const manifest = JSON.parse(readEntry(piped.stdout, `blobs/${descriptor.digest.replace(":", "/")}`).toString()) as {
        layers: { mediaType: string }[];
      };
      assert.ok(
        manifest.layers.every(({ mediaType }) => mediaType.endsWith(`.${type}`)),
        JSON.stringify(manifest.layers),
      );
      assert.notEqual(configDigest, "");
    }
  });

  test("B26 E07 E36 -q prints the image ID alone; cacheonly and a build without tags name nothing", async () => {
    const quiet = await box.varve(["build", "-q", box.path("context-1")]);
    assert.deepEqual([quiet.code, quiet.stdout.toString(), quiet.stderr], [0, `${id}\n`, ""]);
    const failing = await box.varve(["build", "-q", box.path("home")]);
    assert.notEqual(failing.code, 0);
    assert.equal(failing.stdout.toString(), "");
    const only = await box.build({ Dockerfile: "FROM scratch\nLABEL only=cache\n" }, ["-o", "type=cacheonly"]);
    assert.equal(only.code, 0, only.stderr);
    const { stdout } = await box.succeed(["images", "--format", "{{.Repository}}:{{.Tag}}"]);
    assert.deepEqual(stdout.toString().trim().split("\n").toSorted(), ["out:1", "registry.example/team/out:latest"]);
  });

  test("E03 an archive takes the place of an older one only when it is whole, and keeps no temporary file beside it", async () => {
    const before = readdirSync(out).toSorted();
    assert.equal((await box.build({ ...files, "a.txt": "other" }, ["-o", `type=oci,dest=${out}/oci.tar`])).code, 0);
    assert.notEqual(readOciArchive(readFileSync(`${out}/oci.tar`)).configDigest, id);
    assert.deepEqual(readdirSync(out).toSorted(), before);
  });
});
