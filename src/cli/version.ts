import { readFileSync } from "node:fs";

/** The version in the package's own package.json, two folders up from here in the sources as in the build output. */
export function packageVersion(): string {
  const document: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  const version = typeof document === "object" && document !== null && "version" in document ? document.version : undefined;
  return typeof version === "string" ? version : "unknown";
}
