import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDockerfile } from "../dockerfile/index.ts";
import { VarveError } from "../errors/index.ts";
import { loadGraph } from "../llb/index.ts";
import { familiarReference, type Digest, type ImageConfig } from "../oci/index.ts";
import { compileDockerfile, type FrontendOptions, type FrontendResult, type ResolveImage } from "./index.ts";

const amd64 = { os: "linux", architecture: "amd64" };
const config: ImageConfig = {
  architecture: "amd64",
  os: "linux",
  config: {},
  rootfs: { type: "layers", diff_ids: [`sha256:${"a".repeat(64)}` as Digest] },
};
const resolveAny: ResolveImage = async (reference) => ({
  reference,
  digest: `sha256:${"1".repeat(64)}` as Digest,
  config,
});

async function compile(
  text: string,
  options: Partial<FrontendOptions> = {},
  signal = new AbortController().signal,
): Promise<FrontendResult> {
  const { dockerfile } = parseDockerfile(text, { file: "Dockerfile" });
  return await compileDockerfile(dockerfile, { buildPlatform: amd64, resolveImage: resolveAny, ...options }, { signal });
}

function stepNames({ definition }: FrontendResult): (string | undefined)[] {
  return [...loadGraph(definition).vertices.values()].map(({ metadata }) => metadata.description["llb.customname"]);
}

async function rejects(
  text: string,
  expected: {
    readonly code: string;
    readonly line?: number;
    readonly message?: RegExp;
    readonly hint?: RegExp;
  },
  options: Partial<FrontendOptions> = {},
): Promise<void> {
  await assert.rejects(compile(text, options), (error) => {
    assert.ok(error instanceof VarveError, String(error));
    assert.equal(error.code, expected.code, error.message);
    if (expected.line !== undefined) assert.equal(error.where?.startLine, expected.line);
    if (expected.message !== undefined) assert.match(error.message, expected.message);
    if (expected.hint !== undefined) assert.match(error.hint ?? "", expected.hint);
    return true;
  });
}

test("S01 only images of stages that the target needs are resolved, each once and in parallel", async () => {
  const asked: string[] = [];
  let open = 0;
  let most = 0;
  const resolveImage: ResolveImage = async (reference, request) => {
    asked.push(`${request.stageName} ${familiarReference(reference)}`);
    most = Math.max(most, ++open);
    await new Promise((resolve) => setImmediate(resolve));
    open--;
    return await resolveAny(reference, request);
  };
  const text =
    "FROM one AS a\nFROM never AS b\nRUN x\nFROM two AS c\nCOPY --from=a /x /x\nRUN --mount=from=three,target=/m y\nRUN --mount=from=one,target=/m y\nFROM one AS d\nFROM four AS e";
  await compile(text, { target: "C", resolveImage });
  assert.deepEqual(asked.sort(), ["a one:latest", "c two:latest", "three three:latest"]);
  assert.equal(most, 3);
});

test("S01 what a stage that is not needed says is not compiled", async () => {
  const result = await compile("FROM a AS x\nADD https://example.com/f /\nRUN --mount=type=secret,id=s y\nFROM a\nRUN z");
  assert.deepEqual(stepNames(result).slice(1), ["[stage-1 2/2] RUN z"]);
});

test("S02 the default target is the last stage, and an unknown one is answered with the nearest", async () => {
  const text = "FROM a AS build\nFROM a AS run";
  assert.deepEqual((await compile(text)).targetStage, { index: 1, name: "run" });
  assert.deepEqual((await compile(text, { target: "BUILD" })).targetStage, {
    index: 0,
    name: "build",
  });
  await rejects(
    text,
    {
      code: "FRONTEND_TARGET_UNKNOWN",
      message: /target stage "biuld" could not be found/,
      hint: /did you mean build\?/,
    },
    { target: "biuld" },
  );
  await rejects(text, { code: "FRONTEND_TARGET_UNKNOWN", hint: /the stages are build, run/ }, { target: "0" });
});

test("S03 S04 a stage must stand before its use, and none may need itself", async () => {
  await rejects("FROM a AS x\nCOPY --from=y /a /a\nFROM a AS y\nFROM x", {
    code: "FRONTEND_STAGE_ORDER",
    line: 2,
  });
  await rejects("FROM a AS x\nRUN --mount=from=y,target=/m z\nFROM a AS y\nFROM x", {
    code: "FRONTEND_STAGE_ORDER",
    line: 2,
  });
  await rejects("FROM a AS x\nCOPY --from=x /a /a", { code: "FRONTEND_STAGE_CYCLE", line: 2 });
  await rejects("FROM a AS x\nCOPY --from=1 /a /a\nFROM a AS y\nCOPY --from=x /a /a", {
    code: "FRONTEND_STAGE_CYCLE",
    line: 4,
  });
  await rejects("FROM a\nCOPY --from=7 /a /a", {
    code: "FRONTEND_VALUE_INVALID",
    line: 2,
    message: /invalid stage index 7/,
  });
  await rejects("ARG V=x\nFROM a\nCOPY --from=$V /a /a", {
    code: "FRONTEND_VALUE_INVALID",
    line: 3,
    message: /not supported for --from/,
  });
});

test("S06 a reference that is none names the place, and the stage that may be meant", async () => {
  await rejects("FROM a AS build\nFROM Build", {
    code: "FRONTEND_VALUE_INVALID",
    line: 2,
    hint: /stage build/,
  });
  await rejects("ARG X\nFROM $X", {
    code: "FRONTEND_VALUE_INVALID",
    line: 2,
    message: /should not be blank/,
  });
  await rejects("FROM --platform=$NOPE a", {
    code: "FRONTEND_VALUE_INVALID",
    line: 1,
    message: /empty platform/,
  });
  await rejects("FROM --platform=a/b/c/d a", { code: "PLATFORM_INVALID", line: 1 });
});

test("an error of resolveImage gets the place of the FROM or of the instruction that reads the image, and ends the others", async () => {
  const aborted: string[] = [];
  const resolveImage: ResolveImage = async (reference, { signal }) => {
    if (reference.path === "library/bad") throw new VarveError("USAGE", "no such image");
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    aborted.push(reference.path);
    throw signal.reason as Error;
  };
  await rejects("FROM slow AS s\nFROM a\nCOPY --from=s / /\nCOPY --from=bad /a /b", { code: "USAGE", line: 4 }, { resolveImage });
  assert.deepEqual(aborted.sort(), ["library/a", "library/slow"]);
});

test("an aborted signal ends the compilation with its reason", async () => {
  const reason = new VarveError("CANCELED", "enough");
  await assert.rejects(compile("FROM a", {}, AbortSignal.abort(reason)), reason);
  const controller = new AbortController();
  const resolveImage: ResolveImage = async (_reference, { signal }) => {
    controller.abort(reason);
    throw signal.reason as Error;
  };
  await assert.rejects(compile("FROM a", { resolveImage }, controller.signal), reason);
});

test("D05 D06 A07 the names of the built-in frontend are accepted, others refused with their line", async () => {
  for (const name of [
    "docker/dockerfile:1",
    "docker.io/docker/dockerfile:1.7-labs",
    "docker/dockerfile-upstream:master",
    `docker/dockerfile@sha256:${"0".repeat(64)}`,
  ]) {
    assert.equal(stepNames(await compile(`# syntax=${name}\nFROM a`)).length, 1);
  }
  await rejects("# escape=\\\n# syntax=example.com/other/frontend\nFROM a", {
    code: "DOCKERFILE_NOT_SUPPORTED_YET",
    line: 2,
  });
  await rejects("FROM a", { code: "DOCKERFILE_NOT_SUPPORTED_YET" }, { buildArgs: { BUILDKIT_SYNTAX: "x/y" } });
  await compile("# syntax=example.com/other/frontend\nFROM a", {
    buildArgs: { BUILDKIT_SYNTAX: "dockerfile.v0" },
  });
});

test("what comes later is refused with its line", async () => {
  const later = ["RUN --device=v.com/c y"];
  for (const line of later) await rejects(`FROM a\n\n${line}`, { code: "DOCKERFILE_NOT_SUPPORTED_YET", line: 3 });
});

test("A06 Y12 SOURCE_DATE_EPOCH is a number, or names a context or a stage that fetches one source", async () => {
  const asked: string[] = [];
  const dating: Partial<FrontendOptions> = {
    dateOfSource: async ({ identifier }, { title }) => {
      asked.push(`${title}: ${identifier}`);
      return 1_000_000_000;
    },
    contexts: {
      repo: { kind: "remote", url: "https://example.com/r.git#main" },
      folder: { kind: "local", source: "_folder", ignorePatterns: [] },
    },
  };
  const stage = "ARG V=2\nFROM scratch AS Src\nARG V\nARG N=x$V\nADD https://example.com/$N.tar /\nFROM a\n";
  const epochOf = async (value: string, text = stage, more: Partial<FrontendOptions> = {}) =>
    (await compile(text, { ...dating, buildArgs: { SOURCE_DATE_EPOCH: value }, ...more })).epochSeconds;

  assert.equal(await epochOf("12"), 12);
  assert.equal(await epochOf("-12"), -12);
  assert.equal(await epochOf(""), undefined);
  assert.equal(await epochOf("context"), undefined, "a folder has no date");
  assert.equal(await epochOf("folder"), undefined);
  assert.deepEqual(asked, []);
  assert.equal(await epochOf("repo"), 1_000_000_000);
  assert.equal(await epochOf("SRC"), 1_000_000_000);
  const url = "https://example.com/context.tar";
  assert.equal(await epochOf("context", stage, { context: { kind: "http", url, unpack: true } }), 1_000_000_000);
  assert.deepEqual(asked, [
    "[internal] resolve SOURCE_DATE_EPOCH named context repo: git://example.com/r.git#main",
    "[internal] resolve SOURCE_DATE_EPOCH source stage Src: https://example.com/x2.tar",
    `[internal] resolve main build context metadata: ${url}`,
  ]);
  const byDefault = await compile("ARG SOURCE_DATE_EPOCH=repo\nFROM a\nARG SOURCE_DATE_EPOCH\nRUN x", dating);
  assert.equal(byDefault.epochSeconds, 1_000_000_000);
  assert.match(byDefault.image.history?.at(-1)?.created_by ?? "", /SOURCE_DATE_EPOCH=1000000000/);
});

test("A06 Y12 a SOURCE_DATE_EPOCH that means nothing is refused, and so is a stage that does more than fetch", async () => {
  const refuse = async (value: string, text: string, message: RegExp) =>
    await rejects(text, { code: "FRONTEND_VALUE_INVALID", message }, { buildArgs: { SOURCE_DATE_EPOCH: value } });
  await refuse("x", "FROM a", /invalid SOURCE_DATE_EPOCH: x/);
  await refuse("1.5", "FROM a", /invalid SOURCE_DATE_EPOCH: 1\.5/);
  await refuse("999999999999999", "FROM a", /in no year/);
  for (const [body, message] of [
    ["FROM a AS s", /must use FROM scratch/],
    ["FROM scratch AS s", /exactly one remote ADD$/],
    ["FROM scratch AS s\nADD https://e.com/a /\nADD https://e.com/b /", /exactly one remote ADD$/],
    ["FROM scratch AS s\nADD https://e.com/a https://e.com/b /", /exactly one remote ADD source/],
    ["FROM scratch AS s\nADD local /", /single HTTP\(S\) or Git ADD/],
    ["FROM scratch AS s\nCOPY local /", /unsupported copy instruction/],
  ] as const)
    await refuse("s", `${body}\nFROM a`, message);
});

test("C18 COPY takes no URL and no repository", async () => {
  await rejects("FROM a\nCOPY http://example.com/x /", {
    code: "FRONTEND_VALUE_INVALID",
    line: 2,
    message: /can't be a URL/,
  });
  await rejects("FROM a\nCOPY git@example.com:a/b /", {
    code: "FRONTEND_VALUE_INVALID",
    line: 2,
    message: /can't be a git ref/,
  });
});

test("A11 A14 A15 what some build arguments ask for comes later, and is refused until then", async () => {
  const names = ["BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE", "BUILDKIT_ATTEST_PROVENANCE"];
  for (const name of names) {
    const message = new RegExp(`the build argument ${name} is not supported yet`);
    await rejects("FROM a", { code: "DOCKERFILE_NOT_SUPPORTED_YET", message }, { buildArgs: { [name]: "1" } });
    await compile("FROM a", { buildArgs: { [name]: "0" } });
  }
});

test("A16 A17 the build's name and the deprecated argument change nothing in the image, and count as used", async () => {
  const plain = await compile("FROM a\nRUN x");
  const named = await compile("FROM a\nRUN x", { buildArgs: { BUILDKIT_BUILD_NAME: "n", BUILDKIT_INLINE_BUILDINFO_ATTRS: "1" } });
  assert.deepEqual(named.definition, plain.definition);
  assert.deepEqual(named.warnings, []);
});

test("S09 steps are called by stage and number, by platform where there are several, and by what they compile for", async () => {
  const text =
    "FROM --platform=$BUILDPLATFORM a AS build\nARG TARGETARCH\nRUN x\nFROM a\nCOPY --from=build /o /\nCOPY --link b /\n";
  const arm64 = { os: "linux", architecture: "arm64" };
  const names = stepNames(await compile(text, { platform: arm64, multiPlatform: true }));
  assert.ok(names.includes("[linux/amd64->arm64 build 2/2] RUN x"), names.join("\n"));
  assert.ok(names.includes("[linux/arm64 stage-1 2/3] COPY --from=build /o /"), names.join("\n"));
  assert.ok(names.includes("[linux/arm64 stage-1 3/3] LINK COPY --link b /"), names.join("\n"));
  assert.ok(names.includes("[internal] load build context"), names.join("\n"));
});

test("S08 without a wanted platform the result follows a base image of another one that steps can run on", async () => {
  const arm64 = { os: "linux", architecture: "arm64" };
  const resolveImage: ResolveImage = async (reference, request) => ({
    ...(await resolveAny(reference, request)),
    config: { ...config, architecture: "arm64" },
  });
  const { image } = await compile("FROM a", { resolveImage, supportedPlatforms: async () => [amd64, arm64] });
  assert.equal(image.architecture, "arm64");
});

test("values are checked after their expansion, and errors name the line", async () => {
  const wrong: Record<string, RegExp> = {
    "COPY --chmod=8 a /": /invalid chmod parameter: '8'/,
    "COPY --chmod=17777 a /": /invalid chmod/,
    "COPY --chmod=u+q a /": /invalid chmod/,
    "ADD --checksum=sha256:1 a /": /checksum requires/,
    "STOPSIGNAL SIGNOPE": /invalid signal/,
    "STOPSIGNAL 0": /invalid signal/,
    "EXPOSE 70000": /invalid port/,
    "EXPOSE 20-10": /invalid port/,
    "EXPOSE 80/icmp": /invalid proto/,
    "EXPOSE 1.2.3.400:80:80": /IP address/,
    'VOLUME ["$NOPE"]': /empty string/,
    "RUN --mount=target=. x": /invalid mount target/,
  };
  for (const [line, message] of Object.entries(wrong))
    await rejects(`FROM a\n${line}`, { code: "FRONTEND_VALUE_INVALID", line: 2, message });
  await rejects("FROM a\nENV A=${B:?needed}", { code: "DOCKERFILE_SUBSTITUTION", line: 2 });
});

test("I14 signals may be numbers, names with or without SIG, and real-time signals", async () => {
  for (const signal of ["9", "TERM", "sigterm", "SIGRTMIN+3", "RTMAX-1"]) {
    assert.equal((await compile(`FROM a\nSTOPSIGNAL ${signal}`)).image.config?.StopSignal, signal);
  }
});

test("I10 a host part is checked and dropped, and the protocol lowered", async () => {
  const { image } = await compile("FROM a\nEXPOSE [::1]:80:90/TCP 10-12:20-22/sctp 1-1");
  assert.deepEqual(Object.keys(image.config?.ExposedPorts ?? {}).sort(), ["1/tcp", "20/sctp", "21/sctp", "22/sctp", "90/tcp"]);
});

test("I17 a wrong trigger of a base image is reported at the FROM that brought it", async () => {
  const resolveImage: ResolveImage = async (reference) => ({
    reference,
    digest: `sha256:${"2".repeat(64)}` as Digest,
    config: { ...config, config: { OnBuild: ["FROM x"] } },
  });
  await rejects("ARG A\nFROM a", { code: "DOCKERFILE_TRIGGER", line: 2 }, { resolveImage });
});

test("A18 A05 build arguments that nothing declares are warned of, those that steer the build are not", async () => {
  const buildArgs = {
    Z: "1",
    A: "1",
    FTP_PROXY: "p",
    BUILDKIT_BUILD_NAME: "1",
    BUILDKIT_ATTEST_SBOM: "false",
    TARGETARCH: "arm64",
    U: "1",
    SOURCE_DATE_EPOCH: "1",
  };
  const { warnings } = await compile("ARG U\nFROM a", { buildArgs });
  assert.deepEqual(warnings, [
    {
      rule: "UnusedBuildArgs",
      message: "[Warning] One or more build-args [A Z] were not consumed",
      where: undefined,
    },
  ]);
});

test("N09 N14 N18 lint of FROM and of base images falls out of the compilation", async () => {
  const { warnings } = await compile("FROM a${TAAG} AS x\nFROM --platform=arm64 a", {
    buildArgs: { TAG: "" },
  });
  assert.deepEqual(warnings.map(({ rule }) => rule).sort(), [
    "FromPlatformFlagConstDisallowed",
    "InvalidBaseImagePlatform",
    "UndefinedArgInFrom",
    "UnusedBuildArgs",
  ]);
});

test("P14 stages are listed with the comment above them that begins with their name", async () => {
  const { stages } = await compile("# other\n# build makes it\nFROM --platform=$BUILDPLATFORM a AS Build\nFROM a");
  assert.deepEqual(stages[0], {
    index: 0,
    name: "build",
    description: "makes it",
    base: "a",
    platform: "$BUILDPLATFORM",
    isDefault: false,
    where: stages[0]?.where,
  });
  assert.equal(stages[0]?.where.startLine, 3);
  assert.equal(stages[1]?.isDefault, true);
});

test("a Dockerfile of many steps compiles without deep recursion", async () => {
  const { definition } = await compile(`FROM a\n${"RUN x\n".repeat(5000)}`);
  assert.equal(loadGraph(definition).vertices.size, 5001);
});

test("the same Dockerfile compiles to the same bytes", async () => {
  const text = "FROM a AS x\nCOPY --link b c /\nFROM a\nCOPY --from=x --link / /";
  assert.deepEqual((await compile(text)).definition, (await compile(text)).definition);
});
