/**
 * Where Node keeps this program's compiled code from one start to the next: the user's cache folder, for root one of its own.
 * It runs what it finds there, so it must never be a folder that others can write to, as the one for temporary files, Node's
 * default, is. Undefined where there is no such folder.
 */
export function compileCacheFolder(): string | undefined {
  if (process.getuid?.() === 0) return "/var/cache/varve/node";
  const { XDG_CACHE_HOME: cache, HOME: home } = process.env;
  if (cache?.startsWith("/")) return `${cache}/varve/node`;
  return home?.startsWith("/") ? `${home}/.cache/varve/node` : undefined;
}
