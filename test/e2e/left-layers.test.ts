/** Layers of base images that nobody needs the files of: they stay in their registry until somebody does. */
import assert from "node:assert/strict";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { listArchive } from "../kit/archive.ts";
import { describeEachWay } from "../kit/each-way.ts";
import { startRegistry, type Registry } from "../kit/registry.ts";

interface Manifest {
  readonly layers: readonly { readonly digest: string }[];
}

describeEachWay("layers left in a registry", (box) => {
  let registry: Registry;
  let base = "";
  let layers: readonly string[] = [];
  before(async () => {
    registry = await startRegistry(box.path("registry"));
    appendFileSync(box.path("varve.toml"), registry.settings);
    base = `${registry.host}/base:1`;
    const files = { Dockerfile: "FROM busybox\nCOPY big /big\n", big: "a large file" };
    const made = await box.build(files, ["-t", base, "--push"], { store: "maker" });
    assert.equal(made.code, 0, made.stderr);
    layers = await layersAt("base");
  });
  after(async () => await registry.stop());

  async function layersAt(repository: string): Promise<readonly string[]> {
    const headers = { accept: "application/vnd.oci.image.manifest.v1+json" };
    const answer = await fetch(`http://${registry.host}/v2/${repository}/manifests/1`, { headers });
    return ((await answer.json()) as Manifest).layers.map(({ digest }) => digest);
  }
  const areHere = (store: string): readonly boolean[] =>
    layers.map((digest) => existsSync(box.path(store, "blobs", digest.replace(":", "/"))));
  const none = [false, false];
  const all = [true, true];
  const unneeded = (): string => `FROM ${base}\nENV A=b\nCOPY --link own /own\n`;
  const own = "a file of its own";

  test("S07 a build that changes the config and links files over a base fetches none of its layers; a later one fetches what it needs", async () => {
    const built = await box.build({ Dockerfile: unneeded(), own }, ["-t", "light"]);
    assert.equal(built.code, 0, built.stderr);
    assert.deepEqual(areHere("store"), none);
    await box.succeed(["inspect", "light"]);
    const { stdout: before } = await box.succeed(["images", "--format={{.Size}}", "light"]);
    const { stdout: steps } = await box.succeed(["history", "light", "--format={{.CreatedBy}}"]);
    assert.match(steps.toString(), /COPY big \/big/);
    await box.succeed(["builder", "prune", "-af"]);
    await box.succeed(["system", "df"]);
    const called = await box.build({ Dockerfile: unneeded(), own }, ["--call=outline"]);
    assert.equal(called.code, 0, called.stderr);
    assert.deepEqual(areHere("store"), none);
    const needing = await box.build({ Dockerfile: `${unneeded()}RUN cat /big /own >/both\n`, own }, ["-t", "heavy"]);
    assert.equal(needing.code, 0, needing.stderr);
    assert.deepEqual(areHere("store"), all);
    const { stdout: size } = await box.succeed(["images", "--format={{.Size}}", "light"]);
    assert.notEqual(size.toString(), before.toString(), "the size is that of the files once they are here");
    const out = box.path("out");
    const exported = await box.build({ Dockerfile: `FROM heavy\nENV C=d\n` }, ["-o", out]);
    assert.equal(exported.code, 0, exported.stderr);
    assert.equal(readFileSync(`${out}/both`, "utf8"), `a large file${own}`);
  });

  test("S07 a push has the registry take the layers from the repository that has them, and an image without any is made for no output", async () => {
    const pushed = await box.build({ Dockerfile: unneeded(), own }, ["-t", `${registry.host}/made:1`, "--push"], {
      store: "pusher",
    });
    assert.equal(pushed.code, 0, pushed.stderr);
    const cached = await box.build({ Dockerfile: unneeded(), own }, ["-o", "type=cacheonly"], { store: "pusher" });
    assert.equal(cached.code, 0, cached.stderr);
    assert.deepEqual(areHere("pusher"), none);
    assert.deepEqual((await layersAt("made")).slice(0, 2), layers);
    await box.succeed(["tag", `${registry.host}/made:1`, `${registry.host}/again:1`], { store: "pusher" });
    await box.succeed(["push", `${registry.host}/again:1`], { store: "pusher" });
    assert.deepEqual(areHere("pusher"), none);
    assert.deepEqual(await layersAt("again"), await layersAt("made"));
    const out = box.path("pulled");
    const read = await box.build({ Dockerfile: `FROM ${registry.host}/again:1\n` }, ["-o", out], { store: "reader" });
    assert.equal(read.code, 0, read.stderr);
    assert.equal(readFileSync(`${out}/big`, "utf8") + readFileSync(`${out}/own`, "utf8"), `a large file${own}`);
  });

  test("S07 another registry gets the layers through here, an archive too, unpack=true has them unpacked; without their registry they are told to be missing", async () => {
    const other = await startRegistry(box.path("other"));
    appendFileSync(box.path("varve.toml"), other.settings);
    try {
      const pushed = await box.build({ Dockerfile: unneeded(), own }, ["-t", `${other.host}/made:1`, "--push"], {
        store: "third",
      });
      assert.equal(pushed.code, 0, pushed.stderr);
      assert.deepEqual(areHere("third"), all);
    } finally {
      await other.stop();
    }
    const light = await box.build({ Dockerfile: unneeded(), own }, ["-t", "light"], { store: "fourth" });
    assert.equal(light.code, 0, light.stderr);
    assert.deepEqual(areHere("fourth"), none);
    const { stdout: archive } = await box.succeed(["save", "light"], { store: "fourth" });
    assert.deepEqual(areHere("fourth"), all);
    for (const digest of layers) assert.ok(listArchive(archive).includes(`blobs/${digest.replace(":", "/")}`));
    const whole = await box.build({ Dockerfile: unneeded(), own }, ["-o", "type=image,name=whole,unpack=true"], {
      store: "fifth",
    });
    assert.equal(whole.code, 0, whole.stderr);
    assert.deepEqual(areHere("fifth"), all);

    const lost = await box.build({ Dockerfile: unneeded(), own }, ["-t", "lost"], { store: "sixth" });
    assert.equal(lost.code, 0, lost.stderr);
    await registry.stop();
    const refused = await box.varve(["save", "lost", "-o", box.path("lost.tar")], { store: "sixth" });
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /a layer of .*base was left in its registry, which does not give it: .* \[IMAGE_INCOMPLETE\]/);
    await box.succeed(["rmi", "lost"], { store: "sixth" });
    await box.succeed(["system", "prune", "-af"], { store: "sixth" });
  });
});
