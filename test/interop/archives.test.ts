/** Archives that other tools read, and archives of other tools that Varve reads. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { after, before, describe, test, type TestContext } from "node:test";
import { succeed } from "../kit/command.ts";
import { describeOnce } from "../kit/each-way.ts";
import { openDocker, openPodman, type Engine } from "../kit/engines.ts";
import { startRegistry } from "../kit/registry.ts";
import { hasProgram, isRoot } from "../kit/ways.ts";

const files = {
  Dockerfile: 'FROM busybox\nCOPY Dockerfile /copied\nRUN echo run > /ran && rm /copied\nENV A=1\nCMD ["cat", "/ran"]\n',
};
const unique = `interop-${process.pid}`;
const tools = ["skopeo", "umoci"] as const;

describeOnce("archives and other tools", (box) => {
  const archive = (type: "oci" | "docker") => box.path(`${type}.tar`);
  const name = `varve.test/${unique}:1`;
  let id = "";
  let layers = "";
  const layersOf = async (image: string, store?: string) =>
    (await box.succeed(["inspect", "-f", "{{json .RootFS}}", image], store === undefined ? {} : { store })).stdout.toString();
  /** Loads an archive into an empty store and checks that it is the image that was built. */
  const assertLoads = async (path: string, store: string) => {
    const loaded = await box.succeed(["load", "-i", path], { store });
    assert.match(loaded.stdout.toString(), new RegExp(`^Loaded image: ${name}\n$`));
    assert.equal(await layersOf(name, store), layers);
    const child = await box.build(
      { Dockerfile: `FROM ${name}\nRUN test "$A" = 1 && cat /ran && test ! -e /copied\n` },
      ["-t", `varve.test/child-${store}`],
      { store },
    );
    assert.equal(child.code, 0, child.stderr);
  };

  before(async () => {
    const built = await box.build(files, [
      "-t",
      name,
      "-o",
      "type=image",
      "-o",
      `type=oci,dest=${archive("oci")}`,
      "-o",
      `type=docker,dest=${archive("docker")}`,
    ]);
    assert.equal(built.code, 0, built.stderr);
    id = (await box.succeed(["inspect", "-f", "{{.Id}}", name])).stdout.toString().trim();
    layers = await layersOf(name);
  });

  for (const tool of tools) {
    const skip = hasProgram(tool) ? false : `there is no ${tool}`;
    if (tool === "skopeo") {
      test("E03 E04 skopeo inspects both kinds of archives", { skip }, async () => {
        for (const type of ["oci", "docker"] as const) {
          const { Env, Layers } = JSON.parse(await succeed(["skopeo", "inspect", `${type}-archive:${archive(type)}`])) as {
            Env: string[];
            Layers: string[];
          };
          assert.ok(Env.includes("A=1"));
          assert.equal(Layers.length, (JSON.parse(layers) as { Layers: string[] }).Layers.length);
        }
      });

      test("E03 E04 varve loads what skopeo writes", { skip }, async () => {
        for (const type of ["oci-archive", "docker-archive"]) {
          const copy = box.path(`skopeo-${type}.tar`);
          await succeed([
            "skopeo",
            "--insecure-policy",
            "copy",
            "-q",
            `docker-archive:${archive("docker")}`,
            `${type}:${copy}:${name}`,
          ]);
          await assertLoads(copy, `skopeo-${type}`);
        }
      });

      test(
        "skopeo copies an image that varve pushed, and the blobs are those that varve said",
        { skip },
        async (t: TestContext) => {
          const registry = await startRegistry(box.path("registry"));
          t.after(async () => await registry.stop());
          const config = box.write("pushing", {
            "varve.toml": `${readFileSync(box.path("varve.toml"), "utf8")}\n${registry.settings}`,
          });
          const remote = `${registry.host}/team/pushed:1`;
          await box.succeed(["tag", name, remote]);
          await box.succeed(["push", remote], { env: { VARVE_CONFIG: `${config}/varve.toml` } });
          const raw = JSON.parse(await succeed(["skopeo", "inspect", "--tls-verify=false", "--raw", `docker://${remote}`])) as {
            config: { digest: string };
          };
          assert.equal(raw.config.digest, id);
          const copy = box.path("pulled.tar");
          await succeed([
            "skopeo",
            "--insecure-policy",
            "copy",
            "-q",
            "--src-tls-verify=false",
            `docker://${remote}`,
            `oci-archive:${copy}:${name}`,
          ]);
          await assertLoads(copy, "pulled");
        },
      );
    } else {
      test("E03 umoci unpacks an archive's layout to the files that were built", { skip }, async () => {
        const layout = box.path("layout");
        mkdirSync(layout);
        await succeed(["tar", "-xf", archive("oci"), "-C", layout]);
        await succeed(["umoci", "unpack", ...(isRoot ? [] : ["--rootless"]), "--image", `${layout}:1`, box.path("bundle")]);
        assert.equal(readFileSync(box.path("bundle/rootfs/ran"), "utf8"), "run\n");
        assert.throws(() => readFileSync(box.path("bundle/rootfs/copied")), { code: "ENOENT" });
      });
    }
  }

  for (const kind of ["podman", "docker"] as const) {
    describe(`${kind}`, () => {
      let engine: Engine | string;
      before(
        async () => void (engine = kind === "podman" ? openPodman(box.path("podman")) : await openDocker(box.path("docker"))),
      );
      after(async () => {
        if (typeof engine !== "string") await engine.stop();
      });
      for (const type of ["docker", "oci"] as const) {
        test(`E03 E04 ${kind} loads an archive of type=${type}, runs it, and saves what varve loads`, async (t) => {
          if (typeof engine === "string") return t.skip(engine);
          if (type === "oci" && engine.withoutOci !== undefined) return t.skip(engine.withoutOci);
          await engine.run("load", "-q", "-i", archive(type));
          assert.equal(await engine.run("run", ...engine.runFlags, name), "run\n");
          const saved = box.path(`${kind}-saved-${type}.tar`);
          await engine.run("save", "-o", saved, name);
          await engine.run("rmi", "-f", name);
          await assertLoads(saved, `${kind}-${type}`);
        });
      }
    });
  }
});
