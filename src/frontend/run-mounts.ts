import { builderArgs, checkMount, type CheckedMount, type RunInstruction, type RunMount } from "../dockerfile/index.ts";
import { VarveError, type SourceRange } from "../errors/index.ts";
import { cleanPath } from "../tree/index.ts";
import { buildArg } from "./args.ts";
import { expandIn, invalidValue, type Compilation } from "./compilation.ts";
import type { MountDraft } from "./exec-node.ts";
import { fileNode } from "./file-node.ts";
import { named, type Output } from "./node.ts";
import { joinPath, resolvePath } from "./paths.ts";
import { credentialsOf, type Credentials } from "./run-credentials.ts";
import type { Command, StageState } from "./stage.ts";

/** What the `--mount` flags of a RUN ask for. */
export interface RunMounts {
  /** File systems, in order. */
  readonly mounts: readonly MountDraft[];
  readonly credentials: Credentials;
}

/** The `--mount` flags of RUN (R01-R06). */
export function compileMounts(
  stage: StageState,
  instruction: RunInstruction,
  command: Command,
  compilation: Compilation,
): RunMounts {
  const mounts: MountDraft[] = [];
  const allChecked = instruction.mounts.map((mount, place) => {
    const checked = checkMount(expandFields(mount, stage, { instruction, compilation }), { where: mount.where });
    const source = command.sources[place];
    noteNeed(stage, checked, instruction.where);
    if (source !== undefined && !source.isDone) throw undefinedStage(source, stage, mount.where);
    if (checked.type !== "secret" && checked.type !== "ssh")
      mounts.push(compileMount(checked, { mount, stage, source, compilation }));
    return checked;
  });
  const credentials = credentialsOf(allChecked);
  for (const { dest } of credentials.mounts) refuseRoot(dest, stage, instruction.where);
  return { mounts, credentials };
}

/** Nothing can be mounted in the place of the root itself. */
function refuseRoot(target: string, stage: StageState, where: SourceRange): void {
  if (resolvePath(stage.directory, target) !== "/") return;
  throw invalidValue(`invalid mount target "${target}"`, where, "mount to a directory below /");
}

/** What the outline says of a secret or an SSH agent; of one id the first mount counts. */
function noteNeed({ outline }: StageState, mount: CheckedMount, where: SourceRange): void {
  if (mount.type !== "secret" && mount.type !== "ssh") return;
  const needs = mount.type === "secret" ? outline.secrets : outline.ssh;
  const name = mount.id ?? "default";
  if (!needs.has(name)) needs.set(name, { name, required: mount.required, where });
}

/** The stage that a `--mount` reads from is not built yet, or never. */
function undefinedStage(source: StageState, stage: StageState, where: SourceRange): VarveError {
  return new VarveError(
    "FRONTEND_STAGE_ORDER",
    `cannot mount from stage "${source.label}", it needs to be defined before current stage "${stage.label}"`,
    { where },
  );
}

function expandFields(
  mount: RunMount,
  stage: StageState,
  { instruction, compilation }: { readonly instruction: RunInstruction; readonly compilation: Compilation },
): RunMount {
  const expand = expandIn(stage, compilation, mount.where, instruction.where);
  return {
    ...mount,
    fields: mount.fields.map(({ key, value }) => ({
      key,
      value: value === undefined || key === "from" ? value : expand(value),
    })),
  };
}

interface MountContext {
  readonly mount: RunMount;
  readonly stage: StageState;
  readonly source: StageState | undefined;
  readonly compilation: Compilation;
}

type FileMount = Extract<CheckedMount, { type: "bind" | "cache" | "tmpfs" }>;

function compileMount(checked: FileMount, context: MountContext): MountDraft {
  const { mount, stage, source, compilation } = context;
  const dest = checked.target.startsWith("/") ? checked.target : resolvePath(stage.directory, checked.target);
  refuseRoot(checked.target, stage, mount.where);
  if (checked.type === "tmpfs") return { dest, source: undefined, type: "tmpfs", tmpfs: { size: checked.size } };

  const path = joinPath("/", checked.source ?? "");
  const selector = path === "/" ? {} : { selector: path };
  const readonly = checked.readonly ? { readonly: true } : {};
  if (checked.type === "bind") {
    (source === undefined ? compilation.context : source.folder)?.use(path);
    return {
      dest,
      source: source === undefined ? compilation.context.output : source.root,
      ...selector,
      ...readonly,
    };
  }
  const namespace = buildArg(compilation.buildArgs, builderArgs.cacheMountNamespace) ?? "";
  const cache = {
    id: `${namespace}/${checked.id ?? cleanPath(checked.target)}`,
    sharing: checked.sharing,
  };
  source?.folder?.use(path);
  const base = { dest, type: "cache", cache, ...readonly } as const;
  const hasOwner = checked.uid !== undefined || checked.gid !== undefined || checked.mode !== undefined;
  if (path === "/" && hasOwner) return { ...base, source: ownedDirectory(checked, source?.root), selector: "/cache" };
  return { ...base, source: source?.root, ...selector };
}

/** A directory with the owner and mode that a new cache shall begin with (R02). */
function ownedDirectory(mount: Extract<CheckedMount, { type: "cache" }>, base: Output | undefined): Output {
  const { mode = 0o755, uid = 0, gid = 0 } = mount;
  const mkdir = { path: "/cache", mode: mode & 0o777, makeParents: false, timestamp: -1 };
  const owner = { user: String(uid), group: String(gid) };
  return fileNode(base, [{ kind: "mkdir", mkdir, owner }], {
    metadata: named("[internal] setting cache mount permissions", ["file.base"]),
    lines: [],
  });
}
