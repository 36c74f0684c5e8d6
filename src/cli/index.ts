/**
 * The command line: arguments in, text and an exit code out. The only room that prints, reads the environment and sets
 * exit codes. It decides nothing about images: every command is a call of the engine and a rendering of its answer.
 */
export { commandReference } from "./command-reference.ts";
export type { Io, InputStream, OutputStream } from "./io.ts";
