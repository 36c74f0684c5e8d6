import { VarveError } from "../errors/index.ts";

/** What the options of the docker-container driver come to for a builder on this machine. */
export interface DriverOptions {
  /** Results without another output go into the image store. */
  readonly loads: boolean;
  /** Proxies of the builder's own environment. */
  readonly proxyEnv: Readonly<Record<string, string>>;
}

/** They say how BuildKit's container is made, and there is none: taken, so that scripts run, and told to be without effect. */
const withoutEffect = new Set(["image", "restart-policy", "provenance-add-gha", "allow-untrusted-image"]);
/** They limit what a builder may use. */
const limits = new Set([
  "memory",
  "memory-swap",
  "cpu-period",
  "cpu-quota",
  "cpu-shares",
  "cpuset-cpus",
  "cpuset-mems",
  "cgroup-parent",
]);
const proxies = /^env\.((?:https?|no|all)_proxy)$/i;

export function isWithoutEffect(option: string): boolean {
  return withoutEffect.has(option);
}

/** Reads `--driver-opt` (W02). Fails with USAGE for what the driver does not have, with NOT_SUPPORTED_YET for what it has only in Docker. */
export function readDriverOptions(options: Readonly<Record<string, string>>): DriverOptions {
  let loads = false;
  const proxyEnv: Record<string, string> = {};
  for (const [name, value] of Object.entries(options)) {
    const proxy = proxies.exec(name)?.[1];
    if (name === "default-load") loads = readBoolean(name, value);
    else if (proxy !== undefined) proxyEnv[proxy] = value;
    else if (name === "network") {
      if (value !== "host")
        throw new VarveError("NOT_SUPPORTED_YET", `the driver option network=${value} is not supported yet`, {
          hint: "a builder of this machine is in its network, as with network=host",
        });
    } else if (limits.has(name) || name.startsWith("env.")) {
      throw new VarveError("NOT_SUPPORTED_YET", `the driver option ${name} is not supported yet`, {
        hint: limits.has(name) ? "set limits on varve's own process" : "of env there are the proxies: env.http_proxy and so on",
      });
    } else if (!withoutEffect.has(name))
      throw new VarveError("USAGE", `invalid driver option ${name} for docker-container driver`, {
        hint: "known: default-load, network=host, env.http_proxy and the other proxies",
      });
  }
  return { loads, proxyEnv };
}

function readBoolean(name: string, value: string): boolean {
  if (/^(?:1|t|T|TRUE|true|True)$/.test(value)) return true;
  if (/^(?:0|f|F|FALSE|false|False)$/.test(value)) return false;
  throw new VarveError("USAGE", `invalid value for the driver option ${name}: ${value}`);
}

const entitlements = ["network.host", "security.insecure", "device"];

/**
 * Reads `--buildkitd-flags`: words between blanks, quotes around those with blanks. `--debug` and `--allow-insecure-entitlement`
 * are taken, others fail with NOT_SUPPORTED_YET. What a build may do is up to `build --allow` alone.
 */
export function readNodeFlags(text: string): readonly string[] {
  const words = [...text.matchAll(/(?:[^\s"']|"[^"]*"|'[^']*')+/g)].map(([word]) => word.replaceAll(/["']/g, ""));
  const flags: string[] = [];
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    const [name, inline] = word.split("=", 2);
    if (word === "--debug" || word === "--debug=true") flags.push(word);
    else if (name === "--allow-insecure-entitlement") {
      const value = inline ?? words[++index] ?? "";
      if (!entitlements.includes(value)) throw new VarveError("USAGE", `invalid entitlement ${JSON.stringify(value)}`);
      flags.push(`${name}=${value}`);
    } else
      throw new VarveError("NOT_SUPPORTED_YET", `the BuildKit flag ${name ?? ""} is not supported yet`, {
        hint: "a builder of this machine is no daemon; its settings are those of --buildkitd-config",
      });
  }
  return flags;
}
