import type { FileFacts } from "./compare-files.ts";

/** Of selections with more files than this no list is kept: 100,000. */
export const maxListedFiles = 100_000;

/** A list of files as text that grows, for comparing with a later one. */
export interface FileList {
  add(file: ListableFile): void;
  /** Undefined when there were more than {@link maxListedFiles}. */
  text(): string | undefined;
}

/** A file as trees list them. */
export interface ListableFile {
  readonly path: string;
  readonly entry: { readonly type: string; readonly mode: number; readonly uid: number; readonly gid: number };
  readonly content: string;
}

/** Starts a list of files. Of digests in `content` only the first 16 digits are kept. */
export function createFileList(): FileList {
  const parts: string[] = [];
  let count = 0;
  return {
    add({ path, entry, content }) {
      count += 1;
      if (count > maxListedFiles) return;
      const mode = entry.mode.toString(8).padStart(4, "0");
      const short = content.replace(/([0-9a-f]{16})[0-9a-f]{48}/g, "$1");
      parts.push(`${path}\0${entry.type}\0${mode}\0${entry.uid}:${entry.gid}\0${short}\0`);
    },
    text: () => (count > maxListedFiles ? undefined : parts.join("")),
  };
}

/** Reads what {@link createFileList} wrote. */
export function readFileList(text: string): FileFacts[] {
  const fields = text.split("\0");
  const files: FileFacts[] = [];
  for (let at = 0; at + 5 <= fields.length; at += 5) {
    const [path = "", type = "", mode = "", owner = "", content = ""] = fields.slice(at, at + 5);
    files.push({ path, type, mode, owner, content });
  }
  return files;
}
