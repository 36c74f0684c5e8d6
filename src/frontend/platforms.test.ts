import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDockerfile } from "../dockerfile/index.ts";
import { loadGraph, mergeGraphs } from "../llb/index.ts";
import { parseDigest, parsePlatform, type Platform } from "../oci/index.ts";
import { compileDockerfile } from "./compile.ts";

const amd64 = parsePlatform("linux/amd64");

/** One Dockerfile for several platforms: the merged graph, and what it is named. */
async function compile(text: string, platforms: readonly Platform[]) {
  const asked: string[] = [];
  const { dockerfile } = parseDockerfile(new TextEncoder().encode(text), { file: "Dockerfile" });
  const results = [];
  for (const platform of platforms) {
    const compiled = await compileDockerfile(
      dockerfile,
      {
        platform,
        buildPlatform: amd64,
        multiPlatform: true,
        resolveImage: async (reference, request) => {
          asked.push(`${reference.path} ${request.platform.os}/${request.platform.architecture}`);
          const { os, architecture } = request.platform;
          const digest = parseDigest(`sha256:${"a".repeat(64)}`);
          return { reference, digest, config: { os, architecture, config: {}, rootfs: { type: "layers", diff_ids: [digest] } } };
        },
      },
      { signal: new AbortController().signal },
    );
    results.push(compiled);
  }
  const graph = mergeGraphs(results.map(({ definition }) => loadGraph(definition)));
  const names = [...graph.vertices.values()].map(({ metadata }) => metadata.description["llb.customname"] ?? "");
  return { graph, names, asked, results };
}

test("B20 S09 what platforms share is one vertex of the merged graph, with the first one's name; the rest is there for each", async () => {
  const text = [
    "FROM --platform=$BUILDPLATFORM a AS build",
    "RUN shared",
    "ARG TARGETARCH",
    "RUN compile $TARGETARCH",
    "FROM b",
    "COPY --from=build /out /",
  ].join("\n");
  const { graph, names, asked } = await compile(
    text,
    ["linux/amd64", "linux/arm64", "linux/arm/v7"].map((name) => parsePlatform(name)),
  );
  const short = names.map((name) => name.replace(/@sha256:a+/, "").replace("docker.io/library/", "")).toSorted();
  assert.deepEqual(short, [
    "[linux/amd64 build 1/3] FROM a:latest",
    "[linux/amd64 build 2/3] RUN shared",
    "[linux/amd64 build 3/3] RUN compile amd64",
    "[linux/amd64 stage-1 1/2] FROM b:latest",
    "[linux/amd64 stage-1 2/2] COPY --from=build /out /",
    "[linux/amd64->arm/v7 build 3/3] RUN compile arm",
    "[linux/amd64->arm64 build 3/3] RUN compile arm64",
    "[linux/arm/v7 stage-1 1/2] FROM b:latest",
    "[linux/arm/v7 stage-1 2/2] COPY --from=build /out /",
    "[linux/arm64 stage-1 1/2] FROM b:latest",
    "[linux/arm64 stage-1 2/2] COPY --from=build /out /",
  ]);
  assert.equal(new Set(graph.results.map((result) => result?.digest)).size, 3);
  assert.deepEqual(asked.toSorted(), [
    "library/a linux/amd64",
    "library/a linux/amd64",
    "library/a linux/amd64",
    "library/b linux/amd64",
    "library/b linux/arm",
    "library/b linux/arm64",
  ]);
});

test("B20 platforms with one result are one vertex, and an empty result is none", async () => {
  const platforms = ["darwin/arm64", "windows/amd64"].map((name) => parsePlatform(name));
  const same = await compile("FROM scratch\nCOPY a /\n", platforms);
  assert.equal(same.graph.results[0]?.digest, same.graph.results[1]?.digest);
  assert.deepEqual(
    same.results.map(({ image }) => [image.os, image.architecture]),
    [
      ["darwin", "arm64"],
      ["windows", "amd64"],
    ],
  );
  const empty = await compile("FROM scratch\nLABEL a=b\n", platforms);
  assert.deepEqual([empty.graph.vertices.size, empty.graph.results], [0, [undefined, undefined]]);
});

test("I12 the working directory of a Windows image is written with backslashes", async () => {
  const { results } = await compile("FROM scratch\nWORKDIR /a\nWORKDIR b\nCOPY x .\n", [parsePlatform("windows/amd64"), amd64]);
  assert.deepEqual(
    results.map(({ image }) => [image.config?.WorkingDir, image.history?.map((entry) => entry.created_by)]),
    [
      ["\\a\\b", ["WORKDIR /a", "WORKDIR /a/b", "COPY x . # buildkit"]],
      ["/a/b", ["WORKDIR /a", "WORKDIR /a/b", "COPY x . # buildkit"]],
    ],
  );
});
