/**
 * Changes of files of this machine, as the kernel tells them: trees of folders and single files, those to come among them. Never
 * reads a file's content, and never says what a change means.
 */
export { watchFiles, type FileWatch, type FileWatchOptions } from "./watch-files.ts";
export { listFiles } from "./list-files.ts";
