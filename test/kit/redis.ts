/** Debian's redis as files of an image: the programs and the libraries that they need, for any base. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Files } from "./sandbox.ts";

const programs = ["redis-server", "redis-cli"];

/** A build context: its Dockerfile makes an image of redis-server and redis-cli over busybox. */
export function redisContext(): Files {
  const files: Record<string, Buffer | string> = {};
  const loaders = new Set<string>();
  for (const program of programs) {
    const found = execFileSync("sh", ["-c", 'command -v "$1"', "sh", program]).toString().trim();
    files[`bin/${program}`] = readFileSync(realpathSync(found));
    // Unpacked and not installed, its libraries are beside it.
    const own = join(dirname(found), "../lib");
    const folders = readdirSync(own).filter((name) => name.endsWith("-linux-gnu") || name.includes("-linux-gnu"));
    const env = { ...process.env, LD_LIBRARY_PATH: folders.map((name) => join(own, name)).join(":") };
    const listed = execFileSync("ldd", [realpathSync(found)], { env }).toString();
    for (const [, name, path] of listed.matchAll(/^\s*(?:(\S+) => )?(\/\S+) \(0x/gm)) {
      files[`lib/${name ?? basename(path!)}`] = readFileSync(realpathSync(path!));
      if (name === undefined) loaders.add(path!);
    }
  }
  files["Dockerfile"] = [
    "FROM busybox",
    "COPY --chmod=755 lib /usr/lib/redis",
    "COPY --chmod=755 bin /usr/bin",
    ...[...loaders].map((path) => `COPY --chmod=755 lib/${basename(path)} ${path}`),
    "ENV LD_LIBRARY_PATH=/usr/lib/redis",
    'CMD ["redis-server", "--dir", "/data", "--appendonly", "yes", "--protected-mode", "no"]',
    "",
  ].join("\n");
  return files;
}
