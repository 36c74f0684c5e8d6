import { isIP } from "node:net";
import { VarveError } from "../../errors/index.ts";
import { cut } from "../flags.ts";

/** `K=V` pairs, the last one wins. A bare `K` has the value that `bare` gives; undefined leaves it out (A18). */
export function parsePairs(
  values: readonly string[],
  options: { readonly flag: string; readonly bare: (key: string) => string | undefined },
): Record<string, string> {
  const pairs: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const pair of values) {
    const [key, given] = cut(pair, "=");
    if (key === "") throw new VarveError("USAGE", `invalid argument "${pair}" for "${options.flag}" flag: the name is empty`);
    const value = given ?? options.bare(key);
    if (value !== undefined) pairs[key] = value;
  }
  return pairs;
}

/** `host:ip` or `host=ip`, several addresses separated by commas, IPv6 also in brackets (B01). */
export function parseExtraHosts(values: readonly string[]): readonly { readonly host: string; readonly ip: string }[] {
  return values.flatMap((value) => {
    const [host, addresses] = value.includes("=") ? cut(value, "=") : cut(value, ":");
    if (host === "" || addresses === undefined || addresses === "") throw badHost(value);
    if (addresses === "host-gateway")
      throw new VarveError("NOT_SUPPORTED_YET", "host-gateway of --add-host is not supported yet");
    return addresses.split(",").map((address) => {
      const ip = /^\[(.+)\]$/.exec(address)?.[1] ?? address;
      if (isIP(ip) === 0) throw badHost(value);
      return { host, ip };
    });
  });
}

function badHost(value: string): VarveError {
  return new VarveError("USAGE", `invalid host ${value}`, { hint: "write --add-host=NAME:ADDRESS" });
}

const ulimitNames = new Set(
  "core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack".split(" "),
);

/** `name=soft[:hard]`; the hard limit is the soft one unless given; -1 is no limit (B29). */
export function parseUlimits(
  values: readonly string[],
): readonly { readonly name: string; readonly soft: number; readonly hard: number }[] {
  return values.map((value) => {
    const match = /^([a-z]+)=(-1|\d+)(?::(-1|\d+))?$/.exec(value);
    const [, name = "", soft = "", hard = soft] = match ?? [];
    if (match === null)
      throw new VarveError("USAGE", `invalid ulimit argument: ${value}`, { hint: "write --ulimit=NAME=SOFT[:HARD]" });
    if (!ulimitNames.has(name))
      throw new VarveError("USAGE", `invalid ulimit type: ${name}`, { hint: `there are ${[...ulimitNames].join(", ")}` });
    const limits = { name, soft: Number(soft), hard: Number(hard) };
    const tooSoft = limits.hard !== -1 && (limits.soft === -1 || limits.soft > limits.hard);
    if (tooSoft) throw new VarveError("USAGE", `ulimit soft limit must be less than or equal to hard limit: ${value}`);
    return limits;
  });
}

export function parseNetwork(value: string | undefined): "default" | "none" | "host" {
  if (value === undefined || value === "" || value === "default") return "default";
  if (value === "none" || value === "host") return value;
  throw new VarveError("USAGE", `unsupported network mode "${value}"`, { hint: "there are default, none and host" });
}
