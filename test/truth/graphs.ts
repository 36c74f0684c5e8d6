/** Random contexts, Dockerfiles and edits of both, for comparing builds with and without a cache. */
import { chmodSync, existsSync, lstatSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";

/** A change of the context's folder. What does not fit the folder as it is does nothing. */
export type FileEdit =
  | { readonly kind: "write"; readonly path: string; readonly content: string }
  | { readonly kind: "mode"; readonly path: string; readonly mode: number }
  | { readonly kind: "remove"; readonly path: string }
  | { readonly kind: "move"; readonly path: string; readonly to: string }
  | { readonly kind: "swap"; readonly path: string; readonly to: string }
  | { readonly kind: "link"; readonly path: string; readonly to: string }
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "ignore"; readonly rules: readonly string[] };

/** A stage: what it stands on (an earlier stage by its number, or busybox), and its lines. */
export interface Stage {
  readonly base: number;
  readonly lines: readonly string[];
}

/** Puts a line in the place of one, adds one, or takes one away. */
export interface LineEdit {
  readonly stage: number;
  readonly line: number;
  readonly kind: "replace" | "insert" | "remove";
  readonly text: string;
}

export interface Edit {
  readonly files: readonly FileEdit[];
  readonly lines: readonly LineEdit[];
  readonly args: Readonly<Record<string, string>> | undefined;
  readonly target: number | undefined;
}

export interface Graph {
  readonly files: readonly FileEdit[];
  readonly stages: readonly Stage[];
  readonly args: Readonly<Record<string, string>>;
  readonly edits: readonly Edit[];
  /** Without a base image and without what runs: many more of them are compared in the same time. */
  readonly isLight: boolean;
  /** Files are let grow so old before each build that a store remembers what they hold. */
  readonly isAged: boolean;
}

const paths = ["a", "b.txt", "c.txt", "d", "d/a", "d/e", "d/e/f", "d/g.txt", "x y"];
const path = fc.constantFrom(...paths);
// of two lengths, so that edits often keep the size
const content = fc.constantFrom("1111", "2222", "3333", "", "a longer one");

const fileEdit: fc.Arbitrary<FileEdit> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("write" as const), path, content }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("mode" as const), path, mode: fc.constantFrom(0o644, 0o755, 0o600, 0o4711) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("remove" as const), path }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("move" as const), path, to: path }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("swap" as const), path, to: path }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("link" as const), path, to: fc.constantFrom("a", "b", "d", "e", "../a", "/d/a") }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("folder" as const), path }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("ignore" as const),
      rules: fc.array(fc.constantFrom("a", "*.txt", "d", "!d/a", "**/f", "d/e", "!**/g.txt", "Dockerfile"), { maxLength: 3 }),
    }),
  },
);

/** Everything that a step wrote just now gets one time: clocks are no part of what is compared. */
const rest = "; find / -xdev -mmin -600 -exec touch -h -d @0 {} + 2>/dev/null; true";
const shown = (folder: string) =>
  `cd ${folder} && find . -print0 | sort -z | xargs -0 stat -c '%n %F %a %u:%g %s' && find . -type f -print0 | sort -z | xargs -0 md5sum`;

const source = fc.constantFrom(".", "a", "d", "d/", "*.txt", "d/*", "d/e", "?", "b.txt c.txt");
const target = fc.constantFrom("/w/", "/w/sub/", "/", "rel/", "/d/");
const copyFlag = fc.constantFrom(
  "",
  "",
  "",
  "--chmod=640 ",
  "--chown=3:4 ",
  "--link ",
  "--exclude=*.txt ",
  "--parents ",
  "--chmod=u+x ",
);
const name = fc.constantFrom("A", "B", "C");

const line = (stage: number): fc.Arbitrary<string> => {
  const earlier = stage === 0 ? [] : Array.from({ length: stage }, (_, index) => `s${index}`);
  const from = fc.constantFrom(...(earlier.length === 0 ? ["busybox"] : earlier));
  return fc.oneof(
    { weight: 4, arbitrary: fc.tuple(copyFlag, source, target).map(([flag, src, dest]) => `COPY ${flag}${src} ${dest}`) },
    {
      weight: 3,
      arbitrary: fc
        .tuple(
          fc.constantFrom("", "--chown=5 ", "--link ", "--chmod=700 "),
          from,
          fc.constantFrom("/w", "/gen", "/etc/passwd", "/w/*", "/d", "/rel/"),
          target,
        )
        .map(([flag, stageName, src, dest]) => `COPY --from=${stageName} ${flag}${src} ${dest}`),
    },
    { weight: 3, arbitrary: fc.tuple(name, content).map(([key, text]) => `ENV ${key}="${text}"`) },
    { weight: 2, arbitrary: name.map((key) => `ARG ${key}`) },
    { weight: 1, arbitrary: fc.tuple(name, content).map(([key, text]) => `ARG ${key}="${text}"`) },
    { weight: 2, arbitrary: fc.constantFrom("WORKDIR /w", "WORKDIR rel", "WORKDIR /$A") },
    { weight: 2, arbitrary: fc.constant(`RUN mkdir -p /gen && echo "$A $B $C" >> /gen/env${rest}`) },
    {
      weight: 2,
      arbitrary: fc
        .constantFrom("/w", "/d", "/rel")
        .map((folder) => `RUN mkdir -p /gen ${folder}; (${shown(folder)}) >> /gen/seen${rest}`),
    },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom("rm -rf /w/d", "mv /w/a /w/moved", "chmod -R go-r /w", "ln -sfn /d /w/link", "chown -R 8:9 /d")
        .map((command) => `RUN ${command}${rest}`),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(
          fc.constantFrom("", ",source=d", ",source=a", ",rw"),
          fc.constantFrom("", ...earlier.map((one) => `,from=${one},source=/etc`)),
        )
        .map(
          ([context, other]) =>
            `RUN --mount=target=/m${other === "" ? context : other} mkdir -p /gen; (${shown("/m")} || md5sum /m) >> /gen/bound 2>&1${rest}`,
        ),
    },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom("0700", "0755")
        .map((mode) => `RUN --mount=type=cache,target=/c,mode=${mode} stat -c %a /c > /moded; touch /c/used${rest}`),
    },
    { weight: 1, arbitrary: fc.constant(`RUN --mount=type=tmpfs,target=/t touch /t/x${rest}`) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        "LABEL a=$A",
        "USER 1:2",
        "USER root",
        "EXPOSE 80",
        "VOLUME /v",
        "HEALTHCHECK CMD true",
        "ONBUILD COPY a /onbuild/",
        'ONBUILD RUN echo "$A" > /onbuilt; touch -d @0 /onbuilt',
        'SHELL ["/bin/sh", "-ec"]',
        "STOPSIGNAL 9",
        "COPY <<X /w/heredoc\n$A $B\nX",
      ),
    },
  );
};

const stageAt = (index: number): fc.Arbitrary<Stage> =>
  fc.record({ base: fc.integer({ min: -1, max: index - 1 }), lines: fc.array(line(index), { minLength: 1, maxLength: 5 }) });

const args = fc.dictionary(name, fc.constantFrom("1", "2", ""), { maxKeys: 2 });

const lineEdit: fc.Arbitrary<LineEdit> = fc
  .record({ stage: fc.nat(2), line: fc.nat(4), kind: fc.constantFrom("replace" as const, "insert" as const, "remove" as const) })
  .chain((edit) => line(edit.stage).map((text) => ({ ...edit, text })));

const edit: fc.Arbitrary<Edit> = fc.record({
  files: fc.array(fileEdit, { maxLength: 3 }),
  lines: fc.array(lineEdit, { maxLength: 1 }),
  args: fc.option(args, { nil: undefined, freq: 4 }),
  target: fc.option(fc.nat(2), { nil: undefined, freq: 4 }),
});

export const graphs: fc.Arbitrary<Graph> = fc.record({
  files: fc.array(fileEdit, { minLength: 2, maxLength: 10 }),
  stages: fc
    .tuple(stageAt(0), stageAt(1), stageAt(2))
    .chain((all) => fc.integer({ min: 1, max: 3 }).map((count) => all.slice(0, count))),
  args,
  edits: fc.array(edit, { minLength: 1, maxLength: 4 }),
  isLight: fc.integer({ min: 0, max: 3 }).map((one) => one > 0),
  isAged: fc.integer({ min: 0, max: 7 }).map((one) => one === 0),
});

/** What contexts begin with, so that most of what is copied is there. */
export const firstFiles: readonly FileEdit[] = ["a", "b.txt", "c.txt", "d/a", "d/e/f", "d/g.txt", "x y"].map((one) => ({
  kind: "write",
  path: one,
  content: "0000",
}));

/** The Dockerfile of stages. */
export function printStages(stages: readonly Stage[], { isLight }: Pick<Graph, "isLight">): string {
  return stages
    .map(({ base, lines }, index) => {
      if (isLight) {
        const kept = lines.filter((one) => !/^(?:RUN|SHELL|ONBUILD RUN)\b|--from=busybox|\/(?:gen|etc)\b/.test(one));
        const first = base < 0 ? ["FROM scratch", "WORKDIR /w", "WORKDIR /d", "WORKDIR /rel", "WORKDIR /"] : [`FROM s${base}`];
        return [`${first[0]} AS s${index}`, ...first.slice(1), ...kept].join("\n");
      }
      const begin = base < 0 ? ["FROM busybox", `RUN mkdir -p /w /d /rel /gen${rest}`] : [`FROM s${base}`];
      return [`${begin[0]} AS s${index}`, ...begin.slice(1), ...lines].join("\n");
    })
    .join("\n");
}

export function editStages(stages: readonly Stage[], edits: readonly LineEdit[]): readonly Stage[] {
  return edits.reduce(
    (before, { stage, line: at, kind, text }) =>
      before.map((one, index) => {
        if (index !== stage) return one;
        const added = kind === "remove" ? [] : [text];
        return { ...one, lines: one.lines.toSpliced(Math.min(at, one.lines.length), kind === "insert" ? 0 : 1, ...added) };
      }),
    stages,
  );
}

/** Does an edit of files below a folder. */
export function editFiles(root: string, edits: readonly FileEdit[]): void {
  for (const one of edits) {
    try {
      editOne(root, one);
    } catch (error) {
      // a folder where a file should be, a file on the way: such an edit does nothing
      if (
        !["EISDIR", "ENOTDIR", "EEXIST", "ENOTEMPTY", "EINVAL", "ENOENT", "ELOOP"].includes(
          (error as NodeJS.ErrnoException).code ?? "",
        )
      )
        throw error;
    }
  }
}

function editOne(root: string, one: FileEdit): void {
  if (one.kind === "ignore") return writeFileSync(join(root, ".dockerignore"), one.rules.join("\n"));
  const at = join(root, one.path);
  const there = lstatSync(at, { throwIfNoEntry: false });
  if (one.kind === "remove") return rmSync(at, { recursive: true, force: true });
  if (one.kind === "mode")
    return there === undefined || there.isSymbolicLink()
      ? undefined
      : chmodSync(at, one.mode | (there.isDirectory() ? 0o700 : 0));
  if (one.kind === "move") return renameSync(at, join(root, one.to));
  if (one.kind === "swap") {
    const [other, aside] = [join(root, one.to), join(root, "aside")];
    if (
      there === undefined ||
      !existsSync(other) ||
      one.path.startsWith(`${one.to}/`) ||
      one.to.startsWith(`${one.path}/`) ||
      one.path === one.to
    )
      return;
    renameSync(at, aside);
    renameSync(other, at);
    return renameSync(aside, other);
  }
  mkdirSync(dirname(at), { recursive: true });
  if (one.kind === "folder") mkdirSync(at);
  else if (one.kind === "link") {
    if (there !== undefined && !there.isDirectory()) rmSync(at);
    symlinkSync(one.to, at);
  } else {
    if (there?.isSymbolicLink()) rmSync(at);
    writeFileSync(at, one.content);
  }
}
