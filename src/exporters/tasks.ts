import { task } from "../worker/index.ts";

export interface FilesParams {
  /** Folders of the snapshots, bottom first. */
  readonly lowers: readonly string[];
  /** The tar file to write, or the folder to write into. */
  readonly dest: string;
}

export interface FilesProgress {
  /** Bytes written so far. */
  readonly current: number;
}

/** Writes a root's files as one tar. */
export const tarTask = task<FilesParams, void, FilesProgress>("exporters.tar");

/** Copies a root's files into a folder, as the user's own. */
export const folderTask = task<FilesParams, void, FilesProgress>("exporters.folder");
