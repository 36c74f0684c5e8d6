import assert from "node:assert/strict";
import test from "node:test";
import type { BuildSection } from "../compose-file/index.ts";
import { orderBuilds, planImage } from "./images.ts";
import { projectOf } from "./project-fixture.test.ts";
import { serviceBuild, type BuildRequest } from "./service-build.ts";

function argsOf(build: BuildSection, request: BuildRequest = {}, secrets = {}): readonly string[] {
  const project = projectOf({ web: { build } }, { secrets });
  const { args } = serviceBuild(project, project.services["web"]!, build, request);
  return args.filter((arg) => !arg.startsWith("--label=com.docker.compose"));
}

test("M02 M04 the context, the Dockerfile in it, the image's name", () => {
  assert.deepEqual(argsOf({ context: "/src" }), ["--tag=app-web", "--", "/src"]);
  assert.deepEqual(argsOf({ context: "/src", dockerfile: "docker/Web" }), [
    "--tag=app-web",
    "--file=/src/docker/Web",
    "--",
    "/src",
  ]);
  const git = "https://host/x.git#main";
  assert.deepEqual(argsOf({ context: git, dockerfile: "Web" }), ["--tag=app-web", "--file=Web", "--", git]);
});

test("M02 a Dockerfile in the file goes through standard input", () => {
  const project = projectOf({ web: {} });
  const build = serviceBuild(project, project.services["web"]!, { context: "/src", dockerfile_inline: "FROM scratch\n" });
  assert.equal(build.dockerfile, "FROM scratch\n");
  assert.ok(build.args.includes("--file=-"));
});

test("M03-M10 every field of the section is a flag of the build, and the command line's come later", () => {
  const args = argsOf(
    {
      context: "/src",
      args: { A: "1", B: null },
      target: "prod",
      tags: ["one:1", "app-web"],
      platforms: ["linux/amd64", "linux/arm64"],
      cache_from: ["x"],
      cache_to: ["type=inline"],
      no_cache_filter: ["base"],
      pull: true,
      secrets: [{ source: "tok" }, { source: "key", target: "id" }],
      ssh: [{ id: "default" }, { id: "k", path: "/k" }],
      labels: { l: "v" },
      network: "host",
      shm_size: 64,
      extra_hosts: ["h=1.1.1.1"],
      ulimits: { nofile: { soft: 1, hard: 2 } },
      privileged: true,
      entitlements: ["network.host"],
    },
    { buildArgs: ["A=2"], noCache: false },
    { tok: { name: "tok", environment: "TOK" }, key: { name: "key", file: "/a,b" } },
  );
  assert.deepEqual(args, [
    "--tag=app-web",
    "--tag=one:1",
    "--build-arg=A=1",
    "--build-arg=B",
    "--build-arg=A=2",
    "--target=prod",
    "--cache-from=x",
    "--cache-to=type=inline",
    "--no-cache-filter=base",
    "--pull",
    "--secret=type=env,id=tok,env=TOK",
    '--secret=type=file,id=id,"src=/a,b"',
    "--ssh=default",
    "--ssh=k=/k",
    "--platform=linux/amd64",
    "--platform=linux/arm64",
    "--label=l=v",
    "--network=host",
    "--shm-size=64",
    "--add-host=h=1.1.1.1",
    "--ulimit=nofile=1:2",
    "--allow=network.host",
    "--allow=security.insecure",
    "--",
    "/src",
  ]);
});

test("M06 a service that is built from another's image is built after it; a ring is refused", () => {
  const build = (name: string): BuildSection => ({ context: "/src", additional_contexts: { base: `service:${name}` } });
  const project = projectOf({ a: { build: build("b") }, b: { build: { context: "/b" } } });
  const [first, second] = orderBuilds({ project }, [project.services["a"]!]);
  assert.deepEqual([first?.service, second?.service], ["b", "a"]);
  assert.ok(second?.args.includes("--build-context=base=docker-image://app-b"));
  const ring = projectOf({ a: { build: build("b") }, b: { build: build("a") } });
  assert.throws(() => orderBuilds({ project: ring }, [ring.services["a"]!]), { code: "SERVICE_INVALID" });
});

test("M60 M85 builds and pulls: by --build, --no-build, --pull and pull_policy", () => {
  const old = { createdMs: 0 };
  const day = 86_400_000;
  const built = { name: "web", build: { context: "." } };
  assert.equal(planImage(built, undefined, {}, 0), "build");
  assert.equal(planImage(built, old, {}, 0), "present");
  assert.equal(planImage(built, old, { build: "always" }, 0), "build");
  assert.equal(planImage(built, undefined, { build: "never" }, 0), "missing");
  assert.equal(planImage({ ...built, pull_policy: "build" }, old, {}, 0), "build");
  assert.equal(planImage({ ...built, image: "x", pull_policy: "missing" }, undefined, {}, 0), "pull-or-build");
  const named = { name: "web", image: "x" };
  assert.equal(planImage(named, undefined, {}, 0), "pull");
  assert.equal(planImage(named, old, {}, 0), "present");
  assert.equal(planImage(named, old, { pull: "always" }, 0), "pull");
  assert.equal(planImage({ ...named, pull_policy: "never" }, undefined, {}, 0), "missing");
  assert.equal(planImage({ ...named, pull_policy: "daily" }, old, {}, 2 * day), "pull");
  assert.equal(planImage({ ...named, pull_policy: "every_3d12h" }, old, {}, 2 * day), "present");
  assert.throws(() => planImage({ ...named, pull_policy: "every_moon" }, old, {}, 0), { code: "SERVICE_INVALID" });
});
