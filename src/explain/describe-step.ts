import { redactUrl } from "../errors/index.ts";
import type { ExecOp, FileAction, FileOp, Mount, Op, SourceInfo, SourceOp, UserRef, Vertex } from "../llb/index.ts";
import type { StepTrace } from "./trace.ts";

type StaticFacts = Omit<StepTrace, "inputs" | "op" | "key" | "outcome">;
type Setting = StepTrace["settings"][number];

/** What the graph alone says of a vertex. Texts that the key counts by digest are cut to {@link maxTextLength}. */
export function describeStep(vertex: Vertex, sources: readonly SourceInfo[]): StaticFacts {
  const { op, digest } = vertex;
  const description = vertex.metadata.description;
  const name = description["llb.customname"] ?? (op.kind === "source" ? op.source.identifier : op.kind);
  const place = readPlace(name);
  const shown = place === undefined ? name : place.text;
  const command = op.kind === "exec" ? description["com.docker.dockerfile.v1.command"] : undefined;
  const origin = op.kind === "source" ? originOf(op.source) : undefined;
  const onbuild = place?.isTrigger === true ? "ONBUILD " : "";
  return {
    vertex: digest,
    name,
    kind: op.kind,
    ...(place === undefined ? {} : { place: { stage: place.stage, step: place.step } }),
    text: cut(onbuild + (command ?? withoutDigest(shown))),
    source: cut(linesOf(vertex, sources)),
    ...commandOf(op),
    settings: settingsOf(op),
    ...(origin === undefined ? {} : { origin }),
  };
}

/** Longer texts of instructions and heredocs are remembered up to here: 8192 characters. */
export const maxTextLength = 8192;

function cut(text: string): string {
  return text.length > maxTextLength ? text.slice(0, maxTextLength) : text;
}

/**
 * `[linux/arm64->amd64 stage 2/10] ONBUILD text` (features S09): where a step stands, from its name. A platform is part of
 * the stage: the stage is there once for each.
 */
function readPlace(name: string): { stage: string; step: number; text: string; isTrigger: boolean } | undefined {
  const match = /^\[(?:(\S+(?: \S+)?) )? *(\d+)\/\d+\] (ONBUILD )?(.*)$/s.exec(name);
  if (match === null) return undefined;
  return { stage: match[1] ?? "", step: Number(match[2]), text: match[4] ?? "", isTrigger: match[3] !== undefined };
}

/** `FROM name:tag@sha256:…` without its digest: the digest is what the name stands for. */
function withoutDigest(text: string): string {
  return text.startsWith("FROM ") ? text.replace(/@sha256:[0-9a-f]{64}$/, "") : text;
}

function originOf({ identifier, attrs }: SourceOp): NonNullable<StepTrace["origin"]> {
  const at = identifier.indexOf("://");
  const scheme = identifier.slice(0, at);
  const rest = identifier.slice(at + 3);
  if (scheme === "docker-image" || scheme === "oci-layout") {
    const [, name = rest, stands] = /^(.*?)@(sha256:[0-9a-f]{64})$/.exec(rest) ?? [];
    return { kind: "image", name: familiar(name), ...(stands === undefined ? {} : { stands }) };
  }
  if (scheme === "local") return { kind: "local", name: rest.replace(/^_/, "") };
  const ref = identifier.indexOf("#");
  const url = attrs["git.fullurl"] === undefined ? identifier : attrs["git.fullurl"] + (ref < 0 ? "" : identifier.slice(ref));
  return { kind: "remote", name: redactUrl(url) };
}

function familiar(name: string): string {
  return name.replace(/^docker\.io\/(?:library\/)?/, "");
}

/** The Dockerfile's lines of a step, as they are written. */
function linesOf({ locations }: Vertex, sources: readonly SourceInfo[]): string {
  const [location] = locations;
  const info = location === undefined ? undefined : sources[location.sourceIndex];
  if (location === undefined || info === undefined) return "";
  const lines = textOf(info).split("\n");
  return location.ranges.map(({ start }) => lines[start.line - 1] ?? "").join("\n");
}

const texts = new WeakMap<SourceInfo, string>();

function textOf(info: SourceInfo): string {
  let text = texts.get(info);
  if (text === undefined) texts.set(info, (text = new TextDecoder().decode(info.data)));
  return text;
}

function commandOf(op: Op): Pick<StepTrace, "command"> {
  if (op.kind === "exec") return { command: op.exec.meta.args.map(cut) };
  const [action] = op.kind === "file" ? op.file.actions : [];
  if (action?.kind === "mkfile") return { command: [cut(new TextDecoder().decode(action.mkfile.data))] };
  return {};
}

function settingsOf(op: Op): Setting[] {
  switch (op.kind) {
    case "exec":
      return [...execSettings(op.exec), ...platformOf(op)];
    case "file":
      return fileSettings(op.file);
    case "source":
      // not its attributes: URLs among them hold credentials
      return platformOf(op);
    case "diff":
    case "merge":
      return [];
  }
}

function platformOf({ platform }: Op): Setting[] {
  if (platform === undefined) return [];
  const { os, architecture, variant } = platform;
  return [["platform", "platform", [os, architecture, variant].filter((part) => part !== "").join("/")]];
}

function execSettings({ meta, mounts, network, security, secretEnv }: ExecOp): Setting[] {
  const env = meta.env.map((text): Setting => {
    const at = text.indexOf("=");
    return ["environment", text.slice(0, at), text.slice(at + 1)];
  });
  return [
    ...env,
    ["working directory", "working directory", meta.cwd || "/"],
    ["user", "user", meta.user],
    ["network", "network", network === "unset" ? "default" : network],
    ["security", "security", security],
    ["hostname", "hostname", meta.hostname],
    ...meta.extraHosts.map(({ host }): Setting => ["host", host, ""]),
    ...meta.ulimit.map(({ name, soft, hard }): Setting => ["ulimit", name, `${soft}:${hard}`]),
    ...mounts.filter(({ dest }) => dest !== "/").map(mountSetting),
    ...secretEnv.map(({ id, name }): Setting => ["secret", name, `id=${id}`]),
  ];
}

function mountSetting(mount: Mount): Setting {
  const { type, dest, selector, readonly, tmpfs, cache, secret, ssh } = mount;
  const credential = secret ?? ssh;
  const parts = [
    `type=${type}`,
    ...(selector === "" ? [] : [`source=${selector}`]),
    ...(type === "bind" && !readonly ? ["rw"] : []),
    ...(type === "cache" && readonly ? ["ro"] : []),
    ...(tmpfs && tmpfs.size > 0 ? [`size=${tmpfs.size}`] : []),
    ...(cache ? [`id=${cache.id}`, `sharing=${cache.sharing}`] : []),
    ...(credential ? [`id=${credential.id}`, `uid=${credential.uid}`, `gid=${credential.gid}`] : []),
    ...(credential ? [`mode=${credential.mode.toString(8).padStart(4, "0")}`] : []),
    ...(credential?.optional === false ? ["required"] : []),
  ];
  return [type === "secret" || type === "ssh" ? type : "mount", dest, parts.join(",")];
}

/** What of file actions is not in the instruction's text, or is there before its variables are filled in. */
function fileSettings({ actions }: FileOp): Setting[] {
  return actions.flatMap((action, index): Setting[] => {
    const { path, owner, timestamp } = factsOf(action);
    const name = (what: string): string => (actions.length === 1 ? what : `${what} ${index + 1}`);
    return [
      ["option", name("destination"), path],
      ...(owner === undefined ? [] : [["option", name("owner"), owner] as const]),
      ...(timestamp === -1 ? [] : [["option", name("time"), String(timestamp)] as const]),
    ];
  });
}

function factsOf(action: FileAction): { path: string; owner: string | undefined; timestamp: number } {
  switch (action.kind) {
    case "copy":
      return { path: action.copy.dest, owner: ownerText(action.copy.owner), timestamp: action.copy.timestamp };
    case "mkfile":
      return { path: action.mkfile.path, owner: ownerText(action.mkfile.owner), timestamp: action.mkfile.timestamp };
    case "mkdir":
      return { path: action.mkdir.path, owner: ownerText(action.mkdir.owner), timestamp: action.mkdir.timestamp };
    case "symlink":
      return { path: action.symlink.newPath, owner: ownerText(action.symlink.owner), timestamp: action.symlink.timestamp };
    case "rm":
      return { path: action.rm.path, owner: undefined, timestamp: -1 };
  }
}

function ownerText(owner: { readonly user?: UserRef; readonly group?: UserRef } | undefined): string | undefined {
  if (owner === undefined) return undefined;
  const text = (ref: UserRef | undefined): string => (ref === undefined ? "" : ref.kind === "id" ? String(ref.id) : ref.name);
  return owner.group === undefined ? text(owner.user) : `${text(owner.user)}:${text(owner.group)}`;
}
