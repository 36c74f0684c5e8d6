import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { lintRules, lintRuleUrl, parseDockerfile, type LintRuleName } from "../dockerfile/index.ts";
import { isVarveError } from "../errors/index.ts";
import { compileDockerfile, type ResolveImage } from "../frontend/index.ts";
import { loadGraph } from "../llb/index.ts";
import { parseDigest } from "../oci/index.ts";
import { fixDockerfile, lintDockerfile } from "./index.ts";

interface Fault {
  readonly id: string;
  readonly text: string;
  readonly line: number;
  readonly message: string;
  readonly ignore?: readonly string[];
}

/** One planted fault for each rule; N14 needs an image and is tested with the frontend. */
const faults: Readonly<Record<Exclude<LintRuleName, "InvalidBaseImagePlatform">, Fault>> = {
  StageNameCasing: { id: "N01", text: "FROM scratch AS Base", line: 1, message: "Stage name 'Base' should be lowercase" },
  FromAsCasing: { id: "N02", text: "FROM scratch as base", line: 1, message: "'as' and 'FROM' keywords' casing do not match" },
  NoEmptyContinuation: { id: "N03", text: "FROM scratch\nENV a=1 \\\n\n b=2\n", line: 4, message: "Empty continuation line" },
  ConsistentInstructionCasing: {
    id: "N04",
    text: "FROM scratch\nENV a=1\nenv b=2",
    line: 3,
    message: "Command 'env' should match the case of the command majority (uppercase)",
  },
  DuplicateStageName: {
    id: "N05",
    text: "FROM scratch AS a\nFROM scratch AS a",
    line: 2,
    message: 'Duplicate stage name "a", stage names should be unique',
  },
  ReservedStageName: {
    id: "N06",
    text: "FROM scratch AS context",
    line: 1,
    message: 'Stage name should not use the same name as reserved stage "context"',
  },
  JSONArgsRecommended: {
    id: "N07",
    text: "FROM scratch\nCMD a b",
    line: 2,
    message: "JSON arguments recommended for CMD to prevent unintended behavior related to OS signals",
  },
  MaintainerDeprecated: {
    id: "N08",
    text: "FROM scratch\nMAINTAINER me",
    line: 2,
    message: "Maintainer instruction is deprecated in favor of using label",
  },
  UndefinedArgInFrom: {
    id: "N09",
    text: "ARG VERSION=1\nFROM base:1${VERSON}",
    line: 2,
    message: "FROM argument 'VERSON' is not declared (did you mean VERSION?)",
  },
  WorkdirRelativePath: {
    id: "N10",
    text: "FROM scratch AS a\nWORKDIR app\nWORKDIR more\nFROM a\nWORKDIR again",
    line: 2,
    message: 'Relative workdir "app" can have unexpected results if the base image changes',
  },
  UndefinedVar: {
    id: "N11",
    text: "FROM scratch\nENV DIR=/a\nENV B=$DRI",
    line: 3,
    message: "Usage of undefined variable '$DRI' (did you mean $DIR?)",
  },
  MultipleInstructionsDisallowed: {
    id: "N12",
    text: 'FROM scratch AS a\nCMD ["a"]\nCMD ["b"]\nFROM a\nCMD ["c"]',
    line: 2,
    message: "Multiple CMD instructions should not be used in the same stage because only the last one will be used",
  },
  LegacyKeyValueFormat: {
    id: "N13",
    text: "FROM scratch\nENV a b",
    line: 2,
    message: '"ENV key=value" should be used instead of legacy "ENV key value" format',
  },
  RedundantTargetPlatform: {
    id: "N15",
    text: "FROM --platform=$TARGETPLATFORM scratch",
    line: 1,
    message: "Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior",
  },
  SecretsUsedInArgOrEnv: {
    id: "N16",
    text: "FROM scratch\nARG API_TOKEN PUBLIC_KEY TOKEN_FILE KEY_VERSION tokens",
    line: 2,
    message: 'Do not use ARG or ENV instructions for sensitive data (ARG "API_TOKEN")',
  },
  InvalidDefaultArgInFrom: {
    id: "N17",
    text: "ARG TAG\nFROM base:${TAG}",
    line: 2,
    message: "Default value for ARG base:${TAG} results in empty or invalid base image name",
  },
  FromPlatformFlagConstDisallowed: {
    id: "N18",
    text: "FROM --platform=linux/arm64 scratch AS for-arm64\nFROM --platform=linux/arm64 scratch",
    line: 2,
    message: 'FROM --platform flag should not use constant value "linux/arm64"',
  },
  CopyIgnoredFile: {
    id: "N19",
    text: "FROM scratch\nCOPY a.txt dir/b.log /",
    line: 2,
    message: 'Attempting to Copy file "dir/b.log" that is excluded by .dockerignore',
    ignore: ["**/*.log"],
  },
  InvalidDefinitionDescription: {
    id: "N20",
    text: "# check=experimental=InvalidDefinitionDescription\n# name is fine\nARG name\n# but this is not\nFROM scratch AS base",
    line: 5,
    message: "Comment for FROM should follow the format: `# base <description>`",
  },
  ExposeProtoCasing: {
    id: "N21",
    text: "FROM scratch\nEXPOSE 80/TCP",
    line: 2,
    message: "Defined protocol '80/TCP' in EXPOSE instruction should be lowercase",
  },
  ExposeInvalidFormat: {
    id: "N22",
    text: "FROM scratch\nEXPOSE 127.0.0.1:80:80",
    line: 2,
    message: "EXPOSE instruction should not define an IP address or host-port mapping, found '127.0.0.1:80:80'",
  },
};

const file = "Dockerfile";

async function lint(text: string, buildArgs: Readonly<Record<string, string>> = {}): Promise<string[]> {
  const { warnings, error } = await lintDockerfile(text, { file, buildArgs });
  return [
    ...warnings.map(({ rule, where }) => `${rule} ${where?.startLine}`),
    ...(error === undefined ? [] : [`${error.code} ${error.where?.startLine}`]),
  ];
}

for (const [rule, { id, text, line, message, ignore = [] }] of Object.entries(faults)) {
  // the default alone is no image name; with the argument the rest of the file can be looked at
  test(`${id} ${rule} fires for its fault and nothing else does`, async () => {
    const { warnings } = await lintDockerfile(text, {
      file,
      ignorePatterns: ignore,
      buildArgs: rule === "InvalidDefaultArgInFrom" ? { TAG: "1" } : {},
    });
    assert.deepEqual(
      warnings.map((warning) => [warning.rule, warning.message, warning.where?.startLine, warning.description, warning.url]),
      [[rule, message, line, lintRules[rule as LintRuleName].description, lintRuleUrl(rule as LintRuleName)]],
    );
  });
}

test("N14 InvalidBaseImagePlatform has no page; the others' addresses are their names in words", () => {
  assert.equal(lintRuleUrl("InvalidBaseImagePlatform"), undefined);
  assert.equal(lintRuleUrl("JSONArgsRecommended"), "https://docs.docker.com/go/dockerfile/rule/json-args-recommended/");
  assert.equal(lintRuleUrl("FromPlatformFlagConstDisallowed")?.split("/").at(-2), "from-platform-flag-const-disallowed");
});

test("N19 an ignore file that takes something back, another stage and what comes from elsewhere are left alone", async () => {
  const quiet = async (text: string, ignorePatterns: readonly string[]): Promise<void> =>
    assert.deepEqual((await lintDockerfile(text, { file, ignorePatterns })).warnings, []);
  await quiet("FROM scratch\nCOPY a.log /", ["*.log", "!b.log"]);
  await quiet("FROM scratch AS a\nFROM scratch\nCOPY --from=a a.log /", ["*.log"]);
  await quiet("FROM scratch\nCOPY . /a/\nCOPY / /b/", ["*.log"]);
  await quiet("FROM scratch\nCOPY <<a.log /\n1\na.log\n", ["*.log"]);
  const { warnings } = await lintDockerfile("FROM scratch\nCOPY . /a/", { file, ignorePatterns: ["*"] });
  assert.equal(warnings.length, 1);
});

test("N30 skip leaves rules out by their exact names, all of them with all", async () => {
  const body = "FROM scratch as A\nMAINTAINER x";
  assert.deepEqual(await lint(body), ["StageNameCasing 1", "FromAsCasing 1", "MaintainerDeprecated 2"]);
  assert.deepEqual(await lint(`# check=skip=StageNameCasing,FromAsCasing\n${body}`), ["MaintainerDeprecated 3"]);
  assert.deepEqual(await lint(`# check=skip=stagenamecasing,Unheard\n${body}`), [
    "StageNameCasing 2",
    "FromAsCasing 2",
    "MaintainerDeprecated 3",
  ]);
  assert.deepEqual(await lint(`# check=skip=all\n${body}`), []);
});

test("N31 experimental turns rules on, and skip does not turn them off", async () => {
  const body = "# words\nFROM scratch AS a";
  assert.deepEqual(await lint(body), []);
  assert.deepEqual(await lint(`# check=experimental=all\n${body}`), ["InvalidDefinitionDescription 3"]);
  assert.deepEqual(await lint(`# check=skip=all;experimental=InvalidDefinitionDescription\n${body}`), [
    "InvalidDefinitionDescription 3",
  ]);
});

test("N32 error=true makes warnings an error that names their rules", async () => {
  const { error } = await lintDockerfile("# check=error=true\nFROM scratch as A", { file });
  assert.equal(error?.code, "DOCKERFILE_LINT");
  assert.equal(error.message, "lint violation found for rules: StageNameCasing, FromAsCasing");
  assert.deepEqual(await lint("# check=error=true\nFROM scratch"), []);
  assert.deepEqual(await lint("# check=skip=all;error=true\nFROM scratch as A"), []);
});

test("N33 options are parted by semicolons, names by commas, and others are errors", async () => {
  const line = (options: string): string => `# check=${options}\nFROM scratch as A`;
  for (const wrong of ["skip", "ignore=A", "error=maybe", "skip=A;", "Skip=A"]) {
    assert.deepEqual(await lint(line(wrong)), ["DOCKERFILE_CHECK 1"], wrong);
  }
  assert.deepEqual(await lint(line("skip=StageNameCasing;error=0;experimental=X;skip=FromAsCasing")), ["FromAsCasing 2"]);
  assert.deepEqual(await lint(line("skip=StageNameCasing;skip=FromAsCasing")), ["StageNameCasing 2"]);
  // the directive's value ends at a blank
  assert.deepEqual(await lint(line("skip=StageNameCasing, FromAsCasing")), ["FromAsCasing 2"]);
});

test("N34 A08 the build argument takes the place of the directive", async () => {
  const text = "# check=skip=StageNameCasing\nFROM scratch as A";
  assert.deepEqual(await lint(text, { BUILDKIT_DOCKERFILE_CHECK: "skip=FromAsCasing" }), ["StageNameCasing 2"]);
  assert.deepEqual(await lint(text, { BUILDKIT_DOCKERFILE_CHECK: "" }), ["StageNameCasing 2", "FromAsCasing 2"]);
  assert.deepEqual(await lint(text, { BUILDKIT_DOCKERFILE_CHECK: "nonsense" }), ["DOCKERFILE_CHECK undefined"]);
});

test("N34 a check comment adds to the options for the one instruction below", async () => {
  assert.deepEqual(
    await lint(
      "FROM scratch\n# why\n# check=skip=LegacyKeyValueFormat and why\nENV a b\nENV a b\n# check=skip=all\n#\nENV a b\n  # check=skip=all\nENV a b",
    ),
    ["LegacyKeyValueFormat 5", "LegacyKeyValueFormat 8", "LegacyKeyValueFormat 10"],
  );
  assert.deepEqual(await lint("FROM scratch\n# check=nonsense\n# check=skip=all\nENV a b"), ["LegacyKeyValueFormat 4"]);
  assert.deepEqual(await lint("FROM scratch AS a\n# check=skip=all\nFROM scratch as a"), ["DuplicateStageName 3"]);
});

test("N36 what was found before an error is not lost with it", async () => {
  assert.deepEqual(await lint("FROM scratch as a\nENV a b\nENV c=${x?must}"), [
    "FromAsCasing 1",
    "LegacyKeyValueFormat 2",
    "UndefinedVar 3",
    "DOCKERFILE_SUBSTITUTION 3",
  ]);
  assert.deepEqual(await lint("FROM scratch as a\nFOO"), ["FromAsCasing 1", "DOCKERFILE_UNKNOWN_INSTRUCTION 2"]);
});

test("N36 all stages are looked at, with a target those that it needs", async () => {
  const text = "FROM scratch AS a\nENV a b\nFROM scratch AS b\nENV a b\nFROM a\nENV a b";
  assert.deepEqual(await lint(text), ["LegacyKeyValueFormat 2", "LegacyKeyValueFormat 4", "LegacyKeyValueFormat 6"]);
  const { warnings } = await lintDockerfile(text, { file, target: "b" });
  assert.deepEqual(
    warnings.map(({ where }) => where?.startLine),
    [4],
  );
});

test("N11 without base images only typing errors in variables count", async () => {
  assert.deepEqual(await lint("FROM image\nARG NAME=1\nENV A=$FROM_BASE B=$NAEM"), ["UndefinedVar 3"]);
});

async function fix(text: string, unsafe = false): Promise<string> {
  return Buffer.from((await fixDockerfile(text, { file, unsafe })).bytes).toString();
}

test("N01 N02 N03 N04 N13 N21 N22 fixes touch nothing but what is wrong", async () => {
  const cases: readonly (readonly [string, string])[] = [
    ["from scratch AS Base # x\n", "from scratch AS Base # x\n"],
    ["FROM   scratch  as\tBase  \r\n# kept\n", "FROM   scratch  AS\tbase  \r\n# kept\n"],
    ["FROM scratch \\\n  as \\\n  A\n", "FROM scratch \\\n  AS \\\n  a\n"],
    ["FROM scratch\nENV a=1 \\\n\n  # kept\n \t\n  b=2\n", "FROM scratch\nENV a=1 \\\n  # kept\n  b=2\n"],
    ["From scratch as x\nenv A=1\nEnv B=1\nCMD []\nlabel c=d", "from scratch as x\nenv A=1\nenv B=1\ncmd []\nlabel c=d"],
    [
      "FROM scratch\nENV  a \t b\nLABEL c d  e $X \nENV q 'x y' z\nENV r \\\n s\nENV t u \\\n  v\n",
      'FROM scratch\nENV  a=b\nLABEL c="d  e $X" \nENV q \'x y\' z\nENV r \\\n s\nENV t="u \\\n  v"\n',
    ],
    [
      "FROM scratch\nENV P=1\nEXPOSE 80/TCP  9000:90 [::1]:1:95/Udp $P/TCP\n",
      "FROM scratch\nENV P=1\nEXPOSE 80/tcp  90 95/udp $P/TCP\n",
    ],
    // sorted otherwise, the history would change
    ["FROM scratch\nEXPOSE 80/UDP 80/tcp\n", "FROM scratch\nEXPOSE 80/UDP 80/tcp\n"],
    ["FROM scratch\nMAINTAINER me\n", "FROM scratch\nMAINTAINER me\n"],
    ["# check=skip=FromAsCasing\nFROM scratch as A\n", "# check=skip=FromAsCasing\nFROM scratch as a\n"],
    ["FROM scratch as\n", "FROM scratch as\n"],
  ];
  for (const [before, after] of cases) assert.equal(await fix(before), after);
});

test("N08 an unsafe fix makes MAINTAINER a label with the same text", async () => {
  assert.equal(
    await fix('FROM scratch\nMAINTAINER "A" $B \\C\n', true),
    'FROM scratch\nLABEL org.opencontainers.image.authors="\\"A\\" \\$B \\\\C"\n',
  );
});

test("N03 bytes that are no UTF-8 stay in comments that a fix goes by", async () => {
  const bytes = Buffer.from("# caf\xe9\nFROM scratch as a\n", "latin1");
  const fixed = await fixDockerfile(bytes, { file });
  assert.equal(Buffer.from(fixed.bytes).toString("latin1"), "# caf\xe9\nFROM scratch AS a\n");
});

const digest = parseDigest(`sha256:${"1".repeat(64)}`);
const resolveImage: ResolveImage = async (reference) => ({
  reference,
  digest,
  config: {
    architecture: "amd64",
    os: "linux",
    config: { Env: ["PATH=/bin", "X=1"] },
    rootfs: { type: "layers", diff_ids: [digest] },
  },
});

/** What a text builds: the operations of the graph and the image; undefined for what does not compile. */
async function graphOf(text: string): Promise<unknown> {
  try {
    const { dockerfile } = parseDockerfile(text, { file });
    const buildPlatform = { os: "linux", architecture: "amd64" };
    const { definition, image } = await compileDockerfile(
      dockerfile,
      { buildPlatform, resolveImage },
      { signal: new AbortController().signal },
    );
    return { vertices: [...loadGraph(definition).vertices.keys()], image };
  } catch (error) {
    if (isVarveError(error)) return undefined;
    throw error;
  }
}

const word = fc.constantFrom(
  "a",
  "b=c",
  "$X",
  "${Y:-d e}",
  '"q r"',
  "'s'",
  "\\ t",
  "x\\",
  "=",
  "80/TCP",
  "1:80/udp",
  "[::1]:2:3",
  "A.b",
  "$",
  "<<E",
  "`",
  "#",
);
const gap = fc.constantFrom(" ", "  ", "\t", " \\\n", " \\\n\n", " \\\n# c\n \t\n ");
const keyword = fc.constantFrom(
  "ENV",
  "env",
  "Env",
  "LABEL",
  "label",
  "EXPOSE",
  "expose",
  "RUN",
  "MAINTAINER",
  "CMD",
  "ARG",
  "ONBUILD ENV",
  "WORKDIR",
  "# note",
  "#",
);
const instruction = fc
  .tuple(keyword, fc.array(fc.tuple(gap, word), { maxLength: 4 }))
  .map(([name, words]) => name + words.flat().join(""));
const stage = fc.tuple(
  fc.constantFrom("FROM image", "from scratch", "From image AS One", "FROM image as two", "FROM image \\\n\n aS Three"),
  fc.array(instruction, { maxLength: 5 }),
);
const dockerfile = fc
  .array(stage, { minLength: 1, maxLength: 3 })
  .map((stages) => `${stages.map(([from, rest]) => [from, ...rest].join("\n")).join("\n")}\n`);

test("N01 N02 N03 N04 N13 N21 N22 a fixed file builds the same, and has nothing more to fix", async () => {
  let compiled = 0;
  await fc.assert(
    fc.asyncProperty(dockerfile, async (text) => {
      const fixed = await fix(text);
      assert.equal(await fix(fixed), fixed);
      const before = await graphOf(text);
      if (before === undefined) return;
      compiled++;
      assert.deepEqual(await graphOf(fixed), before, fixed);
    }),
    { numRuns: 400 },
  );
  assert.ok(compiled > 50, `only ${compiled} of the texts compile`);
});
