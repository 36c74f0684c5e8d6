import type { FileSpec } from "./case.ts";
import { makeTree } from "./random-copies.ts";
import type { Random } from "./random.ts";

/** The files of a build that copies its whole context, in several ways, under an ignore file of odd rules. */
export function makeIgnored(random: Random): FileSpec[] {
  const tree = [
    ...makeTree(random),
    ...makeTree(random)
      .filter(({ kind }) => kind !== "link")
      .map((file) => ({ ...file, path: `q/${file.path}` })),
  ];
  const paths = tree.map(({ path }) => path);
  const piece = (): string =>
    random.pick([
      "a",
      "b",
      "d",
      "sub",
      "x.txt",
      "*.txt",
      "*",
      "**",
      "?",
      "[a-d]",
      "[^a]",
      "[!a]*",
      "l*k",
      "q",
      "\\.hid",
      ".*",
      "*.*",
      "d*",
      "[z]",
      "\\[z\\]",
      "sp ace",
      ".",
      "..",
      "a-z",
      "é",
    ]);
  const rule = (): string => {
    const body = random.chance(0.45) ? vary(random, random.pick(paths)) : random.several(1, 4, piece).join("/");
    return [
      random.chance(0.3) ? random.pick(["!", "!", "! ", "!/"]) : random.pick(["", "", "", "/", "./", " ", "//"]),
      body,
      random.pick(["", "", "", "/", "/**", "/*", " ", "\t", "/."]),
    ].join("");
  };
  const rules = random.several(2, 7, () =>
    random.chance(0.06) ? random.pick(["# comment", "", "   ", "#", " # no comment", "\\#x"]) : rule(),
  );
  const end = random.chance(0.1) ? "\r\n" : "\n";
  const ignore = `${random.chance(0.05) ? "\ufeff" : ""}${rules.join(end)}${random.chance(0.8) ? end : ""}`;
  const lines = [
    "FROM varve-base",
    "COPY . /all/",
    `RUN --mount=type=bind,target=/m (cd /m && find . | sort) > /listed`,
    ...(random.chance(0.3) ? ["COPY --link q* /linked/"] : []),
  ];
  const text = (path: string, content: string): FileSpec => ({ path, kind: "file", content: Buffer.from(content) });
  return [...tree, text("Dockerfile", `${lines.join("\n")}\n`), text(".dockerignore", ignore)];
}

/** A pattern near a path that is there. */
function vary(random: Random, path: string): string {
  return random.pick<() => string>([
    () => path,
    () => path,
    () => path.replace(/^[^/]*/, random.pick(["*", "**", "?"])),
    () => path.replace(/[^/]*$/, random.pick(["*", "**", "?*"])),
    () => `**/${path.split("/").at(-1) ?? ""}`,
    () => path.replace(/\//g, "/**/"),
    () => path.replace(/\/[^/]*$/, ""),
    () => `${path}/../*`,
    () => path.toUpperCase(),
  ])();
}
