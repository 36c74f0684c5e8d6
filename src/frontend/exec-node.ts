import type { ExecMeta, ExecOp, Mount, OpPlatform } from "../llb/index.ts";
import { createInputList, noConstraints, type Node, type Output } from "./node.ts";
import type { Credentials } from "./run-credentials.ts";

/** A mount of a RUN step before its input is numbered. */
export interface MountDraft {
  readonly dest: string;
  /** Undefined is an empty directory. */
  readonly source: Output | undefined;
  readonly selector?: string;
  readonly readonly?: boolean;
  readonly type?: "bind" | "cache" | "tmpfs";
  readonly tmpfs?: { readonly size: number };
  readonly cache?: NonNullable<Mount["cache"]>;
}

/** What a RUN step does beside its file systems. */
export interface ExecDraft {
  readonly root: Output | undefined;
  readonly mounts: readonly MountDraft[];
  readonly meta: ExecMeta;
  readonly network: ExecOp["network"];
  readonly security: ExecOp["security"];
  readonly credentials: Credentials;
  readonly platform: OpPlatform;
}

/** Runs a command; the output is the root as the command left it. Other mounts keep nothing. */
export function execNode(draft: ExecDraft, facts: Pick<Node, "metadata" | "lines">): Output {
  const root: MountDraft = { dest: "/", source: draft.root };
  const mounts = [root, ...draft.mounts].sort((a, b) => Buffer.compare(Buffer.from(a.dest), Buffer.from(b.dest)));
  const node: Node = {
    ...facts,
    inputs: mounts.map((mount) => mount.source).filter((source) => source !== undefined),
    compose(toInput) {
      const list = createInputList(toInput);
      const composed = mounts.map((mount): Mount => ({
        input: list.add(mount.source),
        selector: mount.selector ?? "",
        dest: mount.dest,
        output: mount === root ? 0 : -1,
        readonly: mount.readonly ?? false,
        type: mount.type ?? "bind",
        ...(mount.tmpfs === undefined ? {} : { tmpfs: mount.tmpfs }),
        ...(mount.cache === undefined ? {} : { cache: mount.cache }),
        resultId: "",
        contentCache: "default",
      }));
      const { meta, network, security, platform, credentials } = draft;
      const exec: ExecOp = {
        meta,
        mounts: [...composed, ...credentials.mounts],
        network,
        security,
        secretEnv: credentials.secretEnv,
        cdiDevices: [],
      };
      return { inputs: list.inputs, platform, constraints: noConstraints, kind: "exec", exec };
    },
  };
  return { node, index: 0 };
}

/** The capabilities that a BuildKit needs for the step. */
export function execCaps(draft: ExecDraft): string[] {
  const caps = ["exec.meta.base", "exec.meta.setsdefaultpath", "exec.mount.bind"];
  const { meta, mounts, network, security, credentials } = draft;
  if (network !== "unset") caps.push("exec.meta.network");
  if (security === "insecure") caps.push("exec.meta.security");
  if (meta.proxyEnv !== undefined) caps.push("exec.meta.proxyenv");
  if (meta.ulimit.length > 0) caps.push("exec.meta.ulimit");
  if (meta.cgroupParent !== "") caps.push("exec.meta.cgroup.parent");
  if (mounts.some((mount) => mount.selector !== undefined)) caps.push("exec.mount.selector");
  if (mounts.some((mount) => mount.type === "cache")) caps.push("exec.mount.cache", "exec.mount.cache.sharing");
  if (mounts.some((mount) => mount.type === "tmpfs")) caps.push("exec.mount.tmpfs");
  if (mounts.some((mount) => (mount.tmpfs?.size ?? 0) > 0)) caps.push("exec.mount.tmpfs.size");
  if (credentials.mounts.some((mount) => mount.type === "secret") || credentials.secretEnv.length > 0)
    caps.push("exec.mount.secret");
  if (credentials.secretEnv.length > 0) caps.push("exec.secretenv");
  if (credentials.agentSocket !== undefined) caps.push("exec.mount.ssh");
  return caps;
}
