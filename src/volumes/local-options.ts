import { VarveError } from "../errors/index.ts";
import type { VolumeMount } from "./types.ts";

const known: readonly string[] = ["type", "o", "device"];

/**
 * What the options of the local driver ask for; undefined where there are none, and the volume is a folder of the store. Fails with
 * VOLUME_INVALID in Docker's words, and VOLUME_UNSUPPORTED for file systems other than a bound folder and a tmpfs.
 * (Docker docs, "docker volume create", "Driver-specific options")
 */
export function readLocalOptions(name: string, options: Readonly<Record<string, string>>): VolumeMount | undefined {
  if (Object.keys(options).length === 0) return undefined;
  if (options["size"] !== undefined)
    throw new VarveError("VOLUME_UNSUPPORTED", `create ${name}: quota size requested but no quota support`, {
      hint: "a tmpfs has a size: type=tmpfs, device=tmpfs and o=size=…",
    });
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new VarveError("VOLUME_INVALID", `create ${name}: invalid option: "${unknown}"`);
  const { type = "", o = "", device = "" } = options;
  if (device === "" && type !== "tmpfs")
    throw new VarveError("VOLUME_INVALID", `create ${name}: missing required option: "device"`);
  const words = o.split(",").filter((word) => word !== "");
  if (type === "tmpfs") return { type: "tmpfs", options: words };
  const binds = words.some((word) => word === "bind" || word === "rbind");
  if (!binds || !["", "none", "bind"].includes(type))
    throw new VarveError("VOLUME_UNSUPPORTED", `create ${name}: volumes of the type ${JSON.stringify(type)} are not supported`, {
      hint: "what is supported: type=tmpfs, and type=none with o=bind and a folder as device",
    });
  if (!device.startsWith("/"))
    throw new VarveError("VOLUME_INVALID", `create ${name}: the device ${device} is not an absolute path`);
  const further = words.find((word) => !["bind", "rbind", "ro", "rw"].includes(word));
  if (further !== undefined)
    throw new VarveError("VOLUME_UNSUPPORTED", `create ${name}: the mount option ${further} is not supported for a bound folder`);
  return { type: "bind", source: device, readonly: words.includes("ro") };
}
