/** Images of several platforms with everything that can be asked for, in the hands of other tools. */
import assert from "node:assert/strict";
import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { succeed } from "../kit/command.ts";
import { describeOnce } from "../kit/each-way.ts";
import { openDocker, openPodman, type Engine } from "../kit/engines.ts";
import { checkLayout } from "../kit/oci-documents.ts";
import { startRegistry, type Registry } from "../kit/registry.ts";
import { hasProgram, isRoot } from "../kit/ways.ts";

const files = { Dockerfile: 'FROM busybox\nARG TARGETARCH\nCOPY Dockerfile /for-$TARGETARCH\nCMD ["ls", "/for-amd64"]\n' };
const two = ["--platform=linux/amd64,linux/arm64"];
const annotations = ["annotation.a=b", "annotation-index.c=d", "annotation-manifest-descriptor.e=f"].join(",");
const isNative = process.arch === "x64";
const without = (tool: string): string | false => (hasProgram(tool) ? false : `there is no ${tool}`);

describeOnce("images of several platforms and other tools", (box) => {
  const name = `varve.test/several-${process.pid}:1`;
  const zstd = box.path("zstd.tar");
  const gzip = box.path("gzip.tar");
  let registry: Registry;
  let remote = "";

  before(async () => {
    registry = await startRegistry(box.path("registry"));
    appendFileSync(box.path("varve.toml"), `\n${registry.settings}`);
    remote = `${registry.host}/team/several:1`;
    const built = await box.build(files, [
      ...two,
      "-t",
      name,
      "-o",
      `type=oci,dest=${zstd},compression=zstd,force-compression=true,${annotations}`,
      "-o",
      `type=oci,dest=${gzip},${annotations}`,
    ]);
    assert.equal(built.code, 0, built.stderr);
    const pushed = await box.build(files, [...two, "-t", remote, "-o", `type=registry,compression=zstd,${annotations}`]);
    assert.equal(pushed.code, 0, pushed.stderr);
  });
  after(async () => await registry.stop());

  test("E03 E20 E29 two platforms with zstd layers and annotations have all that the OCI image-spec requires", async () => {
    for (const [archive, folder] of [
      [zstd, box.path("layout-zstd")],
      [gzip, box.path("layout-gzip")],
    ] as const) {
      mkdirSync(folder);
      await succeed(["tar", "-xf", archive, "-C", folder]);
      assert.equal(checkLayout(folder), 2);
    }
  });

  test(
    "E03 E20 E29 skopeo reads the index and the annotations, and umoci unpacks one platform",
    { skip: without("skopeo") || without("umoci") },
    async () => {
      for (const place of [`oci-archive:${zstd}`, `docker://${remote}`]) {
        const raw = JSON.parse(await succeed(["skopeo", "inspect", "--raw", "--tls-verify=false", place])) as {
          manifests: { platform: { architecture: string }; annotations: Record<string, string> }[];
          annotations: Record<string, string>;
        };
        assert.deepEqual(raw.annotations, { c: "d" });
        assert.deepEqual(
          raw.manifests.map(({ platform }) => platform.architecture),
          ["amd64", "arm64"],
        );
        assert.deepEqual(raw.manifests[1]?.annotations, { e: "f" });
      }
      const copy = ["skopeo", "--insecure-policy", "copy", "-q", "--override-arch=arm64"];
      for (const [archive, layout] of [
        [zstd, "one-zstd"],
        [gzip, "one-gzip"],
      ] as const)
        await succeed([...copy, `oci-archive:${archive}`, `oci:${box.path(layout)}:1`]);
      const { history } = JSON.parse(await succeed(["umoci", "stat", "--json", "--image", `${box.path("one-zstd")}:1`])) as {
        history: { created_by?: string }[];
      };
      assert.ok(history.some(({ created_by: by = "" }) => by.includes("COPY Dockerfile /for-arm64")));
      // umoci takes zstd from version 0.5 on
      await succeed([
        "umoci",
        "unpack",
        ...(isRoot ? [] : ["--rootless"]),
        "--image",
        `${box.path("one-gzip")}:1`,
        box.path("bundle"),
      ]);
      assert.equal(readFileSync(box.path("bundle/rootfs/for-arm64"), "utf8"), files.Dockerfile);
    },
  );

  for (const kind of ["docker", "podman"] as const) {
    describe(kind, () => {
      let engine: Engine | string;
      before(
        async () => void (engine = kind === "podman" ? openPodman(box.path("podman")) : await openDocker(box.path("docker"))),
      );
      after(async () => {
        if (typeof engine !== "string") await engine.stop();
      });

      test(`E03 E04 B15 ${kind} loads the archive of two platforms, and takes an image over its API`, async (t) => {
        if (typeof engine === "string") return t.skip(engine);
        if (engine.withoutOci !== undefined) return t.skip(engine.withoutOci);
        if (!isNative) return t.skip("the images say what they are for on amd64");
        if (kind === "docker") {
          await engine.run("load", "-q", "-i", zstd);
          assert.equal(await engine.run("run", ...engine.runFlags, name), "/for-amd64\n");
          await engine.run("rmi", "-f", name);
        }
        const service = kind === "podman" ? await servePodman(engine, box.path("podman.sock")) : undefined;
        t.after(async () => await service?.stop());
        const address = service?.address ?? addressOfDocker(box.path("docker/docker.sock"));
        const sent = await box.build(files, ["-t", name, "-o", `type=docker,context=${address}`]);
        assert.equal(sent.code, 0, sent.stderr);
        assert.equal(await engine.run("run", ...engine.runFlags, name), "/for-amd64\n");
        await engine.run("rmi", "-f", name);
      });
    });
  }
});

function addressOfDocker(own: string): string {
  return existsSync(own) ? `unix://${own}` : (process.env["DOCKER_HOST"] ?? "unix:///var/run/docker.sock");
}

async function servePodman(engine: Engine, socket: string): Promise<{ address: string; stop: () => Promise<void> }> {
  const service = engine.start("system", "service", "--time=0", `unix://${socket}`);
  for (const begin = Date.now(); !(await answers(socket)); await sleep(100))
    assert.ok(Date.now() - begin < 120_000, "podman's service does not answer");
  return {
    address: `unix://${socket}`,
    async stop() {
      service.kill("SIGTERM");
      await service.result;
    },
  };
}

/** True as soon as somebody speaks HTTP at a socket. */
async function answers(socketPath: string): Promise<boolean> {
  return await new Promise((resolve) => {
    request({ socketPath, path: "/_ping" }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    })
      .on("error", () => resolve(false))
      .end();
  });
}
