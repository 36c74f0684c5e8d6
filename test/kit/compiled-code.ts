/**
 * The variables that tell Node where to keep the compiled code of Varve's sources from one start to the next: the folder that the run
 * gives (scripts/test.sh), so that thousands of starts do not compile the same. Without one nothing is kept.
 */
export function compiledCode(): Readonly<Record<string, string>> {
  const folder = process.env["NODE_COMPILE_CACHE"];
  return folder === undefined ? { NODE_DISABLE_COMPILE_CACHE: "1" } : { NODE_COMPILE_CACHE: folder };
}
