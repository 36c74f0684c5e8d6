import { VarveError } from "../errors/index.ts";
import type { Platform, PlatformSpec } from "./types.ts";

const knownSystems = new Set(
  "aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris windows zos".split(" "),
);
const knownArchitectures = new Set(
  (
    "386 amd64 amd64p32 arm armbe arm64 arm64be ppc64 ppc64le loong64 mips mipsle mips64 mips64le mips64p32 mips64p32le " +
    "ppc riscv riscv64 s390 s390x sparc sparc64 wasm"
  ).split(" "),
);

/** GOARCH by the names of node's `process.arch`; node's ppc64 builds for Linux are little-endian. */
const architectures: Readonly<Record<string, string>> = {
  x64: "amd64",
  ia32: "386",
  arm64: "arm64",
  arm: "arm",
  ppc64: "ppc64le",
  s390x: "s390x",
  riscv64: "riscv64",
  loong64: "loong64",
  mips: "mips",
  mipsel: "mipsle",
};

/** The platform of containers on a machine, from node's `process.arch`. Always Linux: that is what runs in a container. */
export function hostPlatform(nodeArchitecture: string, options: { variant?: string } = {}): Platform {
  const architecture = Object.hasOwn(architectures, nodeArchitecture) ? architectures[nodeArchitecture] : undefined;
  if (architecture === undefined)
    throw new VarveError("PLATFORM_INVALID", `no container platform is known for the architecture "${nodeArchitecture}"`);
  return normalizePlatform({ os: "linux", architecture, ...options });
}

/**
 * Reads `os[(version)]/arch[/variant]`, `os`, `arch` or `local`, and normalises it, by the rules of containerd's platforms
 * package. What is left out is taken from `host`; asking for it without a host is a `TypeError`.
 */
export function parsePlatform(text: string, options: { host?: Platform } = {}): Platform {
  const host = (): Platform => {
    if (options.host === undefined) throw new TypeError(`parsePlatform("${text}") needs the host's platform`);
    return options.host;
  };
  if (text === "local") return normalizePlatform(host());
  const parts = text.split("/");
  const [first = "", second, third] = parts;
  const system = /^([A-Za-z0-9_-]+)(?:\(([A-Za-z0-9_.-]*)\))?$/.exec(first);
  if (!system?.[1] || parts.length > 3 || parts.slice(1).some((part) => !/^[A-Za-z0-9_.-]+$/.test(part))) throw invalid(text);
  const osVersion = system[2] ? { osVersion: system[2] } : {};
  if (second === undefined) {
    const os = normalizeSystem(system[1]);
    if (knownSystems.has(os)) {
      const { architecture, variant } = host();
      return normalizePlatform({
        os,
        architecture,
        ...(variant === undefined ? {} : { variant }),
        ...osVersion,
      });
    }
    const platform = normalizePlatform({ os: "linux", architecture: first });
    if (!knownArchitectures.has(platform.architecture)) throw invalid(text);
    return platform;
  }
  return normalizePlatform({
    os: system[1],
    architecture: second,
    ...(third === undefined ? {} : { variant: third }),
    ...osVersion,
  });
}

/** `linux/arm/v7`. The version of the system is not part of it. */
export function formatPlatform(platform: {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
}): string {
  return [platform.os, platform.architecture, platform.variant].filter((part) => part !== undefined && part !== "").join("/");
}

/**
 * One spelling for every platform (containerd's platforms.Normalize): lower case; aarch64 is arm64, x86_64 is amd64, i386
 * is 386, armhf is arm/v7, armel arm/v6; arm without a variant is v7; arm64's v8 and amd64's v1 go without saying.
 */
export function normalizePlatform(platform: Platform): Platform {
  const [architecture, variant] = normalizeArchitecture(
    platform.architecture.toLowerCase(),
    (platform.variant ?? "").toLowerCase(),
  );
  const { osVersion } = platform;
  return {
    os: normalizeSystem(platform.os),
    architecture,
    ...(variant === "" ? {} : { variant }),
    ...(osVersion === undefined || osVersion === "" ? {} : { osVersion }),
  };
}

/** The normalised platform of a descriptor in an index. */
export function platformOfSpec(spec: PlatformSpec): Platform {
  const { os, architecture, variant } = spec;
  const osVersion = spec["os.version"];
  return normalizePlatform({
    os,
    architecture,
    ...(variant === undefined ? {} : { variant }),
    ...(osVersion === undefined ? {} : { osVersion }),
  });
}

/** A platform as a descriptor carries it. */
export function platformToSpec(platform: Platform): PlatformSpec {
  const { os, architecture, variant, osVersion } = platform;
  return {
    architecture,
    os,
    ...(osVersion === undefined ? {} : { "os.version": osVersion }),
    ...(variant === undefined ? {} : { variant }),
  };
}

function normalizeSystem(os: string): string {
  const lower = os.toLowerCase();
  return lower === "macos" ? "darwin" : lower;
}

function normalizeArchitecture(architecture: string, variant: string): [architecture: string, variant: string] {
  switch (architecture) {
    case "i386":
      return ["386", ""];
    case "x86_64":
    case "x86-64":
    case "amd64":
      return ["amd64", variant === "v1" ? "" : variant];
    case "aarch64":
    case "arm64":
      if (["8", "v8", "v8.0"].includes(variant)) return ["arm64", ""];
      return ["arm64", ["9", "9.0", "v9.0"].includes(variant) ? "v9" : variant];
    case "armhf":
      return ["arm", "v7"];
    case "armel":
      return ["arm", "v6"];
    case "arm":
      return ["arm", variant === "" ? "v7" : /^[5-8]$/.test(variant) ? `v${variant}` : variant];
    default:
      return [architecture, variant];
  }
}

function invalid(text: string): VarveError {
  const shown = text.length > 200 ? `${text.slice(0, 200)}…` : text;
  return new VarveError("PLATFORM_INVALID", `"${shown}" is not a platform`, {
    hint: "write os/arch or os/arch/variant, e.g. linux/amd64 or linux/arm/v7",
  });
}
