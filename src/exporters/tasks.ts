import { task } from "../worker/index.ts";

/** One root of a result. */
export interface FilesRoot {
  /** Folders of the snapshots, bottom first. */
  readonly lowers: readonly string[];
  /** The folder of its own that it gets in the output: `linux_amd64`. */
  readonly folder?: string;
  /** How errors name it: `linux/amd64`. */
  readonly name: string;
}

export interface FilesParams {
  readonly roots: readonly FilesRoot[];
  /** The tar file to write, or the folder to write into. */
  readonly dest: string;
  /** Seconds since 1970: the time that all files get. */
  readonly mtime?: number;
  /** What is in the folder and in no root is removed. */
  readonly removeOthers?: boolean;
}

export interface FilesProgress {
  /** Bytes written so far. */
  readonly current: number;
}

/** Writes roots' files as one tar. */
export const tarTask = task<FilesParams, void, FilesProgress>("exporters.tar");

/** Copies roots' files into a folder, as the user's own. */
export const folderTask = task<FilesParams, void, FilesProgress>("exporters.folder");
