/** What a running engine is asked and sent. The engine is the test's own: it keeps what it gets, and has what it says. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { after, before, test } from "node:test";
import { listArchive, readEntry } from "../kit/archive.ts";
import { describeOnce } from "../kit/each-way.ts";

describeOnce("running engines", (box) => {
  const socket = box.path("engine.sock");
  const context = `unix://${socket}`;
  const loads: Buffer[] = [];
  /** What the engine says of itself and of its images, and whether it takes what it gets. */
  let says: Readonly<Record<string, unknown>> = {};
  let refuses: (archive: Buffer) => string | undefined = () => undefined;
  let server: Server;

  before(async () => {
    server = createServer((request, response) => {
      const body: Buffer[] = [];
      request.on("data", (chunk: Buffer) => body.push(chunk));
      request.on("end", () => {
        const [path = ""] = (request.url ?? "").split("?");
        if (path.includes("removed")) return response.writeHead(404).end(JSON.stringify({ message: "No such image" }));
        if (path !== "/images/load") return response.end(JSON.stringify(says[path] ?? {}));
        const archive = Buffer.concat(body);
        loads.push(archive);
        const error = refuses(archive);
        return response.end(`${JSON.stringify(error === undefined ? { stream: "Loaded image" } : { error })}\n`);
      });
    });
    await new Promise<void>((resolve) => server.listen(socket, resolve));
  });
  after(() => void server.close());

  const files = { Dockerfile: "FROM scratch AS one\nCOPY one /one\nFROM one AS two\nCOPY two /two\n", one: "1", two: "2" };
  const send = async (target: string, ...args: string[]) =>
    await box.build(files, [`--target=${target}`, "-t", `sent:${target}`, "-o", `type=docker,context=${context}`, ...args]);
  const layersIn = (archive: Buffer): readonly boolean[] => {
    const [{ Layers = [] } = {}] = JSON.parse(readEntry(archive, "manifest.json").toString()) as { Layers?: string[] }[];
    const names = listArchive(archive);
    return Layers.map((layer) => names.includes(layer));
  };

  test("B15 E04 a Docker Engine gets an archive with the layers that none of its images has", async () => {
    says = {};
    const first = await send("one", `--metadata-file=${box.path("one.json")}`);
    assert.equal(first.code, 0, first.stderr);
    const archive = loads.at(-1) as Buffer;
    assert.deepEqual(layersIn(archive), [true]);
    const { "containerimage.config.digest": id = "" } = JSON.parse(readFileSync(box.path("one.json"), "utf8")) as Record<
      string,
      string
    >;
    const config = JSON.parse(readEntry(archive, `blobs/${id.replace(":", "/")}`).toString()) as {
      rootfs: { diff_ids: string[] };
    };
    says = {
      // one is removed by somebody else after it was listed
      "/images/json": [{ Id: "sha256:removed" }, { Id: id }],
      [`/images/${encodeURIComponent(id)}/json`]: { RootFS: { Type: "layers", Layers: config.rootfs.diff_ids } },
    };
    const second = await send("two");
    assert.equal(second.code, 0, second.stderr);
    assert.deepEqual(layersIn(loads.at(-1) as Buffer), [false, true]);
    refuses = (sent) => (layersIn(sent).includes(false) ? "no such file" : undefined);
    const lost = await send("two");
    assert.equal(lost.code, 0, lost.stderr);
    assert.deepEqual(layersIn(loads.at(-1) as Buffer), [true, true], "what it lost meanwhile is sent after all");
    refuses = () => undefined;
  });

  test("E04 containerd's store gets an OCI layout with all layers and platforms, Podman everything of one platform", async () => {
    says = { "/info": { DriverStatus: [["driver-type", "io.containerd.snapshotter.v1"]] } };
    const both = await send("two", "--platform=linux/amd64,linux/arm64");
    assert.equal(both.code, 0, both.stderr);
    assert.ok(!listArchive(loads.at(-1) as Buffer).includes("manifest.json"));
    says = { "/version": { Components: [{ Name: "Podman Engine" }] } };
    const sent = loads.length;
    const refused = await send("two", "--platform=linux/amd64,linux/arm64");
    assert.equal(refused.code, 2, refused.stderr);
    assert.match(refused.stderr, /docker exporter does not currently support exporting manifest lists/);
    assert.equal(loads.length, sent);
  });

  test("E04 an engine that refuses or is not there is told by its address", async () => {
    says = {};
    refuses = () => "out of space";
    const refused = await send("one");
    assert.equal(refused.code, 5, refused.stderr);
    assert.match(refused.stderr, /engine\.sock did not take the image: it refuses the image: out of space \[ENGINE_FAILED\]/);
    const gone = await box.build(files, ["-o", `type=docker,context=unix://${box.path("no.sock")}`]);
    assert.equal(gone.code, 5);
    assert.match(gone.stderr, /no\.sock did not take the image: .*ENOENT/);
  });
});
