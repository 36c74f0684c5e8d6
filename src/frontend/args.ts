import {
  attestArgPrefix,
  builderArgs,
  expandWord,
  globalPlatformArgs,
  isProxyArg,
  nonEnvironmentArgs,
  sourceDateEpochArg,
  type ArgInstruction,
  type Dockerfile,
} from "../dockerfile/index.ts";
import type { ProxyEnv } from "../llb/index.ts";
import { formatPlatform, type Platform } from "../oci/index.ts";
import { invalidValue, notSupportedYet, warnOfUnset, type Compilation } from "./compilation.ts";
import { lookupIn, withVariable, type Variables } from "./environment.ts";
import { addHistory } from "./history.ts";
import type { FrontendWarning } from "./options.ts";
import type { StageState } from "./stage.ts";

type BuildArgs = Readonly<Record<string, string>>;

/** A build argument's value; undefined when not given. */
export function buildArg(buildArgs: BuildArgs, name: string): string | undefined {
  return Object.hasOwn(buildArgs, name) ? buildArgs[name] : undefined;
}

/** The arguments that every Dockerfile has (A02-A04), then those before the first FROM (A01); build arguments win. */
export function globalVariables(
  dockerfile: Dockerfile,
  options: {
    readonly buildArgs: BuildArgs;
    readonly buildPlatform: Platform;
    readonly targetPlatform: Platform;
    readonly targetName: string | undefined;
  },
): Variables {
  const { buildArgs, buildPlatform, targetPlatform, targetName } = options;
  const facts = [...platformFacts(buildPlatform), ...platformFacts(targetPlatform), targetName ?? "default"];
  let variables: Variables = new Map(
    globalPlatformArgs.map((name, index) => [name, buildArg(buildArgs, name) ?? facts[index] ?? ""]),
  );
  for (const { args, where } of dockerfile.globalArgs) {
    for (const { name, value } of args) {
      const given = buildArg(buildArgs, name);
      const used =
        given ??
        (value === undefined ? undefined : expandWord(value, lookupIn(variables), { escape: dockerfile.escape, where }).value);
      if (used !== undefined) variables = withVariable(variables, name, used);
    }
  }
  return variables;
}

function platformFacts(platform: Platform): string[] {
  return [formatPlatform(platform), platform.os, platform.osVersion ?? "", platform.architecture, platform.variant ?? ""];
}

/** ARG within a stage (A01, I08): the build argument, else the default, else the global argument of that name. */
export function compileArg(stage: StageState, instruction: ArgInstruction, compilation: Compilation): void {
  const { where } = instruction;
  const texts: string[] = [];
  for (const arg of instruction.args) {
    const env = lookupIn(stage.variables);
    let value = buildArg(compilation.buildArgs, arg.name);
    if (value === undefined && arg.value !== undefined) {
      const expansion = expandWord(arg.value, env, {
        escape: compilation.dockerfile.escape,
        where,
      });
      warnOfUnset(expansion.unmatched, { env, stage, compilation, where });
      ({ value } = expansion);
    }
    value ??= arg.value === undefined ? compilation.globals.get(arg.name) : undefined;
    if (value !== undefined && !nonEnvironmentArgs.has(arg.name))
      stage.variables = withVariable(stage.variables, arg.name, value);
    stage.declaredArgs = [...stage.declaredArgs, { name: arg.name, value }];
    texts.push(value === undefined ? arg.name : `${arg.name}=${value}`);
  }
  addHistory(stage, compilation, `ARG ${texts.join(" ")}`, { hasLayer: false });
}

/** The proxy arguments, which RUN gets without ARG (A05), in any letter case; undefined when none is given. */
export function proxyEnvOf(buildArgs: BuildArgs): ProxyEnv | undefined {
  const given = new Map<string, string>();
  for (const name of Object.keys(buildArgs).sort()) if (isProxyArg(name)) given.set(name.toLowerCase(), buildArgs[name] ?? "");
  if (given.size === 0) return undefined;
  const value = (name: string): string => given.get(name) ?? "";
  return {
    httpProxy: value("http_proxy"),
    httpsProxy: value("https_proxy"),
    ftpProxy: value("ftp_proxy"),
    noProxy: value("no_proxy"),
    allProxy: value("all_proxy"),
  };
}

/** SOURCE_DATE_EPOCH (A06) in seconds: the option, else the build argument, else the global argument. Empty is not set. */
export function epochOf(options: {
  readonly sourceDateEpoch: number | undefined;
  readonly buildArgs: BuildArgs;
  readonly globals: Variables;
}): number | undefined {
  if (options.sourceDateEpoch !== undefined) return options.sourceDateEpoch;
  const text = buildArg(options.buildArgs, sourceDateEpochArg) ?? options.globals.get(sourceDateEpochArg) ?? "";
  if (text === "") return undefined;
  if (/^[a-z]/i.test(text)) throw notSupportedYet(`${sourceDateEpochArg} from a context or a stage ("${text}")`, undefined);
  const seconds = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(seconds)) {
    throw invalidValue(
      `${sourceDateEpochArg} "${text}" is no number of seconds`,
      undefined,
      "give the seconds since 1970, for example those of git log -1 --format=%ct",
    );
  }
  return seconds;
}

/** A warning when build arguments are given that nothing asked for. */
export function warnOfUnusedArgs(compilation: Compilation, reachable: ReadonlySet<StageState>): FrontendWarning | undefined {
  const { buildArgs, dockerfile } = compilation;
  const declared = new Set<string>(globalPlatformArgs);
  for (const { args } of dockerfile.globalArgs) for (const { name } of args) declared.add(name);
  for (const stage of reachable) for (const { name } of stage.declaredArgs) declared.add(name);
  const steering = new Set<string>([...Object.values(builderArgs), sourceDateEpochArg]);
  const unused = Object.keys(buildArgs)
    .filter((name) => !declared.has(name) && !steering.has(name) && !isProxyArg(name) && !name.startsWith(attestArgPrefix))
    .sort();
  if (unused.length === 0) return undefined;
  return {
    rule: "UnusedBuildArgs",
    message: `[Warning] One or more build-args [${unused.join(" ")}] were not consumed`,
    where: undefined,
  };
}
