import { isAbsolute, resolve } from "node:path";
import type { Mount, Port } from "../../compose-file/index.ts";
import { VarveError } from "../../errors/index.ts";
import type { Io } from "../io.ts";

/** `-v [SOURCE:]TARGET[:ro]` of `compose run`. Fails with USAGE. */
export function readRunVolume(text: string, { cwd }: Pick<Io, "cwd">): Mount {
  const [first = "", second, mode, ...rest] = text.split(":");
  if (rest.length > 0 || first === "") throw new VarveError("USAGE", `invalid spec: ${text}: too many colons`);
  const readonly = mode === "ro" ? { read_only: true } : {};
  if (mode !== undefined && mode !== "ro" && mode !== "rw") throw new VarveError("USAGE", `invalid mode of -v ${text}: ${mode}`);
  if (second === undefined) return { type: "volume", target: first };
  if (isAbsolute(first) || first.startsWith(".") || first.includes("/"))
    return { type: "bind", source: resolve(cwd, first), target: second, bind: { create_host_path: true }, ...readonly };
  return { type: "volume", source: first, target: second, ...readonly };
}

/** `-p [[IP:]PORT:]PORT[/PROTOCOL]` of `compose run`. Fails with USAGE. */
export function readRunPort(text: string): Port {
  const match = /^(?:(?:(\[[^\]]+\]|[\d.]+):)?(\d*(?:-\d+)?):)?(\d+)(?:\/(tcp|udp))?$/.exec(text);
  if (match === null)
    throw new VarveError("USAGE", `invalid port of -p ${text}`, { hint: "write -p [[IP:]PORT:]PORT[/PROTOCOL]" });
  const [, ip, published, target = "", protocol = "tcp"] = match;
  return {
    target: Number(target),
    protocol,
    ...(published === undefined || published === "" ? {} : { published }),
    ...(ip === undefined ? {} : { host_ip: ip.replace(/^\[|\]$/g, "") }),
  };
}

/** Words as a shell would split them, quotes kept together. */
export function splitWords(text: string): readonly string[] {
  return [...text.matchAll(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g)].map(([word]) => word.replaceAll(/"([^"]*)"|'([^']*)'/g, "$1$2"));
}
