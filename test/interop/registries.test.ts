/** Images that go through a registry with passwords and TLS between Varve and other tools: digests agree. */
import assert from "node:assert/strict";
import { appendFileSync, copyFileSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { after, before, test } from "node:test";
import { start, succeed } from "../kit/command.ts";
import { describeOnce } from "../kit/each-way.ts";
import { openDocker, openPodman, type Engine } from "../kit/engines.ts";
import { makeCertificate, registryPassword, startRegistry, type Registry } from "../kit/registry.ts";
import { startTokenServer, type TokenServer } from "../kit/token-server.ts";
import { hasProgram } from "../kit/ways.ts";

const user = "me";
const credentials = `${user}:${registryPassword}`;
const digestPattern = /[Dd]igest: (sha256:[0-9a-f]{64})/;

const digestIn = (text: string): string => digestPattern.exec(text)?.[1] ?? "";

describeOnce("a registry with passwords and a CA of its own", (box) => {
  let registry: Registry;
  let varveDigest = "";
  const certificates = () => box.path("certs");
  const name = (image: string) => `${registry.host}/team/${image}:1`;
  const pullWithVarve = async (image: string, store: string) =>
    digestIn((await box.succeed(["pull", image], { store })).stdout.toString());

  before(async () => {
    const certificate = makeCertificate(box.path("tls"));
    registry = await startRegistry(box.path("registry"), { user, certificate });
    mkdirSync(certificates());
    copyFileSync(certificate.ca, box.path("certs", "ca.crt"));
    appendFileSync(box.path("varve.toml"), `\n${registry.settings}`);
  });
  after(async () => await registry.stop());

  test("O04 login proves the password before it keeps it, for its user alone", async () => {
    const wrong = await box.varve(["login", "-u", user, "--password-stdin", registry.host], { input: "wrong\n" });
    assert.equal(wrong.code, 5, wrong.stderr);
    assert.match(wrong.stderr, /\[REGISTRY_DENIED\]/);
    const right = await box.succeed(["login", "-u", user, "--password-stdin", registry.host], { input: `${registryPassword}\n` });
    assert.equal(right.stdout.toString(), "Login Succeeded\n");
    const file = box.path("home", ".docker", "config.json");
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(JSON.parse(readFileSync(file, "utf8")), {
      auths: { [registry.host]: { auth: Buffer.from(credentials).toString("base64") } },
    });
    assert.equal((await box.succeed(["login", registry.host])).stdout.toString(), "Login Succeeded\n");
  });

  test("W07 without its CA the registry is not trusted, and the error says what to write", async () => {
    box.write("no-ca", { "varve.toml": `[registry."${registry.host}"]\nhttp = false\n` });
    const env = { VARVE_CONFIG: box.path("no-ca", "varve.toml") };
    const { code, stderr } = await box.varve(["pull", name("any")], { env, store: "no-ca-store" });
    assert.equal(code, 5);
    assert.match(stderr, /certificate/);
    assert.match(stderr, /ca = \["file\.pem"\]/);
    box.write("insecure", { "varve.toml": `[registry."${registry.host}"]\nhttp = false\ninsecure = true\n` });
    const insecure = await box.varve(["pull", name("any")], {
      env: { VARVE_CONFIG: box.path("insecure", "varve.toml") },
      store: "no-ca-store",
    });
    assert.match(insecure.stderr, /\[REGISTRY_NOT_FOUND\]/);
  });

  test("E35 what varve pushed, varve pulls into another store under the same digest", async () => {
    const built = await box.build({ Dockerfile: "FROM busybox\nCOPY two /two\nRUN echo made >/made\n", two: "two" }, [
      "-t",
      name("varve"),
    ]);
    assert.equal(built.code, 0, built.stderr);
    const pushed = (await box.succeed(["push", name("varve")])).stdout.toString();
    varveDigest = digestIn(pushed);
    assert.match(pushed, /^1: digest: sha256:[0-9a-f]{64} size: \d+$/m);
    assert.equal(await pullWithVarve(name("varve"), "other"), varveDigest);
    await box.succeed(["tag", name("varve"), name("varve-again")], { store: "other" });
    assert.equal(digestIn((await box.succeed(["push", name("varve-again")], { store: "other" })).stdout.toString()), varveDigest);
  });

  const skopeo = hasProgram("skopeo") ? false : "there is no skopeo";
  test("E35 O04 skopeo reads what varve pushed, and varve what skopeo pushed", { skip: skopeo }, async () => {
    const reading = ["--cert-dir", certificates(), "--creds", credentials];
    const inspected = await succeed(["skopeo", "inspect", "--format", "{{.Digest}}", ...reading, `docker://${name("varve")}`]);
    assert.equal(inspected.trim(), varveDigest);
    const source = ["--src-cert-dir", certificates(), "--src-creds", credentials];
    const dest = ["--dest-cert-dir", certificates(), "--dest-creds", credentials];
    await succeed([
      "skopeo",
      "--insecure-policy",
      "copy",
      "-q",
      ...source,
      `docker://${name("varve")}`,
      `dir:${box.path("copied")}`,
    ]);
    const digestFile = box.path("skopeo-digest");
    const copy = ["skopeo", "--insecure-policy", "copy", "-q", "--format", "oci", "--digestfile", digestFile, ...dest];
    await succeed([...copy, `dir:${box.path("copied")}`, `docker://${name("skopeo")}`]);
    assert.equal(await pullWithVarve(name("skopeo"), "from-skopeo"), readFileSync(digestFile, "utf8").trim());
    const child = await box.build({ Dockerfile: `FROM ${name("skopeo")}\nRUN grep made /made\n` }, [], { store: "from-skopeo" });
    assert.equal(child.code, 0, child.stderr);
  });

  const podman = openPodman(box.path("podman"));
  test(
    "E35 O04 podman pulls what varve pushed, and varve what podman pushed",
    {
      skip: typeof podman === "string" ? podman : false,
    },
    async () => {
      const engine = podman as Engine;
      const flags = ["--cert-dir", certificates(), "--creds", credentials];
      try {
        await engine.run("pull", "-q", ...flags, name("varve"));
        assert.equal((await engine.run("image", "inspect", "-f", "{{.Digest}}", name("varve"))).trim(), varveDigest);
        const digestFile = box.path("podman-digest");
        await engine.run("push", "-q", "--digestfile", digestFile, ...flags, name("varve"), name("podman"));
        assert.equal(await pullWithVarve(name("podman"), "from-podman"), readFileSync(digestFile, "utf8").trim());
      } finally {
        await engine.run("rmi", "--all", "--force");
        await engine.stop();
      }
    },
  );

  test("E35 O04 docker pulls what varve pushed, and varve what docker pushed", async (t) => {
    const found = await openDocker(box.path("engine"));
    if (typeof found === "string") return t.skip(found);
    const env = {
      PATH: process.env["PATH"] ?? "",
      DOCKER_CONFIG: box.path("home", ".docker"),
      ...hostOf(process.env["DOCKER_HOST"]),
    };
    const docker = async (...args: readonly string[]) => await succeed(["docker", ...args], { env });
    try {
      assert.equal(digestIn(await docker("pull", name("varve"))), varveDigest);
      await docker("tag", name("varve"), name("docker"));
      const pushed = digestIn(await docker("push", name("docker")));
      assert.equal(await pullWithVarve(name("docker"), "from-docker"), pushed);
    } finally {
      await start(["docker", "rmi", "-f", name("varve"), name("docker")], { env }).result;
      await found.stop();
    }
  });

  test("O04 every tag is pushed and pulled; after logout nothing is", async () => {
    for (const tag of ["a", "b"]) await box.succeed(["tag", name("varve"), `${registry.host}/team/many:${tag}`]);
    const repository = `${registry.host}/team/many`;
    const pushed = (await box.succeed(["push", "--all-tags", repository])).stdout.toString();
    assert.deepEqual(pushed.match(/^[ab]: digest: /gm), ["a: digest: ", "b: digest: "]);
    await box.succeed(["pull", "-q", "--all-tags", repository], { store: "many" });
    const listed = (await box.succeed(["images", "--format", "{{.Tag}}", repository], { store: "many" })).stdout.toString();
    assert.deepEqual(listed.trim().split("\n").sort(), ["a", "b"]);
    assert.equal(
      (await box.succeed(["logout", registry.host])).stdout.toString(),
      `Removing login credentials for ${registry.host}\n`,
    );
    assert.equal((await box.varve(["pull", name("varve")], { store: "anonymous" })).code, 5);
    const refused = await box.varve(["push", name("varve")]);
    assert.equal(refused.code, 7, refused.stderr);
    assert.match(refused.stderr, new RegExp(`varve login ${registry.host}`));
  });

  test("a credential helper that is not installed is a warning, and an anonymous try", async () => {
    box.write("helper", { "config.json": JSON.stringify({ credHelpers: { [registry.host]: "not-there" } }) });
    const { code, stderr } = await box.varve(["pull", name("varve")], {
      store: "anonymous",
      env: { DOCKER_CONFIG: box.path("helper") },
    });
    assert.equal(code, 5);
    assert.match(stderr, /WARNING: the credential helper docker-credential-not-there .* is not installed/);
    assert.match(stderr, /\[REGISTRY_DENIED\]/);
  });
});

describeOnce("a registry that wants tokens", (box) => {
  let tokens: TokenServer;
  let registry: Registry;
  before(async () => {
    const certificate = makeCertificate(box.path("tls"));
    tokens = await startTokenServer(certificate, user, registryPassword);
    const { realm, service, issuer, bundle } = tokens;
    registry = await startRegistry(box.path("registry"), { tokens: { realm, service, issuer, bundle } });
    appendFileSync(box.path("varve.toml"), `\n${registry.settings}`);
  });
  after(async () => {
    tokens.stop();
    await registry.stop();
  });

  test("E35 a push and a pull get tokens for what they do, and a mount one for both repositories", async () => {
    const name = (path: string) => `${registry.host}/${path}:1`;
    const built = await box.build({ Dockerfile: "FROM scratch\nCOPY a /a\n", a: "a" }, ["-t", name("public/app")]);
    assert.equal(built.code, 0, built.stderr);
    assert.equal((await box.varve(["push", name("public/app")])).code, 7);
    await box.succeed(["login", "-u", user, "--password-stdin", registry.host], { input: registryPassword });
    await box.succeed(["push", name("public/app")]);
    await box.succeed(["tag", name("public/app"), name("private/app")]);
    const mounted = (await box.succeed(["push", name("private/app")])).stdout.toString();
    assert.match(mounted, /: Mounted from public\/app$/m);
    assert.ok(tokens.granted.includes(`${user} repository:private/app:pull,push`));
    assert.ok(tokens.granted.includes(`${user} repository:public/app:pull`));
    await box.succeed(["logout", registry.host]);
    await box.succeed(["pull", name("public/app")], { store: "anonymous" });
    const refused = await box.varve(["pull", name("private/app")], { store: "anonymous" });
    assert.equal(refused.code, 5);
    assert.match(refused.stderr, /\[REGISTRY_DENIED\]/);
  });
});

function hostOf(host: string | undefined): { readonly DOCKER_HOST?: string } {
  return host === undefined ? {} : { DOCKER_HOST: host };
}
