import type { Case, FileSpec } from "./case.ts";
import { createRandom, type Random } from "./random.ts";
import { makeCopies } from "./random-copies.ts";
import { makeArchives } from "./random-archives.ts";
import { makeFaults } from "./random-faults.ts";
import { makeIgnored } from "./random-ignore.ts";
import { makeRuns } from "./random-runs.ts";
import { makeOddSyntax } from "./random-syntax.ts";

/** What can be put together by chance, each kind for one corner of the builders. */
const kinds: Readonly<Record<string, (random: Random) => FileSpec[]>> = {
  mixed: (random) => [...makeContext(random), { path: "Dockerfile", kind: "file", content: Buffer.from(makeDockerfile(random)) }],
  syntax: makeOddSyntax,
  copies: makeCopies,
  ignore: makeIgnored,
  runs: makeRuns,
  archives: makeArchives,
  faults: makeFaults,
};

export interface RandomOptions {
  readonly seed: number;
  readonly count: number;
  /** One of the kinds; of all in turn where absent. */
  readonly kind?: string;
}

/**
 * Builds that nobody thought of: Dockerfiles put together by chance from the instructions' forms, with their contexts. The same seed
 * makes the same cases. Whether a build should succeed is not known: both builders must agree on that, and on the image.
 */
export function randomCases({ seed, count, kind }: RandomOptions): Case[] {
  const all = Object.keys(kinds);
  return Array.from({ length: count }, (_, index) => {
    const random = createRandom(seed * 100_003 + index);
    const chosen = kind ?? all[index % all.length] ?? "mixed";
    const make = kinds[chosen];
    if (make === undefined) throw new Error(`there is no kind ${chosen}, only ${all.join(", ")}`);
    const files = make(random);
    const usesNewer = files.some(
      (file) => file.path === "Dockerfile" && "content" in file && /--parents/.test(Buffer.from(file.content).toString()),
    );
    return {
      name: `random-${chosen}-${seed}-${index}`,
      topic: chosen,
      ids: [],
      options: {
        buildArgs: random.chance(0.4) ? { GIVEN: random.pick(words) } : {},
        labels: {},
        dockerfile: "Dockerfile",
        hosts: [],
        ulimits: [],
        more: [],
      },
      fails: undefined,
      mayFail: true,
      needs: usesNewer ? "--parents" : undefined,
      files,
    };
  });
}

const words = ["one", "two words", "a-b", "", "3.1", "x=y", "$HOME", "ü", "a/b.c"];
const names = ["FOO", "BAR", "GIVEN", "VERSION", "dir", "X_1"];
const users = ["0", "1000", "1000:2000", "web", "web:daemon", "nobody", "4242:4242", "root"];
const sources = [
  "a.txt", "d", "d/", "d/sub", "*.txt", "d/*", "?.txt", "script.sh", "link", "d/link-out", "empty", "big.bin", "[ab].txt",
  "d/**/*.md", "missing", "./a.txt", "/d/b.md", "d/../a.txt", "mode", "hard", "arch.tar", ".",
]; // prettier-ignore
const targets = [
  "/",
  "/t",
  "/t/",
  "t",
  "./t/",
  "/old",
  "/old/",
  "/deep/er/one/",
  "/usr/share/x",
  "/real",
  "/t/file.txt",
  "$dir/",
  "/${FOO:-def}/",
];
/** Without write bits for others: folders that the engine makes lose these to its umask. */
const modes = ["644", "0755", "4755", "700", "u=rwX,go=rX", "go-w", "a+x", "555"];

function makeContext(random: Random): FileSpec[] {
  const file = (path: string, text: string, mode?: number): FileSpec => ({
    path,
    kind: "file",
    content: Buffer.from(text),
    ...(mode === undefined ? {} : { mode }),
  });
  const rules = ["*.md", "!d/keep.md", "d/sub", "**/b.*", "empty", "/a.txt", "d/k*", "# no rule", "!d/sub/deep", "*.sh", "mode/"];
  const ignore = Array.from({ length: random.below(4) }, () => random.pick(rules));
  return [
    file("a.txt", "a\n"),
    file("b.txt", "bb\n", 0o600),
    file("script.sh", "#!/bin/sh\necho ran $*\n", 0o755),
    file("d/b.md", "# b\n"),
    file("d/keep.md", "# keep\n"),
    file("d/sub/c.md", "c\n", 0o444),
    file("d/sub/deep/e.txt", "e\n"),
    file("mode/odd", "odd\n", 0o4711),
    file("mode/.hidden", "h\n", 0o000),
    file("big.bin", "0123456789".repeat(20_000)),
    { path: "empty", kind: "folder", mode: 0o711 },
    { path: "link", kind: "symlink", target: "a.txt" },
    { path: "d/link-out", kind: "symlink", target: "/etc/passwd" },
    { path: "d/link-dir", kind: "symlink", target: "sub" },
    { path: "hard", kind: "link", target: "a.txt" },
    {
      path: "arch.tar",
      kind: "archive",
      content: Buffer.from(
        [
          { path: "in/", mode: "0750" },
          { path: "in/x", text: "x\n", uid: 7, gid: 8 },
        ]
          .map((entry) => JSON.stringify(entry))
          .join("\n"),
      ),
    },
    ...(ignore.length > 0 ? [file(".dockerignore", `${ignore.join("\n")}\n`)] : []),
  ];
}

function makeDockerfile(random: Random): string {
  const lines: string[] = [];
  if (random.chance(0.3)) lines.push(`ARG ${random.pick(names)}=${random.pick(["g", "1.2", "busy"])}`);
  const stages = 1 + random.below(3);
  for (let stage = 0; stage < stages; stage += 1) {
    const earlier = Array.from({ length: stage }, (_, index) => `s${index}`);
    const base = random.pick(["varve-base", "varve-base", "varve-base", "scratch", ...earlier]);
    lines.push(`FROM ${base} AS s${stage}`);
    const canRun = base !== "scratch" && !isOfScratch(lines, base);
    for (let left = 1 + random.below(8); left > 0; left -= 1) lines.push(makeInstruction(random, earlier, canRun));
  }
  return `${lines.join("\n")}\n`;
}

/** Whether a stage stands on nothing: it has no shell. */
function isOfScratch(lines: readonly string[], stage: string): boolean {
  const from = lines.find((line) => line.endsWith(` AS ${stage}`))?.split(" ")[1];
  return from === "scratch" || (from !== undefined && from !== "varve-base" && isOfScratch(lines, from));
}

function makeInstruction(random: Random, stages: readonly string[], canRun: boolean): string {
  const value = () =>
    random.pick([random.pick(names), `"${random.pick(words)}"`, "$FOO", "${BAR:-none}", "${GIVEN:+set}", "plain", "'$X_1'"]);
  const config: readonly (() => string)[] = [
    () => `ENV ${random.pick(names)}=${value()}`,
    () => `ENV ${random.pick(names)}=${value()} ${random.pick(names)}=${value()}`,
    () => `ARG ${random.pick(names)}${random.chance(0.6) ? `=${value()}` : ""}`,
    () => `LABEL ${random.pick(["a", "b.c", '"quoted key"'])}=${value()}`,
    () => `WORKDIR ${random.pick(["/w", "rel", "/old/sub", "../up", "$dir/x", "/", "/real/../w2", '"spaced dir"'])}`,
    () => `USER ${random.pick(users)}`,
    () => `EXPOSE ${random.pick(["80", "53/udp", "8000-8003", "$FOO", "443/TCP"])}`,
    () => `VOLUME ${random.pick(["/data", '["/v1", "/v2"]', "/a /b", "$dir"])}`,
    () => `STOPSIGNAL ${random.pick(["SIGINT", "9", "sigterm", "RTMIN+1"])}`,
    () => `SHELL ${random.pick(['["/bin/sh", "-ec"]', '["/bin/sh","-c"]', '["sh"]'])}`,
    () => `CMD ${random.pick(['["a", "b"]', "echo $FOO", "[ not json", "[]", '["x"'])}`,
    () => `ENTRYPOINT ${random.pick(['["/e"]', "exec top", "[]"])}`,
    () =>
      `HEALTHCHECK ${random.pick(["NONE", "CMD true", '--interval=5s --retries=2 CMD ["ok"]', "--timeout=1m --start-period=2s CMD echo $FOO"])}`,
    () => `ONBUILD ${random.pick(["COPY a.txt /onbuild/", "ENV ON=1", "RUN true", "LABEL l=$FOO"])}`,
    () => `MAINTAINER ${random.pick(["someone", "a b <c@d>"])}`,
  ];
  const copyFlags = () =>
    [
      random.chance(0.25) ? `--chown=${random.pick(users)}` : "",
      random.chance(0.2) ? `--chmod=${random.pick(modes)}` : "",
      random.chance(0.15) ? "--link" : "",
    ].filter(Boolean);
  const copies: readonly (() => string)[] = [
    () => ["COPY", ...copyFlags(), random.pick(sources), random.pick(targets)].join(" "),
    () =>
      ["COPY", ...copyFlags(), random.pick(sources), random.pick(sources), random.pick(["/many/", "/old/", "many", "./"])].join(
        " ",
      ),
    () => ["ADD", ...copyFlags(), random.pick([...sources, "arch.tar"]), random.pick(targets)].join(" "),
    () =>
      ["COPY", ...copyFlags(), `<<EOF ${random.pick(["/here", "/here/", "here.txt"])}\n${random.pick(words)} $FOO\nEOF`].join(
        " ",
      ),
    () =>
      stages.length === 0
        ? `COPY --from=varve-base ${random.pick(["/etc/passwd", "/old", "/real/", "/bin/busybox"])} ${random.pick(targets)}`
        : [
            "COPY",
            ...copyFlags(),
            `--from=${random.pick(stages)}`,
            random.pick(["/t", "/w", "/old", "/", "/here*", "/run/out", "/etc/pass*"]),
            random.pick(targets),
          ].join(" "),
  ];
  const runs: readonly (() => string)[] = [
    () => 'RUN mkdir -p /run/out && echo "$FOO-$BAR-$GIVEN-$dir" > /run/out/env',
    () => "RUN id > /run-id 2>/dev/null || true; pwd > /tmp/pwd",
    () =>
      `RUN ${random.pick(["rm -rf /old", "rm -f /t", "chmod 700 /old", "ln -s /old /t2", "touch /new", "mv /real /moved", "chown 12:13 /etc/passwd", "mkdir -m 1777 /sticky"])}`,
    () => "RUN <<EOF\necho heredoc $FOO > /tmp/h\nls / > /tmp/ls\nEOF",
    () =>
      `RUN --mount=type=bind,target=/ctx${random.chance(0.5) ? ",rw" : ""} ls -R /ctx > /tmp/ctx 2>&1; cp /ctx/a.txt /tmp/ || true`,
    () => "RUN --mount=type=cache,target=/cache sh -c 'test -d /cache && stat -c %a:%u:%g /cache > /tmp/cache'",
    () => `RUN --mount=type=tmpfs,target=/scratch touch /scratch/x; ls -A /scratch > /tmp/scratch`,
    () => `RUN ["/bin/sh", "-c", "echo exec $FOO > /tmp/exec"]`,
    () => "RUN env | sort | grep -v -e HOSTNAME -e SHLVL > /tmp/env",
    () => "RUN cat /proc/self/status | grep -e Cap -e NoNew > /tmp/status; umask > /tmp/umask; ulimit -n > /dev/null",
  ];
  const kind = random.below(10);
  if (kind < 4) return random.pick(config)();
  if (kind < 7 || !canRun) return random.pick(copies)();
  return random.pick(runs)();
}
