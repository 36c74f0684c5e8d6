import { readFileSync } from "node:fs";
import { join } from "node:path";
import { VarveError } from "../../errors/index.ts";

const proxyNames: Readonly<Record<string, string>> = {
  httpProxy: "HTTP_PROXY",
  httpsProxy: "HTTPS_PROXY",
  noProxy: "NO_PROXY",
  ftpProxy: "FTP_PROXY",
  allProxy: "ALL_PROXY",
};

/** The build arguments that `proxies.default` of Docker's config.json stands for, in upper and lower case (B36). */
export function readProxyArgs(dockerConfigDir: string | undefined): Readonly<Record<string, string>> {
  if (dockerConfigDir === undefined) return {};
  const path = join(dockerConfigDir, "config.json");
  const config = readJson(path);
  const proxies = fieldOf(fieldOf(config, "proxies"), "default");
  const args: Record<string, string> = {};
  for (const [key, name] of Object.entries(proxyNames)) {
    const value = fieldOf(proxies, key);
    if (typeof value !== "string" || value === "") continue;
    args[name] = value;
    args[name.toLowerCase()] = value;
  }
  return args;
}

function readJson(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw new VarveError("FILE_UNREADABLE", `cannot read ${path}`, { cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new VarveError("FILE_UNREADABLE", `${path} is not JSON`, { cause });
  }
}

function fieldOf(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}
