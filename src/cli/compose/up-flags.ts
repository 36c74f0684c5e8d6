import type { ConvergeOptions } from "../../compose/index.ts";
import { VarveError } from "../../errors/index.ts";
import type { FlagTable, FlagValues } from "../flags.ts";
import type { Io } from "../io.ts";
import { isTrue, readScale, timeoutOf } from "./flag-values.ts";

/** Flags of `up` and `create`: what is made, and from which images. */
export const convergeFlags = {
  build: { kind: "bool", help: "Build images before starting containers" },
  "force-recreate": { kind: "bool", help: "Recreate containers even if their configuration and image haven't changed" },
  "no-build": { kind: "bool", help: "Don't build an image, even if it's policy" },
  "no-recreate": { kind: "bool", help: "If containers already exist, don't recreate them" },
  pull: { kind: "string", help: 'Pull image before running ("always"|"missing"|"never"|"build")' },
  "quiet-pull": { kind: "bool", help: "Pull without printing progress information" },
  "remove-orphans": { kind: "bool", help: "Remove containers for services not defined in the Compose file" },
  scale: { kind: "list", help: "Scale SERVICE to NUM instances. Overrides the scale setting in the Compose file if present" },
  yes: { kind: "bool", short: "y", help: 'Assume "yes" as answer to all prompts and run non-interactively' },
} as const satisfies FlagTable;

/** Fails with USAGE where flags exclude each other. */
export function readConvergeOptions(
  flags: FlagValues<typeof convergeFlags>,
  { io, services, allResources }: { readonly io: Io; readonly services: readonly string[]; readonly allResources: boolean },
): ConvergeOptions {
  if (flags["force-recreate"] === true && flags["no-recreate"] === true)
    throw new VarveError("USAGE", "--force-recreate and --no-recreate are incompatible");
  if (flags.build === true && flags["no-build"] === true)
    throw new VarveError("USAGE", "--build and --no-build are incompatible");
  const { pull } = flags;
  if (pull !== undefined && !["always", "missing", "never", "build", "if_not_present"].includes(pull))
    throw new VarveError("USAGE", `invalid --pull option "${pull}". Should be one of "always", "missing", "build", "never"`);
  const recreate = flags["force-recreate"] === true ? "force" : flags["no-recreate"] === true ? "never" : undefined;
  return {
    services,
    scale: readScale(flags.scale),
    ...(flags.build === true ? { build: "always" as const } : flags["no-build"] === true ? { build: "never" as const } : {}),
    ...(pull === undefined ? {} : { pull: pull === "if_not_present" ? "missing" : pull }),
    ...(recreate === undefined ? {} : { recreate }),
    removeOrphans: flags["remove-orphans"] === true || isTrue(io.env["COMPOSE_REMOVE_ORPHANS"]),
    ignoreOrphans: isTrue(io.env["COMPOSE_IGNORE_ORPHANS"]),
    ...(allResources ? { allResources } : {}),
    ...(flags.yes === true ? { yes: true } : {}),
  };
}

/** Those of `up` alone. */
export const upFlags = {
  ...convergeFlags,
  "abort-on-container-exit": { kind: "bool", help: "Stops all containers if any container was stopped. Incompatible with -d" },
  "abort-on-container-failure": {
    kind: "bool",
    help: "Stops all containers if any container exited with failure. Incompatible with -d",
  },
  "always-recreate-deps": { kind: "bool", help: "Recreate dependent containers. Incompatible with --no-recreate" },
  attach: { kind: "list", help: "Restrict attaching to the specified services. Incompatible with --attach-dependencies" },
  "attach-dependencies": { kind: "bool", help: "Automatically attach to log output of dependent services" },
  detach: { kind: "bool", short: "d", help: "Detached mode: Run containers in the background" },
  "exit-code-from": {
    kind: "string",
    help: "Return the exit code of the selected service container. Implies --abort-on-container-exit",
  },
  menu: {
    kind: "bool",
    help: "Enable interactive shortcuts when running attached. Can also be enabled or disabled by the environment variable COMPOSE_MENU",
  },
  "no-attach": { kind: "list", help: "Do not attach (stream logs) to the specified services" },
  "no-color": { kind: "bool", help: "Produce monochrome output" },
  "no-deps": { kind: "bool", help: "Don't start linked services" },
  "no-log-prefix": { kind: "bool", help: "Don't print prefix in logs" },
  "no-start": { kind: "bool", help: "Don't start the services after creating them" },
  "quiet-build": { kind: "bool", help: "Suppress the build output" },
  "renew-anon-volumes": {
    kind: "bool",
    short: "V",
    help: "Recreate anonymous volumes instead of retrieving data from the previous containers",
  },
  timeout: {
    kind: "string",
    short: "t",
    help: "Use this timeout in seconds for container shutdown when attached or when containers are already running",
  },
  timestamps: { kind: "bool", help: "Show timestamps" },
  wait: { kind: "bool", help: "Wait for services to be running|healthy. Implies detached mode" },
  "wait-timeout": { kind: "string", help: "Maximum duration in seconds to wait for the project to be running|healthy" },
  watch: {
    kind: "bool",
    short: "w",
    help: "Watch source code and rebuild/refresh containers when files are updated",
  },
} as const satisfies FlagTable;

/** What the flags of `up` add to those of `create`. Fails with USAGE. */
export function readUpOptions(
  flags: FlagValues<typeof upFlags>,
  more: Parameters<typeof readConvergeOptions>[1],
): ConvergeOptions {
  if (flags["always-recreate-deps"] === true && flags["no-recreate"] === true)
    throw new VarveError("USAGE", "--always-recreate-deps and --no-recreate are incompatible");
  const ofAttached = [
    "abort-on-container-exit",
    "abort-on-container-failure",
    "exit-code-from",
    "attach-dependencies",
    "watch",
  ] as const;
  const isAttached = flags.attach.length > 0 || ofAttached.some((flag) => flags[flag] !== undefined && flags[flag] !== false);
  if (isAttached && (flags.detach === true || flags.wait === true))
    throw new VarveError(
      "USAGE",
      `--${flags.wait === true ? "wait" : "detach"} cannot be combined with --abort-on-container-exit, --abort-on-container-failure, --attach, --attach-dependencies or --watch`,
    );
  if (flags.watch === true && flags["no-build"] === true)
    throw new VarveError("USAGE", "--no-build and --watch are incompatible");
  const options = readConvergeOptions(flags, more);
  const forDependencies = flags["always-recreate-deps"] === true ? "force" : options.recreate === "never" ? "never" : undefined;
  return {
    ...options,
    ...(forDependencies === undefined ? {} : { recreateDependencies: forDependencies }),
    ...(flags["no-deps"] === true ? { alone: true } : {}),
    ...(flags["renew-anon-volumes"] === true ? { renewVolumes: true } : {}),
    ...timeoutOf(flags.timeout),
  };
}
