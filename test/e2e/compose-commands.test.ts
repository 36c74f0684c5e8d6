/** Commands of Compose on a small project: what they would do, what they tell, and what changed definitions lead to. */
import assert from "node:assert/strict";
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { listArchive } from "../kit/archive.ts";
import { describeEachWay } from "../kit/each-way.ts";
import { startGitServer } from "../kit/git-server.ts";
import { startRegistry, type Registry } from "../kit/registry.ts";

const compose = `
services:
  db:
    image: busybox
    command: [sh, -c, "while :; do sleep 1; done"]
    stop_signal: SIGKILL
    volumes: ["data:/data"]
    networks: [back]
  web:
    build: { dockerfile_inline: "FROM busybox\\nRUN echo web >/name\\n" }
    command: [cat]
    stdin_open: true
    stop_signal: SIGKILL
    depends_on: { db: { condition: service_started } }
  job:
    image: busybox
    profiles: [jobs]
    command: ["true"]
volumes: { data: { labels: { made: "\${VOLUME:-first}" } } }
networks: { back: { labels: { made: "\${NETWORK:-first}" } } }
`;

describeEachWay("commands of a Compose project", (box) => {
  const cwd = box.path("small");
  const run = async (args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
    await box.varve(["compose", ...args], { cwd, env: more, input: "" });
  const succeed = async (args: readonly string[], more: Readonly<Record<string, string>> = {}) => {
    const result = await run(args, more);
    assert.equal(result.code, 0, `compose ${args.join(" ")} ended with ${result.code}:\n${result.stderr}`);
    return { stdout: result.stdout.toString(), stderr: result.stderr };
  };
  const refused = async (args: readonly string[], message: RegExp) => {
    const { code, stderr } = await run(args);
    assert.equal(code, 1, stderr);
    assert.match(stderr, message);
  };
  const ids = async (): Promise<string> => (await succeed(["ps", "-aq"])).stdout;
  const listed = async (...args: string[]): Promise<string> => (await box.succeed(args)).stdout.toString();

  before(() => void box.write("small", { "compose.yaml": compose }));
  after(async () => {
    await run(["kill", "--remove-orphans"]);
    await run(["down", "-v", "--remove-orphans", "--rmi", "local"]);
  });

  test("M20 --dry-run tells what would be built, made and started, wherever it stands, and makes nothing", async () => {
    const expected = [
      "web ==> ==> naming to small-web ",
      "Network small_back  Created",
      "Volume small_data  Created",
      "Container small-db-1  Created",
      "Container small-web-1  Started",
    ];
    for (const args of [
      ["--dry-run", "up", "-d"],
      ["up", "--dry-run"],
    ]) {
      const { stdout, stderr } = await succeed(args);
      for (const line of expected) assert.ok(stderr.includes(` DRY-RUN MODE -  ${line}\n`), `${line} is not in\n${stderr}`);
      assert.equal(stdout.includes("interactive run is not supported in dry-run mode"), args[0] === "up");
    }
    assert.equal(await listed("ps", "-aq"), "");
    assert.equal(await listed("volume", "ls", "-q"), "");
    assert.equal(await listed("network", "ls", "-q", "--filter", "type=custom"), "");
    assert.doesNotMatch(await listed("images"), /small-web/);
  });

  test("M20 M22 M23 --dry-run plans with what is there: recreation, removal, scale and the end of it all", async () => {
    await succeed(["up", "-d"]);
    const now = await ids();
    const plan = async (...args: string[]): Promise<string> => (await succeed(["--dry-run", ...args])).stderr;
    assert.doesNotMatch(await plan("up", "-d"), /Creat|Start/);
    assert.match(await plan("up", "-d", "--force-recreate"), /DRY-RUN MODE - {2}Container small-web-1 {2}Recreated\n/);
    assert.match(await plan("up", "-d", "--scale", "db=2"), /Container small-db-2 {2}Started\n/);
    assert.match(await plan("stop"), /Container small-web-1 {2}Stopped[^]*Container small-db-1 {2}Stopped\n/);
    const down = await plan("down", "-v", "--rmi", "local");
    for (const what of ["Container small-db-1", "Network small_back", "Volume small_data", "Image small-web:latest"])
      assert.ok(down.includes(`${what}  Removed\n`), down);
    assert.match(await plan("cp", "db:/etc/passwd", box.path("passwd")), /small-db-1 copy .* Copied\n/);
    assert.equal(existsSync(box.path("passwd")), false);
    assert.match(
      (await succeed(["--dry-run", "--progress", "json", "kill"])).stderr,
      /^\{"dry-run":true,"id":"Container small-db-1","status":"Killing"\}$/m,
    );
    await refused(["--dry-run", "exec", "db", "true"], /interactive exec is not supported in dry-run mode/);
    await refused(["run", "--dry-run", "db", "true"], /interactive run is not supported in dry-run mode/);
    assert.equal(await ids(), now);
    assert.equal((await succeed(["ps", "--services", "--status", "running"])).stdout, "db\nweb\n");
  });

  test("M28 volumes and stats show those of the project or of services", async () => {
    assert.equal((await succeed(["volumes"])).stdout, "DRIVER    VOLUME NAME\nlocal     small_data\n");
    assert.equal((await succeed(["volumes", "web", "-q"])).stdout, "");
    const [volume] = (await succeed(["volumes", "--format", "json", "db"])).stdout.split("\n");
    assert.equal((JSON.parse(volume ?? "") as { readonly Name: string }).Name, "small_data");
    const names = (await succeed(["stats", "--no-stream", "--format", "{{.Name}} {{.Container}}"])).stdout.trim().split("\n");
    assert.deepEqual(new Set(names.map((line) => line.split(" ")[0])), new Set(["small-db-1", "small-web-1"]));
    assert.ok(names.every((line) => / [0-9a-f]{64}$/.test(line)));
    assert.match((await succeed(["stats", "--no-stream", "nosuch"])).stdout, /^CONTAINER ID .*\n$/);
  });

  test("M28 events of the project's services, as lines and as JSON", async () => {
    await succeed(["restart", "db"]);
    const lines = (await succeed(["events", "--since", "1h", "--until", "0s", "db"])).stdout;
    assert.match(lines, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6} container restart [0-9a-f]{64} \(.*name=small-db-1.*\)\n\n/m);
    assert.doesNotMatch(lines, /com\.docker\.compose|small-web/);
    const json = (await succeed(["events", "--json", "--since", "1h", "--until", "0s"])).stdout.trim().split("\n");
    const actions = json.map((line) => JSON.parse(line) as { readonly service: string; readonly action: string });
    for (const wanted of ["web start", "db die", "db restart"])
      assert.ok(
        actions.some(({ service, action }) => `${service} ${action}` === wanted),
        json.join("\n"),
      );
  });

  test("M28 attach connects to the streams of a running container, and is refused where none runs", async () => {
    const attached = box.start(["compose", "attach", "web"], { cwd, input: "typed\n" });
    await attached.waitFor(/typed/, { stream: "stdout" });
    await succeed(["kill", "web"]);
    assert.equal((await attached.result).code, 137);
    await refused(["attach", "web"], /service "web" is not running/);
    await refused(["attach", "--index", "7", "db"], /service "db" is not running container #7/);
    await refused(["wait", "web"], /no containers for project "small"/);
    assert.match((await run(["kill", "nosuch"])).stderr, /no container to kill/);
    await succeed(["start", "web"]);
  });

  test("M28 cp goes into all containers of a service and comes out of the first; export and commit take what is there", async () => {
    await succeed(["up", "-d", "--scale", "web=2"]);
    box.write("files", { note: "a note\n" });
    const { stderr } = await succeed(["cp", box.path("files", "note"), "web:/note"]);
    assert.match(stderr, /^ small-web-1 copy .*\/note to small-web-1:\/note Copied\n small-web-2 copy /m);
    assert.equal((await succeed(["exec", "-T", "--index", "2", "web", "cat", "/note"])).stdout, "a note\n");
    await succeed(["export", "-o", box.path("files", "web.tar"), "web"]);
    assert.ok(listArchive(readFileSync(box.path("files", "web.tar"))).includes("note"));
    assert.match((await succeed(["commit", "-m", "noted", "web", "small-noted"])).stderr, /Committed as sha256:[0-9a-f]{64}\n/);
    assert.match(await listed("images"), /small-noted/);
    await box.succeed(["rmi", "small-noted"]);
    await refused(["export", "job"], /service "job" is not running/);
  });

  test("M28 run takes variables from files, where --env does not name them", async () => {
    box.write("files", { "one.env": "A=file\nB=${A}-more\n" });
    const file = box.path("files", "one.env");
    const { stdout } = await succeed([
      "run",
      "--rm",
      "-T",
      "-e",
      "A=flag",
      "--env-from-file",
      file,
      "job",
      "sh",
      "-c",
      "echo $A $B",
    ]);
    assert.equal(stdout, "flag flag-more\n");
  });

  test("M68 a network that is declared otherwise is made anew, and its containers are only started again", async () => {
    const before = await ids();
    const { stderr } = await succeed(["up", "-d", "--scale", "web=2"], { NETWORK: "second" });
    const order = ["Container small-db-1  Stopped", "Network small_back  Removed", "Network small_back  Created"];
    const places = [...order, "Container small-db-1  Started"].map((line) => stderr.indexOf(` ${line}\n`));
    assert.deepEqual(
      places,
      places.toSorted((left, right) => left - right),
    );
    assert.ok((places[0] ?? -1) >= 0, stderr);
    assert.doesNotMatch(stderr, /Recreate/);
    assert.equal(await ids(), before);
    const label = await listed("network", "inspect", "-f", "{{.Labels.made}}", "small_back");
    assert.equal(label, "second\n");
    assert.equal((await succeed(["exec", "-T", "db", "ls", "/data"])).stdout, "");
  });

  test("M69 a volume that is declared otherwise is kept unless the answer is yes, for its data goes with it", async () => {
    const env = { NETWORK: "second", VOLUME: "second" };
    await succeed(["exec", "-T", "db", "touch", "/data/kept"]);
    const asked = await succeed(["up", "-d", "--scale", "web=2"], env);
    assert.match(
      asked.stdout,
      /Volume "small_data" exists but doesn't match configuration in compose file\. Recreate \(data will be lost\)\?/,
    );
    assert.equal((await succeed(["exec", "-T", "db", "ls", "/data"])).stdout, "kept\n");
    const { stderr } = await succeed(["up", "-d", "-y"], env);
    for (const line of ["Container small-db-1  Removed", "Volume small_data  Created", "Container small-db-1  Started"])
      assert.ok(stderr.includes(` ${line}\n`), stderr);
    assert.equal((await succeed(["exec", "-T", "db", "ls", "/data"])).stdout, "");
    assert.doesNotMatch((await succeed(["up", "-d"], env)).stderr, /Volume/);
  });

  test("M28 kill takes orphans with it where it is asked to", async () => {
    box.write("fewer", { "compose.yaml": "name: small\nservices: { web: { image: busybox } }\n" });
    const fewer = ["-f", box.path("fewer", "compose.yaml")];
    assert.doesNotMatch((await succeed([...fewer, "kill"])).stderr, /small-db-1/);
    assert.match((await succeed([...fewer, "kill", "--remove-orphans"])).stderr, /Container small-db-1 {2}Killed/);
    assert.equal((await succeed(["ps", "-q"])).stdout, "");
  });

  test("M28 bridge and what is an experiment of Docker Compose's are refused by name", async () => {
    await refused(["bridge", "convert"], /compose bridge is not supported/);
    await refused(["alpha", "viz"], /compose alpha is not supported/);
  });
});

describeEachWay("Compose files from elsewhere", (box) => {
  const cwd = box.path("app");
  let registry: Registry;
  const run = async (args: readonly string[], from = cwd) => await box.varve(["compose", ...args], { cwd: from, input: "" });
  const succeed = async (args: readonly string[], from = cwd) => {
    const result = await run(args, from);
    assert.equal(result.code, 0, `compose ${args.join(" ")} ended with ${result.code}:\n${result.stderr}`);
    return { stdout: result.stdout.toString(), stderr: result.stderr };
  };

  before(async () => {
    registry = await startRegistry(box.path("registry"));
    appendFileSync(box.path("varve.toml"), registry.settings);
    box.write("app", {
      "compose.yaml": `services:
  web:
    image: ${registry.host}/app/base:1
    extends: { file: parts/base.yaml, service: base }
    env_file: [web.env]
    labels: { of: "\${OF:-default}" }
`,
      "parts/base.yaml": "services: { base: { command: [sleep, '1000'], stop_signal: SIGKILL } }\n",
      "web.env": "A=from the file\n",
      "over.yaml": "services: { web: { user: '1' } }\n",
    });
    box.write("here", { ".env": "OF=here\n" });
    await box.build({ Dockerfile: "FROM busybox\n" }, ["--push", "-t", `${registry.host}/app/base:1`]);
  });
  after(async () => await registry.stop());

  test("M28 push sends what services build, under the image's name and the build's tags; what fails ends it, or is a warning", async () => {
    const at = (name: string): string => `${registry.host}/pushed/${name}`;
    const project = (tag: string) => `services:
  web: { image: "${at("web:1")}", build: { context: ., dockerfile_inline: "FROM busybox", tags: ["${tag}"] } }
  ready: { image: busybox }
  unnamed: { build: { context: ., dockerfile_inline: "FROM busybox" } }
`;
    const cwd = box.write("pushed", { "compose.yaml": project(at("web:also")) });
    await succeed(["build"], cwd);
    const { stderr } = await succeed(["push"], cwd);
    for (const line of [`${at("web:1")} Pushed`, `${at("web:also")} Pushed`, "ready Skipped", "unnamed Skipped"])
      assert.ok(stderr.includes(` ${line}`), stderr);
    for (const name of ["web:1", "web:also"]) await box.succeed(["pull", at(name)], { store: "elsewhere" });
    assert.deepEqual(await succeed(["push", "-q", "web"], cwd), { stdout: "", stderr: "" });
    // nobody made that one
    box.write("pushed", { "compose.yaml": project(at("web:missing")) });
    const failed = await run(["push", "web"], cwd);
    assert.deepEqual([failed.code, /web:missing/.test(failed.stderr)], [1, true], failed.stderr);
    assert.match((await succeed(["push", "--ignore-push-failures", "web"], cwd)).stderr, /web:missing/);
  });

  test("M28 publish refuses variables without leave, and what only has a build", async () => {
    const { code, stderr } = await run(["publish", `${registry.host}/app/project:1`]);
    assert.equal(code, 1);
    assert.match(stderr, /service "web" has env_file declared\.[^]*--with-env/);
    box.write("built", { "compose.yaml": "services: { web: { build: . } }\n" });
    assert.match((await run(["publish", "-y", "x/y"], box.path("built"))).stderr, /only contains a build section[^]*- "web"/);
    box.write("including", { "compose.yaml": "include: [other.yaml]\n", "other.yaml": "services: { web: { image: a } }\n" });
    assert.match((await run(["publish", "-y", "x/y"], box.path("including"))).stderr, /local includes/);
  });

  test("M20 M28 what is published is a project anywhere, under the name of the folder there", async () => {
    const name = `${registry.host}/app/project:1`;
    const dry = await succeed(["--dry-run", "publish", "-y", name]);
    assert.match(dry.stderr, /DRY-RUN MODE - {2}.*\/app\/project:1 published/);
    assert.notEqual((await run(["-f", `oci://${name}`, "config"])).code, 0);
    const files = ["-f", "compose.yaml", "-f", "over.yaml"];
    await succeed([...files, "publish", "-y", "--with-env", "--resolve-image-digests", name]);
    const { stdout } = await succeed(["-f", `oci://${name}`, "config"], box.path("here"));
    assert.match(stdout, /^name: here\n/);
    assert.match(stdout, /\n {6}A: from the file\n/);
    assert.match(stdout, /\n {4}image: .*\/app\/base:1@sha256:[0-9a-f]{64}\n/);
    assert.match(stdout, /\n {6}of: here\n/);
    assert.match(stdout, /\n {4}user: "1"\n/);
    await succeed([...files, "publish", "-y", "--with-env", "--oci-version", "1.0", `${registry.host}/app/project:old`]);
    const old = await succeed(["-f", `oci://${registry.host}/app/project:old`, "config", "--services"], box.path("here"));
    assert.equal(old.stdout, "web\n");
    assert.match(
      (await run(["-f", `oci://${registry.host}/app/base:1`, "config"])).stderr,
      /is not a compose project OCI artifact/,
    );
  });

  test("M20 up of a project from elsewhere says where it is, and asks whether it may see variables", async () => {
    const project = ["-f", `oci://${registry.host}/app/project:1`, "--dry-run", "up", "-d"];
    const asked = await run(project, box.path("here"));
    assert.deepEqual([asked.code, asked.stdout.toString().includes("Do you want to proceed with these variables?")], [1, true]);
    const { stdout, stderr } = await succeed([...project, "-y"], box.path("here"));
    assert.match(stdout, /^Your compose stack "oci:.*" is stored in ".*"\n$/);
    assert.match(stderr, /DRY-RUN MODE - {2}Container here-web-1 {2}Started\n/);
  });

  test("M27 images of the model are pinned to the digests that their registries have", async () => {
    const pinned = /image: .*\/app\/base:1@sha256:[0-9a-f]{64}\n/;
    assert.match((await succeed(["config", "--resolve-image-digests"])).stdout, pinned);
    const locked = (await succeed(["config", "--lock-image-digests"])).stdout;
    assert.match(locked, /^services:\n {2}web:\n {4}image: .*@sha256:[0-9a-f]{64}\n$/);
  });

  test("M20 a Compose file in a Git repository, at a branch and in a folder, with what lies beside it", async () => {
    await using server = await startGitServer();
    const repository = server.create("project");
    mkdirSync(`${repository.work}/deploy`);
    writeFileSync(`${repository.work}/deploy/compose.yaml`, "services: { web: { image: a, env_file: web.env } }\n");
    writeFileSync(`${repository.work}/deploy/web.env`, "A=of git\n");
    const commit = repository.commit();
    for (const ref of ["main", commit]) {
      const { stdout } = await succeed(["-f", `${repository.url}#${ref}:deploy`, "config"], box.path("here"));
      assert.match(stdout, /^name: here\n[^]*A: of git\n/);
    }
    assert.match((await run(["-f", `${repository.url}#main`, "config"])).stderr, /there is no Compose file in/);
    assert.match((await run(["-f", `${repository.url}#nosuch`, "config"])).stderr, /does not contain ref nosuch/);
    assert.match((await run(["-f", "https://host.test/compose.yaml", "config"])).stderr, /Compose files are not read from/);
  });
});
