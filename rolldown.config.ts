import { defineConfig } from "rolldown";

/**
 * The JavaScript of the package: a tiny entry for the command line and chunks that load when they are needed. A file for
 * each source file would cost a cached build half of its time. Types come from tsc.
 */
export default defineConfig({
  input: {
    "cli/main": "src/cli/main.ts",
    "engine/index": "src/engine/index.ts",
    "engine/worker-entry": "src/engine/worker-entry.ts",
    "dockerfile/index": "src/dockerfile/index.ts",
    "llb/index": "src/llb/index.ts",
    "oci/index": "src/oci/index.ts",
    "tar/index": "src/tar/index.ts",
    "registry/index": "src/registry/index.ts",
  },
  platform: "node",
  external: ["koffi", "smol-toml"],
  output: { dir: "dist", format: "esm", entryFileNames: "[name].js", chunkFileNames: "chunks/[name]-[hash].js" },
});
