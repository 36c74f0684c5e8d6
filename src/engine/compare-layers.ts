import { createHash } from "node:crypto";
import { readTar, type TarEntry } from "../tar/index.ts";
import type { Difference } from "./verify-types.ts";

type EntryFacts = ReadonlyMap<string, string>;

/** Where two archives of a layer differ, entry by entry: headers, contents, what only one has, and the order where that is all. */
export async function compareLayers(
  image: AsyncIterable<Uint8Array>,
  rebuilt: AsyncIterable<Uint8Array>,
): Promise<readonly Difference[]> {
  const [left, right] = [await readEntries(image), await readEntries(rebuilt)];
  const differences: Difference[] = [];
  for (const [path, facts] of left) {
    const other = right.get(path);
    if (other === undefined) differences.push({ path, field: "entry", image: facts.get("type") ?? "" });
    else differences.push(...compareFacts(path, facts, other));
  }
  for (const [path, facts] of right)
    if (!left.has(path)) differences.push({ path, field: "entry", rebuilt: facts.get("type") ?? "" });
  if (differences.length > 0) return differences;
  const [first, second] = [[...left.keys()], [...right.keys()]];
  const at = first.findIndex((path, index) => path !== second[index]);
  if (at < 0) return [{ field: "archive", image: "the same entries", rebuilt: "in other bytes" }];
  return [{ path: first[at] ?? "", field: "order", image: first[at] ?? "", rebuilt: second[at] ?? "" }];
}

function compareFacts(path: string, image: EntryFacts, rebuilt: EntryFacts): Difference[] {
  return [...new Set([...image.keys(), ...rebuilt.keys()])].flatMap((field) => {
    const [left, right] = [image.get(field), rebuilt.get(field)];
    if (left === right) return [];
    return [{ path, field, ...(left === undefined ? {} : { image: left }), ...(right === undefined ? {} : { rebuilt: right }) }];
  });
}

async function readEntries(archive: AsyncIterable<Uint8Array>): Promise<ReadonlyMap<string, EntryFacts>> {
  const entries = new Map<string, EntryFacts>();
  for await (const entry of readTar(archive)) {
    const facts = factsOf(entry);
    if (entry.type === "file") {
      const hash = createHash("sha256");
      for await (const chunk of entry.body) hash.update(chunk);
      facts.set("content", `sha256:${hash.digest("hex")}`);
    }
    entries.set(entry.name.replace(/^\.?\//, ""), facts);
  }
  return entries;
}

function factsOf(entry: TarEntry): Map<string, string> {
  const { type, mode, uid, gid, size, linkPath, device, uname, gname } = entry;
  const facts = new Map([
    ["type", type],
    ["mode", `0${mode.toString(8)}`],
    ["owner", `${uid}:${gid}`],
    ["mtime", formatTime(entry)],
    ["size", String(size)],
  ]);
  const extra: readonly (readonly [string, string])[] = [
    ["link", linkPath.toString()],
    ["owner's names", uname === "" && gname === "" ? "" : `${uname}:${gname}`],
    ["device", type === "character" || type === "block" ? `${device.major}:${device.minor}` : ""],
    ...[...entry.xattrs].map(([name, value]) => [`xattr ${name}`, value.toString("base64")] as const),
  ];
  for (const [name, value] of extra) if (value !== "") facts.set(name, value);
  return facts;
}

/** Nanoseconds too, where there are any. */
function formatTime({ mtime: { sec, nsec } }: TarEntry): string {
  const fraction = nsec === 0 ? "" : `.${String(nsec).padStart(9, "0")}`;
  const ms = Number(sec) * 1000;
  if (Math.abs(ms) > 8.64e15) return `${sec}${fraction} s`;
  return new Date(ms).toISOString().replace(/\.000Z$/, `${fraction}Z`);
}
