import { expandRaw, type AddInstruction, type CopyInstruction, type HeredocNode } from "../dockerfile/index.ts";
import { VarveError } from "../errors/index.ts";
import { plainCopy, type FileCopy } from "../llb/index.ts";
import { expandIn, invalidValue, linesOf, warnOfUnset, type Compilation } from "./compilation.ts";
import { lookupIn } from "./environment.ts";
import { fileNode, mergeNode, parseOwner, type ActionDraft, type OwnerDraft } from "./file-node.ts";
import { addHistory } from "./history.ts";
import { countStep, stepName, stepText } from "./naming.ts";
import { named, type Output } from "./node.ts";
import { hasWildcard, joinPath, resolveDestination } from "./paths.ts";
import { addedRepository, checkRemotes, findRemote, httpFile, type RemoteSource } from "./remote-source.ts";
import type { Command, StageState } from "./stage.ts";

type FilesInstruction = CopyInstruction | AddInstruction;
type CopyAction = Extract<ActionDraft, { kind: "copy" }>;

/** A COPY or ADD with its variables filled in. */
interface Expanded {
  readonly sources: readonly string[];
  readonly heredocs: readonly { readonly name: string; readonly content: string }[];
  readonly destination: string;
  readonly chown: string;
  readonly chmod: string;
  readonly checksum: string;
}

/** COPY and ADD (I05, I06) of files from the context, from other stages and images, of remote files, and from heredocs. */
export function compileCopy(stage: StageState, instruction: FilesInstruction, command: Command, compilation: Compilation): void {
  const { where, original } = instruction;
  const expanded = expandInstruction(stage, instruction, compilation);
  const remotes = expanded.sources.map((source) => findRemote(source, where));
  checkRemotes(instruction, remotes, expanded.checksum);
  const origin = findOrigin(stage, instruction, command, compilation);
  if (command.sources[0] === undefined) lintSources(instruction, expanded, compilation);
  const destination = resolveDestination(stage.directory, expanded.destination);
  const mode = readMode(expanded.chmod, instruction);
  const owner = expanded.chown === "" ? undefined : parseOwner(expanded.chown);

  countStep(stage);
  const { variables, platform } = stage;
  const multiPlatform = compilation.options.multiPlatform ?? false;
  const text = stepText(original, variables, { escape: compilation.dockerfile.escape });
  const name = stepName(stage, text, {
    multiPlatform,
    platform,
    variables,
    isTrigger: command.isTrigger,
  });
  const lines = linesOf(where);
  const copies = expanded.sources.map((source, index) => {
    const remote = remotes[index];
    if (remote === undefined || instruction.kind === "copy")
      return copyFiles(source, { instruction, origin, destination, mode, owner });
    return copyRemote(remote, { instruction, destination, mode, owner, checksum: expanded.checksum, name, lines });
  });
  const documents = expanded.heredocs.map((heredoc) => copyDocument(heredoc, { instruction, destination, mode, owner }));
  const actions = [...copies, ...documents];
  const metadata = named(name, ["file.base", ...copyCaps(actions)], {
    ignoreCache: stage.isIgnoringCache,
  });
  if (instruction.link && expanded.chmod === "") {
    // One line of progress for both ops: the group's. The id only has to differ from other steps'
    const group = { id: `link-${compilation.stages.indexOf(stage)}-${stage.stepIndex}`, name };
    const layer = fileNode(undefined, actions, {
      metadata: { ...metadata, progressGroup: { ...group, weak: true } },
      lines,
    });
    const linkName = stepName(stage, `LINK ${text}`, {
      multiPlatform,
      platform,
      variables,
      isTrigger: command.isTrigger,
    });
    const linked = named(linkName, ["mergeop"], { ignoreCache: stage.isIgnoringCache });
    stage.root = mergeNode([stage.root, layer], {
      metadata: { ...linked, progressGroup: { ...group, weak: false } },
      lines,
    });
  } else {
    stage.root = fileNode(stage.root, actions, { metadata, lines });
  }
  addHistory(stage, compilation, historyText(instruction, expanded), {
    hasLayer: true,
    isStep: true,
  });
}

function expandInstruction(stage: StageState, instruction: FilesInstruction, compilation: Compilation): Expanded {
  const { where } = instruction;
  const expand = expandIn(stage, compilation, where);
  return {
    sources: instruction.sources.map(expand),
    heredocs: instruction.heredocs.map((heredoc) => ({
      name: heredoc.name,
      content: expandBody(heredoc, stage, { instruction, compilation }),
    })),
    destination: expand(instruction.destination),
    chown: expand(instruction.chown ?? ""),
    chmod: expand(instruction.chmod ?? ""),
    checksum: instruction.kind === "add" ? expand(instruction.checksum ?? "") : "",
  };
}

function expandBody(
  heredoc: HeredocNode,
  stage: StageState,
  { instruction: { where }, compilation }: { instruction: FilesInstruction; compilation: Compilation },
): string {
  if (!heredoc.expand) return heredoc.content;
  const env = lookupIn(stage.variables);
  const { value, unmatched } = expandRaw(heredoc.content, env, { where });
  warnOfUnset(unmatched, { env, stage, compilation, where });
  return value;
}

/** The file system that sources are taken from; a path in the context is noted there (G07). */
function findOrigin(
  stage: StageState,
  instruction: FilesInstruction,
  command: Command,
  compilation: Compilation,
): (path: string) => Output | undefined {
  const [source] = command.sources;
  if (source === undefined) {
    return (path) => {
      compilation.context.use(joinPath("/", path));
      return compilation.context.output;
    };
  }
  if (!source.isDone) {
    const from = instruction.kind === "copy" ? instruction.from : undefined;
    const message = `cannot copy from stage "${from ?? source.label}", it needs to be defined before current stage "${stage.label}"`;
    throw new VarveError("FRONTEND_STAGE_ORDER", message, {
      where: instruction.where,
      hint: "move the stage further up",
    });
  }
  return (path) => {
    source.folder?.use(joinPath("/", path));
    return source.root;
  };
}

/** Sources of the context that its ignore file leaves out. */
function lintSources(instruction: FilesInstruction, { sources }: Expanded, { ignoredSources, linter }: Compilation): void {
  const { kind, where } = instruction;
  for (const source of sources) {
    if (findRemote(source, where) === undefined) ignoredSources.lint(source, { kind, linter, where });
  }
}

type Mode = Pick<FileCopy, "mode" | "modeStr">;

/** `--chmod` (C09): octal up to 07777, or symbolic. */
function readMode(text: string, { where }: FilesInstruction): Mode {
  if (text === "") return { mode: -1, modeStr: "" };
  if (/^[0-7]+$/.test(text) && Number.parseInt(text, 8) <= 0o7777) return { mode: Number.parseInt(text, 8), modeStr: "" };
  if (/^(?:[ugoa]*(?:[-+=](?:[ugo]|[rwxXst]*))+)(?:,[ugoa]*(?:[-+=](?:[ugo]|[rwxXst]*))+)*$/.test(text))
    return { mode: 0, modeStr: text };
  throw invalidValue(
    `invalid chmod parameter: '${text}'. it should be octal string and between 0 and 07777`,
    where,
    "symbolic modes look like u=rwX,go=rX",
  );
}

interface CopyOptions {
  readonly instruction: FilesInstruction;
  readonly destination: string;
  readonly mode: Mode;
  readonly owner: OwnerDraft | undefined;
}

function copyFiles(text: string, options: CopyOptions & { readonly origin: (path: string) => Output | undefined }): CopyAction {
  const { instruction, origin, destination, mode, owner } = options;
  const base = {
    ...plainCopy,
    ...mode,
    dest: destination,
    excludePatterns: instruction.exclude,
    followSymlink: true,
    dirCopyContents: true,
    allowWildcard: true,
    allowEmptyWildcard: true,
  };
  const source = origin(text);
  if (instruction.kind === "add") {
    const copy = { ...base, src: joinPath("/", text), attemptUnpack: instruction.unpack ?? true };
    return { kind: "copy", source, copy, owner };
  }
  if (!instruction.parents) return { kind: "copy", source, copy: { ...base, src: joinPath("/", text) }, owner };
  // COPY --parents (C11): what stands after the pivot `/./` is kept, as a pattern below what stands before it
  const pivot = text.indexOf("/./");
  const [parent, pattern] = pivot < 0 ? ["/", text] : [text.slice(0, pivot), text.slice(pivot + 3)];
  const kept = (pattern.startsWith("/") ? pattern : joinPath("/", pattern)).replace(/^\//, "");
  const requiredPaths = hasWildcard(parent) || hasWildcard(pattern) ? [] : [joinPath("/", parent, kept)];
  return {
    kind: "copy",
    source,
    copy: { ...base, src: joinPath("/", parent), includePatterns: [kept], requiredPaths },
    owner,
  };
}

/** A file behind a URL, unpacked only when asked to be (C14), or the tree of a repository (C17). */
function copyRemote(
  remote: RemoteSource,
  options: CopyOptions & { instruction: AddInstruction; checksum: string; name: string; lines: readonly number[] },
): CopyAction {
  const { instruction, destination, mode, owner, checksum, name, lines } = options;
  const copy = { ...plainCopy, ...mode, dest: destination, excludePatterns: instruction.exclude };
  if (remote.kind === "git") {
    return {
      kind: "copy",
      source: addedRepository(remote.reference, instruction, { checksum, name, lines }),
      copy: { ...copy, src: "/" },
      owner,
    };
  }
  const { output, path } = httpFile(remote.url, { checksum, where: instruction.where, name, lines });
  return { kind: "copy", source: output, copy: { ...copy, src: path, attemptUnpack: instruction.unpack ?? false }, owner };
}

/** A heredoc (H06): a file of its name, mode 0644. */
function copyDocument({ name, content }: Expanded["heredocs"][number], { destination, mode, owner }: CopyOptions): CopyAction {
  const mkfile = {
    path: joinPath("/", name),
    mode: 0o644,
    data: new TextEncoder().encode(content),
    timestamp: -1,
  };
  const source = fileNode(undefined, [{ kind: "mkfile", mkfile }], {
    metadata: named("[internal] preparing inline document", ["file.base"]),
    lines: [],
  });
  return {
    kind: "copy",
    source,
    copy: { ...plainCopy, ...mode, src: mkfile.path, dest: destination },
    owner,
  };
}

function copyCaps(actions: readonly CopyAction[]): string[] {
  const has = (test: (copy: CopyAction["copy"]) => boolean): boolean => actions.some(({ copy }) => test(copy));
  return [
    ...(has((copy) => copy.includePatterns.length + copy.excludePatterns.length > 0) ? ["file.copy.includeexcludepatterns"] : []),
    ...(has((copy) => copy.requiredPaths.length > 0) ? ["file.copy.requiredpaths"] : []),
    ...(has((copy) => copy.modeStr !== "") ? ["file.copy.modestring"] : []),
  ];
}

function historyText(instruction: FilesInstruction, { sources, heredocs, destination, chown, chmod }: Expanded): string {
  return [
    instruction.kind.toUpperCase(),
    ...(instruction.kind === "copy" && instruction.parents ? ["--parents"] : []),
    ...(chown === "" ? [] : [`--chown=${chown}`]),
    ...(chmod === "" ? [] : [`--chmod=${chmod}`]),
    ...sources,
    ...heredocs.map(({ name }) => `<<${name}`),
    destination,
  ].join(" ");
}
