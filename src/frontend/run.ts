import { builderArgs, parseHeredocWord, type RunInstruction } from "../dockerfile/index.ts";
import type { ExecMeta } from "../llb/index.ts";
import { buildArg } from "./args.ts";
import { commandArgs, inShell } from "./config.ts";
import { invalidValue, linesOf, notSupportedYet, type Compilation } from "./compilation.ts";
import { toEnvironmentList, withVariable, type Variables } from "./environment.ts";
import { execCaps, execNode, type ExecDraft, type MountDraft } from "./exec-node.ts";
import { fileNode } from "./file-node.ts";
import { addHistory, runText } from "./history.ts";
import { countStep, stepName, stepText } from "./naming.ts";
import { named, toOpPlatform } from "./node.ts";
import { compileMounts } from "./run-mounts.ts";
import type { Command, StageState } from "./stage.ts";

/** RUN (I02): a step that runs a command in the stage's root. */
export function compileRun(stage: StageState, instruction: RunInstruction, command: Command, compilation: Compilation): void {
  const { where, original, security } = instruction;
  const [device] = instruction.devices;
  if (device !== undefined) throw notSupportedYet("RUN --device", device.where);

  const { options } = compilation;
  const { args, mounts: scripts, summary } = readCommand(stage, instruction);
  const shm: MountDraft[] =
    options.shmSizeBytes === undefined || options.shmSizeBytes === 0
      ? []
      : [
          {
            dest: "/dev/shm",
            source: undefined,
            type: "tmpfs",
            tmpfs: { size: options.shmSizeBytes },
          },
        ];
  const { mounts, credentials } = compileMounts(stage, instruction, command, compilation);
  const { secretEnv, agentSocket } = credentials;
  const draft: ExecDraft = {
    root: stage.root,
    mounts: [...scripts, ...mounts, ...shm],
    meta: metaOf(stage, { args, agentSocket, compilation }),
    network: networkOf(instruction, options.networkMode),
    security,
    credentials,
    platform: toOpPlatform(stage.rootPlatform ?? compilation.targetPlatform),
  };

  countStep(stage);
  // what progress shows says that a variable is a secret
  const shown = secretEnv.reduce<Variables>((variables, { name }) => withVariable(variables, name, "****"), stage.variables);
  const text = stepText(original + summary, shown, {
    escape: compilation.dockerfile.escape,
    quotes: "keep",
    unset: "keep",
  });
  const name = stepName(stage, text, {
    multiPlatform: options.multiPlatform ?? false,
    platform: stage.rootPlatform,
    variables: stage.variables,
    isTrigger: command.isTrigger,
  });
  const metadata = named(name, execCaps(draft), {
    command: original,
    ignoreCache: stage.isIgnoringCache,
  });
  const history = runText(stage, args);
  stage.root = execNode(draft, { metadata, lines: linesOf(where) });
  addHistory(stage, compilation, history, { hasLayer: true, isStep: true });
}

interface RunCommand {
  readonly args: readonly string[];
  readonly mounts: readonly MountDraft[];
  /** What progress shows of a heredoc. */
  readonly summary: string;
}

/**
 * The arguments (H04, H05): a command that is nothing but a heredoc is the heredoc's text, or a script file when that
 * begins with `#!`; heredocs beside a command are given back to the shell as they were written.
 */
function readCommand(stage: StageState, { command, heredocs, where }: RunInstruction): RunCommand {
  const [first] = heredocs;
  if (first === undefined) return { args: commandArgs(stage, command), mounts: [], summary: "" };
  if (command.form === "exec") throw invalidValue("a heredoc needs the shell form of RUN", where);
  if (parseHeredocWord(command.text, { where }) === undefined) {
    const bodies = heredocs.map((heredoc) => `\n${heredoc.rawContent}${heredoc.name}`);
    return { args: inShell(stage, command.text + bodies.join("")), mounts: [], summary: "" };
  }
  const summary = ` (${summarize(first.rawContent)})`;
  if (stage.image.os === "windows" || !first.content.startsWith("#!"))
    return { args: inShell(stage, first.content), mounts: [], summary };
  const mkfile = {
    path: `/${first.name}`,
    mode: 0o755,
    data: new TextEncoder().encode(first.content),
    timestamp: -1,
  };
  const script = fileNode(undefined, [{ kind: "mkfile", mkfile }], {
    metadata: named("[internal] preparing inline document", ["file.base"]),
    lines: [],
  });
  const mount: MountDraft = { dest: "/dev/pipes/", source: script, selector: "/", readonly: true };
  return { args: inShell(stage, `/dev/pipes/${first.name}`), mounts: [mount], summary };
}

function summarize(body: string): string {
  const [first = "", ...more] = body.trim().split(/\r?\n/);
  return more.length > 0 ? `${first}...` : first;
}

function metaOf(
  stage: StageState,
  {
    args,
    agentSocket,
    compilation,
  }: { readonly args: readonly string[]; readonly agentSocket: string | undefined; readonly compilation: Compilation },
): ExecMeta {
  const { options, buildArgs, proxyEnv } = compilation;
  const hasAgent = agentSocket !== undefined && !stage.variables.has("SSH_AUTH_SOCK");
  const hostname = buildArg(buildArgs, builderArgs.sandboxHostname) || options.hostname || "";
  return {
    args,
    env: toEnvironmentList(hasAgent ? withVariable(stage.variables, "SSH_AUTH_SOCK", agentSocket) : stage.variables),
    cwd: stage.directory,
    user: stage.user,
    ...(proxyEnv === undefined ? {} : { proxyEnv }),
    extraHosts: options.extraHosts ?? [],
    hostname,
    ulimit: options.ulimits ?? [],
    cgroupParent: options.cgroupParent ?? "",
    removeMountStubsRecursive: true,
    validExitCodes: [],
  };
}

/** The flag beats the build's mode, save that `default` means the build's (R07). */
function networkOf(instruction: RunInstruction, mode: "default" | "none" | "host" = "default"): ExecDraft["network"] {
  const wanted = instruction.network === "default" ? mode : instruction.network;
  return wanted === "default" ? "unset" : wanted;
}
