import type { FileSpec } from "./case.ts";
import type { Random } from "./random.ts";

/*
 * COPY and ADD alone: what is named, where it goes, what is there already. Two stages without a shell and one with, so that links, odd
 * modes and hard links come from a stage as well as from the context.
 */

const segments = ["a", "b", "d", "sub", "x.txt", "y.md", "link", "dirlink", "up", "dead", "[z]", "sp ace", ".hid", "e"];
const users = ["0", "7:8", "app", "app:extra", "web:0", ":12", "4294967294", "nobody"];
const modes = [
  "644",
  "0755",
  "4755",
  "2711",
  "1700",
  "u=rwX,go=rX",
  "go-w,u+s",
  "a+x",
  "a-x",
  "u=g,o=",
  "+X",
  "-r",
  "=",
  "u+rwxs,g=u-w",
  "o=t",
];
const patterns = [
  "*.txt",
  "**/*.md",
  "d",
  "sub",
  "**/sub",
  "!**/x.txt",
  "d/**",
  "*",
  "**",
  "a*",
  "[a-c]",
  "?",
  "**/[ab]",
  "e/",
  "/d",
  ".hid",
  "**/.*",
  "d/sub/*",
  "!d",
  "li*",
];

/** What the stage with a shell has whatever else chance made there. */
const madeSources = [
  "/t",
  "/t/",
  "/t/d",
  "/t/d/*",
  "/t/d/sub",
  "/t/d/hard",
  "/t/d/*.md",
  "/t/*/y.md",
  "/old",
  "/old/*",
  "/old/two",
  "/real",
  "/etc/pass*",
  "/link-to-real",
  "/link-to-real/",
  "/absolute-link/file",
  "/old/link-to-file",
  "/old/deep/../one",
  "/t/./d/sub",
  "/link-t*",
];
/** How a stage and what it starts from are named, and whether names of users are known there. */
const bases = [
  ["varve-base", true],
  ["two", true],
  ["one", false],
  ["varve-base:full", true],
  ["scratch", false],
] as const;

/** The files of a build that copies. */
export function makeCopies(random: Random): FileSpec[] {
  const tree = makeTree(random);
  const links = tree.filter(({ kind }) => kind === "symlink").map(({ path }) => path);
  const inTree = () =>
    random.pick(
      tree.filter(({ path }) => random.chance(0.05) || !links.some((link) => path === link || path.startsWith(`${link}/`))),
    ).path;
  const lines = [
    "FROM scratch AS one",
    ...random.several(1, 3, () => makeCopy(random, { from: undefined, inTree, hasUsers: false })),
  ];
  lines.push(
    "FROM varve-base AS two",
    "RUN mkdir -p /t/d/sub; echo x > /t/d/sub/x.txt; echo y > /t/d/y.md; ln /t/d/y.md /t/d/hard",
    `RUN ${random.several(2, 6, () => makeShell(random)).join("; ")}; true`,
  );
  const [base, hasUsers] = random.pick(bases);
  lines.push(`FROM ${base}`);
  const setting = random.pick(["WORKDIR /w", "WORKDIR /link-to-real", "USER app", "ENV D=/dd", ""]);
  if (setting !== "") lines.push(setting);
  const from = () => random.pick([undefined, undefined, undefined, "one", "two", "varve-base", "two", "0"]);
  for (let left = 2 + random.below(4); left > 0; left -= 1) lines.push(makeCopy(random, { from: from(), inTree, hasUsers }));
  const ignore = random.chance(0.1) ? random.several(1, 4, () => random.pick(patterns)) : [];
  const text = (path: string, content: string): FileSpec => ({ path, kind: "file", content: Buffer.from(content) });
  return [
    ...tree,
    text("Dockerfile", `${lines.join("\n")}\n`),
    ...(ignore.length > 0 ? [text(".dockerignore", `${ignore.join("\n")}\n`)] : []),
  ];
}

/** A tree of few names, so that they meet often. */
export function makeTree(random: Random): FileSpec[] {
  const kinds = new Map<string, FileSpec>();
  const isFolder = (path: string) => path === "" || kinds.get(path)?.kind === "folder";
  const folders = () => ["", ...[...kinds.values()].filter(({ kind }) => kind === "folder").map(({ path }) => path)];
  for (let left = 8 + random.below(16); left > 0; left -= 1) {
    const parent = random.pick(folders());
    const path = `${parent}${parent === "" ? "" : "/"}${random.pick(segments)}`;
    if (kinds.has(path) || !isFolder(parent) || path.split("/").length > 4) continue;
    const files = [...kinds.values()].filter(({ kind }) => kind === "file");
    const mode = random.chance(0.25) ? { mode: random.pick([0o600, 0o4755, 0o444, 0o1777, 0o2750, 0o711, 0o000]) } : {};
    const choice = random.below(12);
    if (choice < 4) kinds.set(path, { path, kind: "folder", ...mode });
    else if (choice < 9) kinds.set(path, { path, kind: "file", content: Buffer.from(`${path}\n`), ...mode });
    else if (choice < 11)
      kinds.set(path, {
        path,
        kind: "symlink",
        target: random.pick([
          "a",
          "d",
          "x.txt",
          "a",
          "../a",
          "../d",
          "/etc",
          "/real/file",
          ".",
          "..",
          "./sub/",
          "d/x.txt",
          "../../../d",
        ]),
      });
    else if (files.length > 0) kinds.set(path, { path, kind: "link", target: random.pick(files).path });
  }
  const always: FileSpec[] = [
    { path: "a", kind: "file", content: Buffer.from("a\n") },
    { path: "d/x.txt", kind: "file", content: Buffer.from("x\n") },
  ];
  return [...always.filter(({ path }) => !kinds.has(path) && isFolderOrFree(kinds, path)), ...kinds.values()];
}

function isFolderOrFree(kinds: ReadonlyMap<string, FileSpec>, path: string): boolean {
  const parent = path.slice(0, Math.max(path.lastIndexOf("/"), 0));
  return parent === "" || !kinds.has(parent) || kinds.get(parent)?.kind === "folder";
}

function makeShell(random: Random): string {
  const place = () => random.pick(["/t", "/t/a", "/t/d", "/t/d/sub", "/old/new", "/real/x.txt", "/t/link", "/w"]);
  return random.pick([
    `mkdir -p ${place()}`,
    `mkdir -p /t/d/sub; echo x > /t/d/sub/x.txt; echo y > /t/d/y.md; ln /t/d/y.md /t/d/hard`,
    `ln -s ${random.pick(["a", "/real", "../t", "d/sub", "nowhere", "/t/d"])} ${place()}`,
    `echo text > ${place()}`,
    `mkfifo ${place()}`,
    `mkdir -p /t/d && chmod ${random.pick(["1777", "2755", "700"])} /t/d && chown 3:4 /t/d`,
    `touch -d @1000000000 ${place()}`,
    `mknod ${place()} c 1 3`,
  ]);
}

interface CopyOptions {
  readonly from: string | undefined;
  readonly inTree: () => string;
  readonly hasUsers: boolean;
}

function makeCopy(random: Random, { from, inTree, hasUsers }: CopyOptions): string {
  const add = from === undefined && random.chance(0.2);
  const parents = !add && random.chance(0.18);
  const flags = [
    from === undefined ? "" : `--from=${from}`,
    random.chance(0.25) ? `--chown=${random.pick(hasUsers ? users : ["0", "7:8", "4294967294"])}` : "",
    random.chance(0.25) ? `--chmod=${random.pick(modes)}` : "",
    random.chance(0.25) ? "--link" : "",
    parents ? "--parents" : "",
    ...(random.chance(0.25) ? random.several(1, 2, () => `--exclude=${random.pick(patterns)}`) : []),
  ].filter(Boolean);
  const pivot = (path: string) => (parents && random.chance(0.5) ? path.replace(/\//, "/./") : path);
  const wild = (path: string) =>
    random.chance(0.6)
      ? path
      : random.pick<() => string>([
          () => `${path}/`,
          () => `/${path}`,
          () => `./${path}`,
          () => path.replace(/[^/]*$/, "*"),
          () => path.replace(/[^/]$/, "?"),
          () => path.replace(/^[^/]*\//, "*/"),
          () => path.replace(/^([^/])/, "[$1]"),
          () => path.replace(/[^/]*$/, "[!q]*"),
          () => `${path}/..`,
          () => (parents ? `**/${path.split("/").at(-1)}` : path),
          () => ".",
        ])();
  const escape = (path: string) => path.replaceAll("[z]", random.chance(0.7) ? "[[]z]" : "[z]");
  const source = (): string =>
    from === undefined
      ? pivot(wild(escape(inTree())))
      : from.startsWith("varve-base")
        ? random.pick([
            "/old",
            "/old/*",
            "/old/two",
            "/real",
            "/etc/pass*",
            "/link-to-real",
            "/absolute-link/file",
            "/old/link-to-file",
            "/old/[ft]*",
            "/old/setuid",
            "/old/capable",
            "/old/pipe",
            "/home",
          ])
        : pivot(random.pick(from === "two" ? madeSources : ["/", "/", "/*"]));
  const sources = random.chance(0.2) ? random.several(2, 3, source) : [source()];
  const target = random.pick([
    "/x",
    "/x/",
    "/t",
    "/t/",
    "x",
    "./",
    ".",
    "/",
    "/real/",
    "/link-to-real",
    "/link-to-real/",
    "/absolute-link/new/",
    "/outside-link/z",
    "/old",
    "/old/",
    "/old/file",
    "/old/link-to-file",
    "/old/broken",
    "/old/deep",
    "/new/deep/er",
    "/x/d",
    "/x/a",
    "/x/sub/",
    "$D/y/",
    "/../up/",
    "/old/broken/z",
    "/etc/passwd/",
  ]);
  const words = [...sources, sources.length > 1 && random.chance(0.8) ? `${target.replace(/\/$/, "")}/` : target];
  const isOdd = words.some((word) => word.includes(" "));
  return `${add ? "ADD" : "COPY"} ${[...flags, ...(isOdd ? [JSON.stringify(words)] : words)].join(" ")}`;
}
