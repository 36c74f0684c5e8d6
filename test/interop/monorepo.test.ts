/** examples/monorepo, built and pushed by its Makefile as its authors would with Docker. */
import assert from "node:assert/strict";
import { appendFileSync, cpSync } from "node:fs";
import { resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import { after, before, test } from "node:test";
import { digestOf, readEntry } from "../kit/archive.ts";
import { start } from "../kit/command.ts";
import { aliasDocker } from "../kit/docker-alias.ts";
import { describeOnce } from "../kit/each-way.ts";
import { startRegistry, type Registry } from "../kit/registry.ts";

const repo = resolve(import.meta.dirname, "../..");

interface Descriptor {
  readonly digest: string;
  readonly platform?: Readonly<Record<string, string>>;
}

describeOnce("the monorepo's services", (box) => {
  let registry: Registry;
  const get = async (service: string, path: string): Promise<Buffer> => {
    const accept = ["index", "manifest"].map((kind) => `application/vnd.oci.image.${kind}.v1+json`).join(", ");
    const response = await fetch(`http://${registry.host}/v2/monorepo/${service}/${path}`, { headers: { accept } });
    assert.equal(response.status, 200, path);
    return Buffer.from(await response.arrayBuffer());
  };
  const parse = <T>(bytes: Buffer): T => JSON.parse(bytes.toString()) as T;

  before(async () => {
    registry = await startRegistry(box.path("registry"));
    appendFileSync(box.path("varve.toml"), registry.settings);
    cpSync(`${repo}/examples/monorepo`, box.path("monorepo"), { recursive: true });
  });
  after(async () => await registry.stop());

  test("B20 B21 E02 make docker-deployx pushes one index with the service for both platforms", async () => {
    const env = aliasDocker(box);
    for (const service of ["user", "order"]) {
      const words = ["make", "docker-deployx", `SERVICE=${service}`, `REGISTER=${registry.host}`, "VERSION=v1.2"];
      const made = await start(words, { cwd: box.path("monorepo"), env }).result;
      assert.equal(made.code, 0, made.stderr);
      assert.match(made.stderr, /\[linux\/arm64 final 2\/2\] COPY|\[linux\/amd64 final 2\/2\] COPY/);
      const { manifests } = parse<{ manifests: Descriptor[] }>(await get(service, "manifests/v1.2"));
      const images = manifests.filter(({ platform }) => platform?.["os"] === "linux");
      assert.deepEqual(
        images.map(({ platform }) => platform?.["architecture"]),
        ["arm64", "amd64"],
      );
      for (const [index, machine] of [183, 62].entries()) {
        const manifest = await get(service, `manifests/${images[index]?.digest}`);
        assert.equal(digestOf(manifest), images[index]?.digest);
        const { config, layers } = parse<{ config: Descriptor; layers: Descriptor[] }>(manifest);
        const image = parse<{ config: { Entrypoint: string[]; ExposedPorts: object } }>(
          await get(service, `blobs/${config.digest}`),
        );
        assert.deepEqual(image.config.Entrypoint, ["/app/service"]);
        assert.deepEqual(Object.keys(image.config.ExposedPorts), ["30003/tcp", "30004/tcp"]);
        const program = readEntry(gunzipSync(await get(service, `blobs/${layers.at(-1)?.digest}`)), "app/service");
        assert.equal(program.readUInt16LE(18), machine, "the program's architecture (ELF's e_machine)");
        assert.ok(program.includes("v1.2"), "the version is in the program");
      }
    }
  });
});
