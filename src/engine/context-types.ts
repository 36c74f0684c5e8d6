import type { BuildOptions } from "./types.ts";

export interface ContextFilesOptions extends Pick<
  BuildOptions,
  "context" | "dockerfile" | "target" | "buildArgs" | "platforms" | "pull"
> {
  /** Look at files that the ignore file leaves out, too. Default false: whole folders of them are passed over. */
  readonly excluded?: boolean;
  readonly signal?: AbortSignal;
}

/** What becomes of the files of a build context. */
export interface ContextFiles {
  /** Name of the ignore file that was used. */
  readonly ignoreFile: string | undefined;
  /** The stage that the steps are of, with those that it needs; undefined when it has no name. */
  readonly target: string | undefined;
  /** The largest first. No folders, but everything else. */
  readonly files: readonly ContextFile[];
  /** What lies below each folder of the files that steps read, the largest first. */
  readonly folders: readonly { readonly path: string; readonly files: number; readonly sizeBytes: number }[];
  readonly totals: Readonly<Record<ContextFile["state"], { readonly files: number; readonly sizeBytes: number }>>;
  /** Base images whose config could not be had: what their ONBUILD instructions read is not known. */
  readonly unknownImages: readonly string[];
}

export interface ContextFile {
  /** From the context's root, without a slash before it. */
  readonly path: string;
  readonly sizeBytes: number;
  /** `read` by a step; `unread` though it could be; `excluded` by the ignore file. */
  readonly state: "read" | "unread" | "excluded";
  /** The rule of the ignore file that decided, be it that it excludes or (with `!`) takes back; undefined when none spoke of the file. */
  readonly rule: { readonly pattern: string; readonly line: number } | undefined;
  /** The steps that read it, in the order of the Dockerfile, with their first lines. */
  readonly steps: readonly { readonly name: string; readonly line: number | undefined }[];
}
