import { readFileSync } from "node:fs";
import { defineConfig, type Plugin } from "rolldown";

const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };

/**
 * The JavaScript of the package; types come from tsc. What users of the library import are ES modules in chunks. The command
 * line and the worker are bundles of their own in CommonJS, where what a build needs is one file: resolving and linking
 * modules, and the ES faces of Node's own, would cost a build that is all cached half of its time.
 */
const shared = { platform: "node", external: ["koffi", "smol-toml"] } as const;

/** Readable in a stack trace, but nothing to read for Node: no comments, no spaces, one byte for each character. */
const tight = { comments: false, minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } } } as const;

const escapeUnicode: Plugin = {
  name: "escape-unicode",
  generateBundle(_, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== "chunk") continue;
      chunk.code = chunk.code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
    }
  },
};

/** The command line's entry reads nothing else but its bundle. */
const knowVersion: Plugin = {
  name: "know-version",
  resolveId: (name) => (name === "../package/index.ts" ? "\0version" : null),
  load: (id) => (id === "\0version" ? `export const packageVersion = () => ${JSON.stringify(version)};` : null),
};

function bundle(entry: string, together: RegExp) {
  const chunks = `${entry.split("/")[0]}/chunks/[name]-[hash].cjs`;
  return {
    ...shared,
    input: { [entry]: `src/${entry}.ts` },
    preserveEntrySignatures: "allow-extension", // one file, which its later chunks may ask for more
    plugins: [escapeUnicode],
    checks: { ineffectiveDynamicImport: false },
    output: {
      ...tight,
      dir: "dist",
      format: "cjs",
      dynamicImportInCjs: false, // code that comes out of a cache cannot import
      entryFileNames: "[name].cjs",
      chunkFileNames: chunks,
      codeSplitting: { groups: [{ name: "together", test: together }] },
    },
  } as const;
}

export default defineConfig([
  {
    ...shared,
    input: {
      "engine/index": "src/engine/index.ts",
      "dockerfile/index": "src/dockerfile/index.ts",
      "llb/index": "src/llb/index.ts",
      "oci/index": "src/oci/index.ts",
      "tar/index": "src/tar/index.ts",
      "registry/index": "src/registry/index.ts",
    },
    output: { dir: "dist", format: "esm", entryFileNames: "[name].js", chunkFileNames: "chunks/[name]-[hash].js" },
  },
  {
    ...shared,
    input: { "cli/main": "src/cli/main.ts" },
    plugins: [knowVersion],
    external: [/run-process\.ts$/], // for the sources; what is built loads the bundle
    output: { dir: "dist", format: "esm", entryFileNames: "[name].js", codeSplitting: false },
  },
  bundle("cli/run-process", /src\/(cli\/(run-process|commands\/build|progress\/plain)|engine\/index)\.ts$/),
  bundle("engine/container-entry", /src\/engine\/container-entry\.ts$/),
  bundle("containers/root-entry", /src\/containers\/root-entry\.ts$/),
  bundle("containers/copy-entry", /src\/containers\/copy-(entry|request)\.ts$/),
  bundle("networks/forward-entry", /src\/networks\/forward-entry\.ts$/),
  bundle("engine/gc-entry", /src\/engine\/gc-entry\.ts$/),
  bundle("engine/worker-entry", /src\/(engine\/worker-entry|ops\/(exec|file)-task)\.ts$/),
]);
