import type { FileFacts } from "./compare-files.ts";

/** Of selections with more files or folders than this no list is kept: 100,000. */
export const maxListedFiles = 100_000;

/** A list of files as it is kept: files by themselves, and folders whose entries are kept under digests of their own. */
export interface FileList {
  readonly files: readonly FileFacts[];
  /** Digest of a folder's entries, by the folder's path. */
  readonly folders: ReadonlyMap<string, string>;
}

/** Writes a {@link FileList} from what a digest is made of. */
export interface FileListWriter {
  readonly onFile: (file: ListableFile) => void;
  readonly onFolder: (path: string, digest: string, entries: string | undefined) => void;
  /** Undefined when there was too much. */
  text(): string | undefined;
}

/** A file as trees list them. */
export interface ListableFile {
  readonly path: string;
  readonly entry: { readonly type: string; readonly mode: number; readonly uid: number; readonly gid: number };
  readonly content: string;
}

/** `flat`: the entries of folders are listed file by file too. Otherwise `onEntries` is told of them, where they are not remembered. */
export function writeFileList(
  options: { readonly flat: true } | { readonly onEntries: (digest: string, entries: string) => void },
): FileListWriter {
  const files: string[] = [];
  const folders: string[] = [];
  const add = ({ path, type, mode, owner, content }: FileFacts): void =>
    void files.push(`${path}\0${type}\0${mode}\0${owner}\0${shortenDigests(content)}\0`);
  return {
    onFile: ({ path, entry, content }) =>
      add({ path, type: entry.type, mode: octal(entry.mode), owner: `${entry.uid}:${entry.gid}`, content }),
    onFolder(path, digest, entries) {
      if ("flat" in options) {
        if (files.length <= maxListedFiles) for (const file of readEntries(path, entries ?? "")) add(file);
        return;
      }
      folders.push(`${path}\0${digest}\0`);
      if (entries !== undefined) options.onEntries(digest, entries);
    },
    text: () =>
      files.length > maxListedFiles || folders.length > maxListedFiles
        ? undefined
        : `${folders.length}\0${folders.join("")}${files.join("")}`,
  };
}

/** Reads what {@link writeFileList} wrote. */
export function readFileList(text: string): FileList {
  const fields = text.split("\0");
  const count = Number(fields[0]);
  const folders = new Map<string, string>();
  for (let at = 1; at < 1 + 2 * count; at += 2) folders.set(fields[at] ?? "", fields[at + 1] ?? "");
  const files: FileFacts[] = [];
  for (let at = 1 + 2 * count; at + 5 <= fields.length; at += 5) {
    const [path = "", type = "", mode = "", owner = "", content = ""] = fields.slice(at, at + 5);
    files.push({ path, type, mode, owner, content });
  }
  return { files, folders };
}

/** The entries of a folder as its digest counts them (`ContentSink` of the room `tree`). */
export function readEntries(folder: string, entries: string): FileFacts[] {
  const fields = entries.split("\0");
  const files: FileFacts[] = [];
  for (let at = 0; at + 10 <= fields.length; at += 10) {
    const [name = "", type = "", , mode = "", uid = "", gid = "", ...content] = fields.slice(at, at + 10);
    const path = `${folder === "/" ? "" : folder}/${name}`;
    files.push({ path, type, mode: octal(Number(mode)), owner: `${uid}:${gid}`, content: content.join(":") });
  }
  return files;
}

/** Of digests 16 digits are enough to tell that they differ. */
export function shortenDigests(text: string): string {
  return text.replace(/([0-9a-f]{16})[0-9a-f]{48}/g, "$1");
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}
