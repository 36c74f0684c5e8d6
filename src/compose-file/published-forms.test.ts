import assert from "node:assert/strict";
import test from "node:test";
import { includesFiles, isRemoteFile, loadProject, networkHash, replaceFiles, volumeHash } from "./index.ts";

const text = `# kept
services:
  web:
    extends: { file: base.yaml, service: web } # kept, too
    env_file: \${NAME}.env
  other:
    extends: { service: web }
    env_file:
      - one.env
      - path: "two.env"
        required: false
`;

test("M28 files that services name get other names, and nothing else changes", () => {
  const named: string[] = [];
  const replaced = replaceFiles(
    { name: "compose.yaml", text },
    {
      environment: { NAME: "web" },
      rename({ kind, path }) {
        named.push(`${kind} ${path}`);
        return path === "one.env" ? undefined : "new";
      },
    },
  );
  assert.deepEqual(named, ["extends base.yaml", "env_file web.env", "env_file one.env", "env_file two.env"]);
  assert.equal(
    replaced,
    text
      .replace("base.yaml", '"new"')
      .replace("$" + "{NAME}.env", '"new"')
      .replace('"two.env"', '"new"'),
  );
});

test("M28 includes of this machine's files are seen, those of others are not", () => {
  const includes = (yaml: string): boolean => includesFiles({ name: "x", text: yaml }, isRemoteFile);
  assert.equal(includes("include: [other.yaml]"), true);
  assert.equal(includes("include: [{ path: [oci://host/app, ./b.yaml] }]"), true);
  assert.equal(includes("include: [oci://host/app]"), false);
  assert.equal(includes("services: {}"), false);
});

test("M81 the hashes of networks and volumes are Docker Compose's", () => {
  // Labels that Docker Compose 2.40.3 gave to a project's default network and a volume without settings.
  const network = "b8bc9cd3c7d6f49467008af51cfd08ad481026de531f42044cd481c57423e992";
  assert.equal(networkHash({ name: "cbp1_default" }), network);
  assert.notEqual(networkHash({ name: "cbp1_default", internal: true }), network);
  const volume = "9749dd581587d9162e11f9ff7346bdbb2dd648250d32728c1f2667f6c334f83b";
  assert.equal(volumeHash({ name: "cbp1_data" }), volume);
  assert.equal(volumeHash({ name: "cbp1_data", driver: "local" }), volume);
  assert.notEqual(volumeHash({ name: "cbp1_data", labels: { a: "b" } }), volume);
});

test("M20 M29 files from elsewhere are got once they are named, also by COMPOSE_FILE; the folder of the call names the project", async () => {
  const files: Readonly<Record<string, string>> = {
    "/cache/1/compose.yaml": "services: { web: { image: a, env_file: web.env } }\n---\nservices: { web: { labels: { x: $X } } }",
    "/cache/1/web.env": "A=b",
    "/here/.env": "X=of the folder",
    "/here/over.yaml": "services: { web: { command: [b] } }",
  };
  const got: string[] = [];
  const load = async (given: { readonly files?: readonly string[]; readonly env?: Readonly<Record<string, string>> }) =>
    await loadProject({
      cwd: "/here",
      env: given.env ?? {},
      ...(given.files === undefined ? {} : { files: given.files }),
      access: {
        readFile: async (path) => await Promise.resolve(files[path]),
        kindOf: async (path) => await Promise.resolve(path in files ? "file" : undefined),
        async fetchRemote(url) {
          got.push(url);
          return await Promise.resolve("/cache/1/compose.yaml");
        },
      },
    });
  const project = await load({ files: ["oci://host:5000/app:1"] });
  assert.deepEqual([project.name, project.workingDir], ["here", "/cache/1"]);
  const { environment, labels } = project.services["web"] ?? {};
  assert.deepEqual([environment, labels], [{ A: "b" }, { x: "of the folder" }]);
  const second = await load({ env: { COMPOSE_FILE: "oci://host:5000/app:1" } });
  assert.deepEqual(second.services["web"]?.command, undefined);
  const third = await load({ env: { COMPOSE_FILE: "https://host/app.git#main|over.yaml", COMPOSE_PATH_SEPARATOR: "|" } });
  assert.deepEqual(third.services["web"]?.command, ["b"]);
  assert.equal(got.length, 3);
});
