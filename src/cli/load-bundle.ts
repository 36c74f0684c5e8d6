import type { Module as ModuleType } from "node:module";
import module from "node:module";

export interface BundleOptions {
  /** Where compiled code is kept. It runs as this process: nobody else may be able to write there. */
  readonly cacheFolder: string | undefined;
  /** Whether this run is one whose functions the next ones will need. */
  readonly learn: boolean;
}

/** A run knows what it called itself only: after so many it is taken that what is needed has been seen. */
const lessons = 3;
const digestBytes = 32;

/**
 * Runs a CommonJS bundle of this package with the code that V8 compiled in earlier runs: all functions that they called, which is
 * what Node's own compile cache leaves out and most of a short run's time. A cache that is damaged, of another bundle or of
 * another V8 is not used. The bundle must not use `import()`. Returns what it exports.
 */
export function loadBundle(path: string, { cacheFolder, learn }: BundleOptions): unknown {
  // Node's modules by require: an import would make each name that they have, and load what stands behind it
  const require = module.createRequire(path);
  if (cacheFolder === undefined || process.env["NODE_DISABLE_COMPILE_CACHE"]) return require(path);
  const fs = require("node:fs") as typeof import("node:fs");
  const vm = require("node:vm") as typeof import("node:vm");
  const { hash } = require("node:crypto") as typeof import("node:crypto");

  const source = fs.readFileSync(path, "latin1"); // the bundle is ASCII
  const cachePath = `${cacheFolder}/${process.version}-${process.arch}-${hash("sha256", source).slice(0, 32)}`;
  const known = readCache();
  const script = new vm.Script(module.wrap(source), {
    filename: path,
    ...(known === undefined ? {} : { cachedData: known.code }),
  });
  const learned = script.cachedDataRejected === true ? 0 : (known?.learned ?? 0);
  if (learn && learned < lessons) process.once("exit", (code) => code === 0 && writeCache(learned + 1));

  const loaded = new (module as unknown as typeof ModuleType)(path);
  loaded.filename = path;
  require.cache[path] = loaded; // for its own later chunks
  const run = script.runInThisContext() as (...names: unknown[]) => void;
  run.call(loaded.exports, loaded.exports, require, loaded, path, path.slice(0, path.lastIndexOf("/")));
  loaded.loaded = true;
  return loaded.exports;

  /** A cache file is the digest of the rest, how many runs it has seen, and V8's code. */
  function readCache(): { readonly learned: number; readonly code: Buffer } | undefined {
    let bytes: Buffer;
    try {
      bytes = fs.readFileSync(cachePath);
    } catch {
      return undefined; // what cannot be read is compiled again
    }
    const rest = bytes.subarray(digestBytes);
    const isWhole = rest.length > 1 && hash("sha256", rest, "buffer").equals(bytes.subarray(0, digestBytes));
    return isWhole ? { learned: rest[0] ?? 0, code: rest.subarray(1) } : undefined;
  }

  function writeCache(count: number): void {
    const rest = Buffer.concat([Buffer.of(count), script.createCachedData()]);
    const aside = `${cachePath}.${process.pid}`;
    try {
      fs.mkdirSync(cacheFolder ?? "", { recursive: true, mode: 0o700 });
      fs.writeFileSync(aside, Buffer.concat([hash("sha256", rest, "buffer"), rest]), { mode: 0o600 });
      fs.renameSync(aside, cachePath);
    } catch {
      fs.rmSync(aside, { force: true }); // a full or read-only disk costs speed alone
    }
  }
}
