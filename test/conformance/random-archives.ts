import type { FileSpec } from "./case.ts";
import type { Random } from "./random.ts";

/*
 * ADD of archives whose entries meet each other and what is there: the same name twice and as another kind, hard links to what comes
 * before or after, paths that climb or are absolute, through links, whiteouts, odd modes and attributes.
 */

const paths = [
  "a",
  "b",
  "d/",
  "d/a",
  "d/s/",
  "d/s/b",
  "./c",
  "d//x",
  "/abs",
  "d/./y",
  "l",
  "d/l",
  ".wh.a",
  ".wh.file",
  "d/.wh..wh..opq",
  "e/",
  "e/f/g",
  "./",
  "ü/",
  "ü/ñ",
  "h",
  "pipe",
  "sp ace",
  `${"long-name-".repeat(12)}x`,
  `${"folder-of-a-hundred-letters/".repeat(5)}f`,
  "file",
  "deep/file",
  "back\\slash",
];
const outside = ["../up", "d/../../up2", "d/../sideways", "a/../../b"];
const targets = ["a", "d", "/real", "../real", "nowhere", "d/s", ".", "/", "l", "../../../../real", "d/a"];

/** The files of a build that unpacks archives. */
export function makeArchives(random: Random): FileSpec[] {
  const count = 1 + random.below(3);
  const archives = Array.from({ length: count }, (_, index): FileSpec => {
    const name = `arc${index}${random.pick([".tar", ".tar", ".tar.gz", ".tgz", ".tar.zst", ".bin"])}`;
    return {
      path: name,
      kind: "archive",
      content: Buffer.from(
        makeEntries(random)
          .map((entry) => JSON.stringify(entry))
          .join("\n"),
      ),
    };
  });
  const lines = [random.pick(["FROM varve-base", "FROM varve-base", "FROM scratch"])];
  const names = archives.map(({ path }) => path);
  for (let left = 2 + random.below(4); left > 0; left -= 1) {
    const flags = [
      random.chance(0.2) ? `--chown=${random.pick(["5:6", "7", "0:0"])}` : "",
      random.chance(0.15) ? `--chmod=${random.pick(["640", "4755", "u+s,o-rwx"])}` : "",
      random.chance(0.2) ? "--link" : "",
      random.chance(0.15) ? `--exclude=${random.pick(["a", "d", "**/b", "*.tar", "!a"])}` : "",
    ].filter(Boolean);
    const to = random.pick(["/", "/t/", "/t", "/old/", "/old", "/link-to-real/", "/new/deep", "/t/arc.tar", "/real"]);
    lines.push(
      `${random.pick(["ADD", "ADD", "ADD", "ADD", "COPY"])} ${[...flags, random.chance(0.12) ? "arc*" : random.pick(names), random.chance(0.12) ? `${random.pick(names)} ${to.replace(/\/?$/, "/")}` : to].join(" ")}`,
    );
  }
  return [...archives, { path: "Dockerfile", kind: "file", content: Buffer.from(`${lines.join("\n")}\n`) }];
}

/** Entries of which nearly all fit those before them. */
function makeEntries(random: Random): Record<string, unknown>[] {
  const files = ["a"];
  const begin: Record<string, unknown> = { path: "a", text: "first\n" };
  const folders = new Set<string>();
  return [begin, ...random.several(1, 9, () => makeEntry(random, files))].filter(
    ({ path, symlink, text }: Record<string, unknown>) => {
      const name = String(path).replace(/\/$/, "");
      const isFolder = String(path).endsWith("/");
      if (text !== undefined && !name.startsWith(".wh.")) files.push(name);
      if (symlink !== undefined && files.includes(name)) return true;
      if (isFolder) folders.add(name);
      return isFolder || !folders.has(name) || random.chance(0.1);
    },
  );
}

function makeEntry(random: Random, files: readonly string[]): Record<string, unknown> {
  const path = random.chance(0.02) ? random.pick(outside) : random.pick(paths);
  const common = {
    path,
    ...(random.chance(0.4) ? { mode: random.pick(["0600", "4755", "2711", "1777", "0000", "0444", "7777"]) } : {}),
    ...(random.chance(0.4) ? { uid: random.pick([0, 7, 1000, 70000, 3000000]), gid: random.pick([0, 8, 5]) } : {}),
    ...(random.chance(0.2) ? { time: random.pick([0, 1, 2_000_000_000, 5_000_000_000, -5]) } : {}),
  };
  if (path.endsWith("/")) return common;
  return random.pick<() => Record<string, unknown>>([
    () => ({ ...common, text: random.pick(["x\n", "", "y".repeat(600)]) }),
    () => ({ ...common, text: `${path}\n` }),
    () => ({ ...common, text: "again\n" }),
    () => ({ ...common, symlink: random.pick(targets) }),
    () => ({ ...common, link: random.chance(0.05) ? "missing" : random.pick(files) }),
    () => (random.chance(0.5) ? { ...common, fifo: true } : { ...common, device: [1, 3] }),
  ])();
}
