import { existsSync, mkdirSync, readdirSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Bytes and inodes that are kept back: enough for SQLite to open its log and to write what a removal changes. */
const fileBytes = 256 * 1024;
const fileCount = 4;

/**
 * Room on the disk that a store holds for the moment when there is no other: without a few pages of its own the database
 * cannot even be opened, and nothing could be removed from a full disk.
 */
export interface Reserve {
  /** Gives the room back to the file system; false when there is none. */
  release(): boolean;
  /** Takes the room, as far as there is any. */
  fill(): void;
}

export function openReserve(root: string): Reserve {
  const folder = join(root, "reserve");
  const files = Array.from({ length: fileCount }, (_, number) => join(folder, String(number)));
  return {
    release() {
      let released = false;
      for (const file of files) {
        try {
          unlinkSync(file);
          released = true;
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
        }
      }
      return released;
    },
    fill() {
      if (existsSync(folder) && readdirSync(folder).length === fileCount) return;
      let filling = "";
      try {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        for (const file of files) {
          if (existsSync(file)) continue;
          filling = file;
          writeFileSync(file, Buffer.alloc(fileBytes));
        }
      } catch (error) {
        const { code = "" } = error as NodeJS.ErrnoException;
        // a part of it is no use, and a whole one comes when there is room again
        if (filling !== "" && existsSync(filling)) unlinkSync(filling);
        if (!["ENOSPC", "EDQUOT", "ENOENT"].includes(code)) throw error;
      }
    },
  };
}
