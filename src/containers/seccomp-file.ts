import { VarveError } from "../errors/index.ts";
import type { SeccompProfile, SeccompRule } from "../runtime/index.ts";
import type { ContainerFacts } from "./spec-inputs.ts";

/**
 * A profile of `--security-opt seccomp=FILE`: Docker's own format (moby/profiles, `archMap`, `includes`, `excludes`) or the OCI
 * runtime-spec's. What cannot be read is CONTAINER_LIMIT, with Docker's words.
 */
export function readSeccompProfile(
  text: string,
  facts: Pick<ContainerFacts, "architecture" | "kernel"> & { readonly capabilities: readonly string[] },
): SeccompProfile {
  const profile = readObject(parse(text), "the profile");
  const { defaultAction, defaultErrnoRet } = profile;
  if (typeof defaultAction !== "string") throw unreadable("it has no defaultAction");
  const rules = readList(profile["syscalls"] ?? [], "syscalls").map((rule) => readObject(rule, "a rule"));
  const architectures = architecturesOf(profile, facts.architecture);
  return {
    defaultAction,
    ...(typeof defaultErrnoRet === "number" ? { defaultErrnoRet } : {}),
    ...(architectures.length === 0 ? {} : { architectures }),
    ...(Array.isArray(profile["flags"]) ? { flags: profile["flags"].map(String) } : {}),
    syscalls: rules.filter((rule) => applies(rule, facts)).map(readRule),
  };
}

type Json = Readonly<Record<string, unknown>>;

function architecturesOf(profile: Json, architecture: string): string[] {
  if (Array.isArray(profile["architectures"])) return profile["architectures"].map(String);
  const own = { x64: "SCMP_ARCH_X86_64", arm64: "SCMP_ARCH_AARCH64", s390x: "SCMP_ARCH_S390X", ppc64: "SCMP_ARCH_PPC64LE" }[
    architecture
  ];
  for (const entry of readList(profile["archMap"] ?? [], "archMap").map((item) => readObject(item, "archMap"))) {
    if (entry["architecture"] !== own) continue;
    return [String(own), ...readList(entry["subArchitectures"] ?? [], "subArchitectures").map(String)];
  }
  return [];
}

function applies(rule: Json, { architecture, kernel, capabilities }: Parameters<typeof readSeccompProfile>[1]): boolean {
  const names = [architecture, { x64: "amd64", ppc64: "ppc64le" }[architecture] ?? architecture];
  const holds = (condition: Json): readonly boolean[] => [
    ...lists(condition, "arches", (arches) => arches.some((name) => names.includes(name))),
    ...lists(condition, "caps", (caps) => caps.some((name) => capabilities.includes(name))),
    ...(typeof condition["minKernel"] === "string" ? [isAtLeast(kernel, condition["minKernel"])] : []),
  ];
  const includes = holds(readObject(rule["includes"] ?? {}, "includes"));
  const excludes = holds(readObject(rule["excludes"] ?? {}, "excludes"));
  return includes.every(Boolean) && !excludes.some(Boolean);
}

function lists(condition: Json, key: string, test: (names: readonly string[]) => boolean): boolean[] {
  const value = condition[key];
  return Array.isArray(value) && value.length > 0 ? [test(value.map(String))] : [];
}

function isAtLeast(kernel: ContainerFacts["kernel"], text: string): boolean {
  const [major = 0, minor = 0] = text.split(".").map(Number);
  return kernel.major > major || (kernel.major === major && kernel.minor >= minor);
}

function readRule(rule: Json): SeccompRule {
  const { action, errnoRet, name } = rule;
  const names = typeof name === "string" ? [name] : readList(rule["names"] ?? [], "names").map(String);
  const args = readList(rule["args"] ?? [], "args").map((item) => {
    const { index, value, valueTwo, op } = readObject(item, "args");
    return {
      index: Number(index),
      value: Number(value),
      ...(valueTwo === undefined ? {} : { valueTwo: Number(valueTwo) }),
      op: String(op),
    };
  });
  return {
    names,
    action: String(action),
    ...(typeof errnoRet === "number" ? { errnoRet } : {}),
    ...(args.length === 0 ? {} : { args }),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw unreadable((error as Error).message, error);
  }
}

function readObject(value: unknown, what: string): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw unreadable(`${what} is no object`);
  return value as Json;
}

function readList(value: unknown, what: string): readonly unknown[] {
  if (value === null) return [];
  if (!Array.isArray(value)) throw unreadable(`${what} is no list`);
  return value;
}

function unreadable(why: string, cause?: unknown): VarveError {
  return new VarveError("CONTAINER_LIMIT", `Decoding seccomp profile failed: ${why}`, { cause });
}
