import { release } from "node:os";
import type { VersionInfo } from "../../engine/index.ts";
import { dockerApiVersion, dockerVersion } from "./called-as.ts";

/**
 * `docker version` as Varve answers it: the versions of the engine that it answers like, its own where builds are named. `facts` are
 * for templates and JSON (Docker's `Client` and `Server`), `text` is the plain form.
 */
export function describeAsDocker(info: VersionInfo): {
  readonly facts: Readonly<Record<"Client" | "Server", object>>;
  readonly text: string;
} {
  const [os = "linux", arch = ""] = info.platform.split("/");
  const build = `varve-${info.version}`;
  const common = { Version: dockerVersion, GitCommit: build, GoVersion: "", Os: os, Arch: arch, BuildTime: "" };
  const client = {
    Platform: { Name: "Varve" },
    ...common,
    APIVersion: dockerApiVersion,
    DefaultAPIVersion: dockerApiVersion,
    Context: "default",
  };
  const components = [
    { Name: "Engine", Version: dockerVersion, Details: new Map([["GitCommit", build]]) },
    { Name: "varve", Version: info.version, Details: new Map([["Root", info.root]]) },
  ];
  const server = {
    Platform: { Name: "Varve" },
    Components: components,
    ...common,
    APIVersion: dockerApiVersion,
    MinAPIVersion: "1.24",
    KernelVersion: release(),
    Experimental: false,
  };
  const facts = { Client: withApiNames(client), Server: withApiNames(server) };
  return { facts: Object.defineProperty(facts, "toJSON", { value: () => facts }), text: printVersion(os, arch, info) };
}

/** Templates say `APIVersion`, JSON says `ApiVersion`. */
function withApiNames<T extends object>(part: T): T {
  const named = Object.fromEntries(
    Object.entries(part).map(([key, value]) => [key === "APIVersion" ? "ApiVersion" : key, value]),
  );
  return Object.defineProperty(part, "toJSON", { value: () => named });
}

function printVersion(os: string, arch: string, info: VersionInfo): string {
  const line = (name: string, value: string): string => `  ${`${name}:`.padEnd(18)}${value}`;
  return [
    "Client: Varve",
    ` ${"Version:".padEnd(19)}${dockerVersion}`,
    ` ${"API version:".padEnd(19)}${dockerApiVersion}`,
    ` ${"Git commit:".padEnd(19)}varve-${info.version}`,
    ` ${"OS/Arch:".padEnd(19)}${os}/${arch}`,
    ` ${"Context:".padEnd(19)}default`,
    "",
    "Server: Varve",
    " Engine:",
    line("Version", dockerVersion),
    line("API version", `${dockerApiVersion} (minimum version 1.24)`),
    line("Git commit", `varve-${info.version}`),
    line("OS/Arch", `${os}/${arch}`),
    line("Experimental", "false"),
    " varve:",
    line("Version", info.version),
    line("Runtime", info.runtime ?? "none found (RUN needs crun or runc)"),
    line("Store", info.root),
    "",
  ].join("\n");
}
