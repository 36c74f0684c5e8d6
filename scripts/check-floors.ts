/**
 * Checks the direction of imports between rooms: down the floors of `floors.ts` only, and through a room's `index.ts`.
 * Prints how much it looked at, and fails when it looked at nothing.
 */
import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { parseSync } from "oxc-parser";
import { floors } from "./floors.ts";

const root = resolve(import.meta.dirname, "../src");
const floorOf = new Map(floors.flatMap(([, rooms], floor) => rooms.map((room) => [room, floor] as const)));
const faults: string[] = [];
let imports = 0;

const files = globSync("**/*.ts", { cwd: root });
for (const file of files) {
  const path = join(root, file);
  const [room = ""] = file.split("/");
  const floor = floorOf.get(room);
  if (floor === undefined) {
    faults.push(`${file}: the room "${room}" stands on no floor (scripts/floors.ts)`);
    continue;
  }
  const { module } = parseSync(path, readFileSync(path, "utf8"));
  const specifiers = [
    ...module.staticImports.map((entry) => entry.moduleRequest.value),
    ...module.staticExports.flatMap((entry) => entry.entries.flatMap((e) => (e.moduleRequest ? [e.moduleRequest.value] : []))),
    ...module.dynamicImports.map((entry) =>
      readFileSync(path, "utf8").slice(entry.moduleRequest.start + 1, entry.moduleRequest.end - 1),
    ),
  ];
  for (const specifier of specifiers) {
    if (!specifier.startsWith(".")) continue;
    imports += 1;
    const target = relative(root, resolve(dirname(path), specifier));
    const [targetRoom = ""] = target.split("/");
    if (targetRoom === room) continue;
    const targetFloor = floorOf.get(targetRoom);
    if (targetFloor === undefined) faults.push(`${file}: imports ${specifier}, outside the house`);
    else if (targetFloor >= floor)
      faults.push(`${file}: "${room}" may not import "${targetRoom}" (floor ${targetFloor} is not below ${floor})`);
    else if (target !== `${targetRoom}/index.ts`)
      faults.push(`${file}: imports ${target}; the door of the room is ${targetRoom}/index.ts`);
  }
}
for (const fault of faults) console.error(fault);
console.log(`floors: ${files.length} files, ${imports} imports between files, ${faults.length} faults`);
if (files.length === 0 || imports === 0 || faults.length > 0) process.exitCode = 1;
