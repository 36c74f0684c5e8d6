import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** One build that is made by Docker and by Varve. */
export interface Case {
  readonly name: string;
  /** File of `cases/` without its ending. */
  readonly topic: string;
  /** Rows of the feature tables that the case shows. */
  readonly ids: readonly string[];
  readonly options: BuildFlags;
  /** Words that both refusals must hold; undefined where both must succeed. */
  readonly fails: readonly string[] | undefined;
  /** Nobody knows whether it succeeds; both builders must agree. */
  readonly mayFail?: true;
  /** What an engine's own Dockerfile frontend may be too old for. */
  readonly needs: string | undefined;
  readonly files: readonly FileSpec[];
}

/** What a case says beside its files. */
export interface BuildFlags {
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly target?: string;
  /** Path of the Dockerfile in the context. */
  readonly dockerfile: string;
  readonly network?: "none" | "host";
  readonly hosts: readonly { readonly host: string; readonly ip: string }[];
  readonly shmSizeBytes?: number;
  readonly ulimits: readonly { readonly name: string; readonly soft: number; readonly hard: number }[];
  /** More flags, as both command lines know them: with them Varve is run as a command. */
  readonly more: readonly string[];
  /** A remote context, instead of the case's folder. */
  readonly remote?: string;
}

/** An entry of a case's context. */
export type FileSpec = { readonly path: string; readonly mode?: number } & (
  | { readonly kind: "file" | "archive"; readonly content: Uint8Array }
  | { readonly kind: "folder" | "fifo" | "socket" }
  | { readonly kind: "symlink" | "link"; readonly target: string }
);

/**
 * Reads all case files of a folder: plain text, so that a Dockerfile stands there as it is. A case is
 *
 *     === name | ID ID …
 *     prose for the reader, and settings: build-arg: K=V, label: K=V, target:, file:, network:, host: NAME=IP, shm-size:,
 *     ulimit: NAME=SOFT:HARD, flags: words, context: URL, fails: words; more words (both refusals hold all of them), needs: a flag too new for some
 *     engines. In build-arg, flags and context %C is the context's folder, %U the URL of a server that has the files below @http/
 *     (those with "dated" in their name have a date, those with "named" a name for the receiver), %G that of a Git repository
 *     with the files below @git/, in the branch main, with the tag v1 on it and a branch other whose file "branch" says so
 *     --- PATH [0644] [escaped|base64|archive]    a file, the lines that follow; escaped: \r, \u0000 and so on, no final
 *                                                 newline of its own; archive: a line of JSON for each entry
 *     --- PATH/ [0755]                            a folder
 *     --- PATH -> TARGET                          a symbolic link
 *     --- PATH => PATH                            a hard link
 *     --- PATH fifo                               or socket
 */
export function readCases(folder: string): Case[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".cases"))
    .sort()
    .flatMap((name) => parseCases(readFileSync(join(folder, name), "utf8"), name.slice(0, -".cases".length)));
}

function parseCases(text: string, topic: string): Case[] {
  const parts = text.split(/^=== /m).slice(1);
  return parts.map((part) => {
    const [head = "", ...sections] = part.split(/^--- /m);
    const [title = "", ...lines] = head.split("\n");
    const [name = "", ids = ""] = title.split("|").map((word) => word.trim());
    try {
      return { name, topic, ids: ids.split(/\s+/).filter(Boolean), ...parseSettings(lines), files: sections.map(parseSection) };
    } catch (error) {
      throw new Error(`${topic}.cases: ${name}: ${(error as Error).message}`, { cause: error });
    }
  });
}

function parseSettings(lines: readonly string[]): Pick<Case, "options" | "fails" | "needs"> {
  const all = lines.flatMap((line) => {
    const match = /^(build-arg|label|target|file|network|host|shm-size|ulimit|flags|context|fails|needs): *(.*)$/.exec(line);
    return match ? [[match[1] ?? "", match[2] ?? ""] as const] : [];
  });
  const values = (key: string) => all.filter(([name]) => name === key).map(([, value]) => value);
  const pairs = (key: string) =>
    values(key).map((value) => [value.slice(0, value.indexOf("=")), value.slice(value.indexOf("=") + 1)] as const);
  const [target] = values("target");
  const [network] = values("network");
  const [shm] = values("shm-size");
  const [fails] = values("fails");
  const [remote] = values("context");
  return {
    options: {
      buildArgs: Object.fromEntries(pairs("build-arg")),
      labels: Object.fromEntries(pairs("label")),
      dockerfile: values("file")[0] ?? "Dockerfile",
      hosts: pairs("host").map(([host, ip]) => ({ host, ip })),
      ulimits: pairs("ulimit").map(([name, value]) => {
        const [soft = 0, hard = soft] = value.split(":").map(Number);
        return { name, soft, hard };
      }),
      more: values("flags").flatMap((line) => line.split(" ").filter(Boolean)),
      ...(remote === undefined ? {} : { remote }),
      ...(target === undefined ? {} : { target }),
      ...(network === "none" || network === "host" ? { network } : {}),
      ...(shm === undefined ? {} : { shmSizeBytes: Number(shm) }),
    },
    needs: values("needs")[0],
    fails: fails?.split(";").map((words) => words.trim()),
  };
}

function parseSection(section: string): FileSpec {
  const end = section.indexOf("\n");
  const head = end < 0 ? section : section.slice(0, end);
  const body = end < 0 ? "" : section.slice(end + 1);
  const link = /^(\S+) (->|=>) (.*)$/.exec(head);
  if (link) return { path: link[1] ?? "", kind: link[2] === "->" ? "symlink" : "link", target: link[3] ?? "" };
  const words = head
    .trim()
    .split(/ (?=\S+$)/)
    .flatMap((word, index, both) => (index === 0 && both.length > 1 ? word.split(/ (?=[0-7]{4}$)/) : [word]));
  const form = ["escaped", "base64", "archive", "fifo", "socket"].find((name) => words.at(-1) === name && words.length > 1);
  if (form !== undefined) words.pop();
  const mode = words.length > 1 && /^[0-7]{4}$/.test(words.at(-1) ?? "") ? Number.parseInt(words.pop() ?? "", 8) : undefined;
  const path = words.join(" ");
  const common = { path: path.replace(/\/$/, ""), ...(mode === undefined ? {} : { mode }) };
  if (path.endsWith("/")) return { ...common, kind: "folder" };
  if (form === "fifo" || form === "socket") return { ...common, kind: form };
  if (form === "archive") return { ...common, kind: "archive", content: Buffer.from(body) };
  if (form === "base64") return { ...common, kind: "file", content: Buffer.from(body, "base64") };
  if (form === "escaped") {
    const text: unknown = JSON.parse(`"${body.replace(/\n/g, "")}"`);
    return { ...common, kind: "file", content: Buffer.from(String(text)) };
  }
  return { ...common, kind: "file", content: Buffer.from(body) };
}
