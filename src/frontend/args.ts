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
import { warnOfUnset, type Compilation, type ScopeFacts } from "./compilation.ts";
import { lookupIn, withVariable, type Variables } from "./environment.ts";
import { addHistory } from "./history.ts";
import { lintSecretName } from "./lint.ts";
import type { FrontendWarning } from "./options.ts";
import { describe, type ArgFact } from "./outline.ts";
import type { StageState } from "./stage.ts";

type BuildArgs = Readonly<Record<string, string>>;

/** A build argument's value; undefined when not given. */
export function buildArg(buildArgs: BuildArgs, name: string): string | undefined {
  return Object.hasOwn(buildArgs, name) ? buildArgs[name] : undefined;
}

/** The global scope: its variables, and what is known of the arguments that the file declares there. */
export interface GlobalScope {
  readonly variables: Variables;
  readonly args: ReadonlyMap<string, ArgFact>;
}

/**
 * The arguments that every Dockerfile has (A02-A04), then those before the first FROM (A01); build arguments win, but with
 * `defaultsOnly` not over those of the file.
 */
export function globalScope(dockerfile: Dockerfile, options: ScopeFacts & { readonly defaultsOnly?: boolean }): GlobalScope {
  const { buildArgs, buildPlatform, targetPlatform, targetName, defaultsOnly = false } = options;
  const facts = [...platformFacts(buildPlatform), ...platformFacts(targetPlatform), targetName ?? "default"];
  let variables: Variables = new Map(
    globalPlatformArgs.map((name, index) => [name, buildArg(buildArgs, name) ?? facts[index] ?? ""]),
  );
  const known = new Map<string, ArgFact>();
  for (const { args, where, docComment } of dockerfile.globalArgs) {
    for (const { name, value } of args) {
      const given = defaultsOnly ? undefined : buildArg(buildArgs, name);
      const expansion =
        given !== undefined || value === undefined
          ? undefined
          : expandWord(value, lookupIn(variables), { escape: dockerfile.escape, where });
      const used = given ?? expansion?.value;
      const needs = new Set(expansion?.matched);
      // what a redefinition was made of counts for it too
      if (needs.delete(name)) for (const need of known.get(name)?.needs ?? []) needs.add(need);
      known.set(name, { name, value: used ?? "", description: describe(docComment, name), where, needs });
      if (used !== undefined) variables = withVariable(variables, name, used);
    }
  }
  return { variables, args: known };
}

function platformFacts(platform: Platform): string[] {
  return [formatPlatform(platform), platform.os, platform.osVersion ?? "", platform.architecture, platform.variant ?? ""];
}

/** ARG within a stage (A01, I08): the build argument, else the default, else the global argument of that name. */
export function compileArg(stage: StageState, instruction: ArgInstruction, compilation: Compilation): void {
  const { where, docComment } = instruction;
  const texts: string[] = [];
  for (const arg of instruction.args) {
    lintSecretName(arg.name, { instruction: "ARG", linter: compilation.linter, where });
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
    const inherited = value === undefined && arg.value === undefined ? compilation.globals.get(arg.name) : undefined;
    value ??= inherited;
    stage.outline.used.add(arg.name);
    if (inherited === undefined) {
      const fact = {
        name: arg.name,
        value: value ?? "",
        description: describe(docComment, arg.name),
        where,
        needs: new Set<string>(),
      };
      stage.outline.args.set(arg.name, fact);
    }
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
