import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Settings } from "./open-varve.ts";
import type { VersionInfo } from "./types.ts";

export function packageVersion(): string {
  const { version: text } = JSON.parse(readFileSync(join(import.meta.dirname, "../../package.json"), "utf8")) as { version: string };
  return text;
}

export function version({ root, runtime }: Settings): VersionInfo {
  return { version: packageVersion(), node: process.version, platform: `${process.platform}/${process.arch}`, runtime, root };
}
