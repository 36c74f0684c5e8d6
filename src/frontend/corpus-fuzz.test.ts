import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { parseDockerfile } from "../dockerfile/index.ts";
import { isVarveError } from "../errors/index.ts";
import { loadGraph } from "../llb/index.ts";
import { parseDigest } from "../oci/index.ts";
import { compileDockerfile, type FrontendOptions } from "./index.ts";

const folder = new URL("../../test/fixtures/llb/", import.meta.url);
const corpus = readdirSync(folder, { withFileTypes: true })
  .map(({ name }) => new URL(`${name}/Dockerfile`, folder))
  .filter((path) => existsSync(path))
  .map((path) => readFileSync(path, "utf8"));
const words = [
  "FROM ",
  "AS ",
  "--from=",
  "COPY ",
  "ADD ",
  "RUN --mount=type=bind,",
  "ARG A",
  "ENV A=$A",
  "${A:-x}",
  "${A",
  "/../",
  "*",
  "[",
  "~",
  ":",
  "@",
  "WORKDIR ",
  "USER ",
  "\n",
  "0",
  "scratch",
  "--platform=$X",
  "--chmod=u+",
];
const edit = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), removed: fc.nat(8), word: fc.constantFrom(...words) });
const digest = parseDigest(`sha256:${"1".repeat(64)}`);
const options: FrontendOptions = {
  buildPlatform: { os: "linux", architecture: "amd64" },
  resolveImage: async (reference) => ({
    reference,
    digest,
    config: { os: "linux", architecture: "amd64", config: { OnBuild: ["COPY . /o"] }, rootfs: { type: "layers", diff_ids: [] } },
  }),
};

test(
  "S01 Dockerfiles with words changed compile to a graph that loads, or end in a foreseen error with its place",
  { timeout: 90_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...corpus), fc.array(edit, { minLength: 1, maxLength: 4 }), async (original, edits) => {
        let text = original;
        for (const { at, removed, word } of edits) {
          const place = Math.floor(at * text.length);
          text = text.slice(0, place) + word + text.slice(place + removed);
        }
        try {
          const { dockerfile } = parseDockerfile(Buffer.from(text), { file: "D" });
          loadGraph((await compileDockerfile(dockerfile, options, { signal: new AbortController().signal })).definition);
        } catch (error) {
          assert.ok(
            isVarveError(error) && error.code !== "INTERNAL",
            `${String(error instanceof Error ? error.stack : error)}\n${text}`,
          );
          assert.match(error.code, /^(?:DOCKERFILE|FRONTEND|PLATFORM|REFERENCE|DIGEST)_/);
        }
      }),
      { numRuns: 1_500, interruptAfterTimeLimit: 30_000 },
    );
  },
);
