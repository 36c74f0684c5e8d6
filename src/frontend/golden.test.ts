import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { parseDockerfile } from "../dockerfile/index.ts";
import { loadGraph, type Definition } from "../llb/index.ts";
import { formatReference, type Digest, type ImageConfig, type Platform } from "../oci/index.ts";
import { compileDockerfile, type FrontendOptions } from "./index.ts";

const folder = new URL("../../test/fixtures/llb/", import.meta.url);
const images = readJson("images.json") as Record<string, { readonly digest: Digest; readonly config: ImageConfig } | undefined>;
const cases = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(new URL(path, folder), "utf8"));
}

/** Vertices by number instead of digest, and the facts beside them: what a person can review. */
function describeGraph(definition: Definition): unknown {
  const { vertices, result } = loadGraph(definition);
  const numbers = new Map([...vertices.keys()].map((digest, index) => [digest, index]));
  const place = (input: { readonly digest: string; readonly index: number }): string =>
    `${numbers.get(input.digest as never)}:${input.index}`;
  return {
    result: result === undefined ? null : place(result),
    vertices: [...vertices.values()].map(({ digest, op, metadata, locations }) => ({
      digest,
      name: metadata.description["llb.customname"],
      lines: locations.flatMap(({ ranges }) => ranges.map(({ start }) => start.line)),
      ...(metadata.ignoreCache ? { ignoreCache: true } : {}),
      ...(metadata.progressGroup === undefined ? {} : { progressGroup: metadata.progressGroup }),
      caps: Object.keys(metadata.caps),
      ...op,
      inputs: op.inputs.map(place),
    })),
  };
}

function toText(value: unknown): string {
  const withTexts = (_key: string, part: unknown): unknown =>
    part instanceof Uint8Array ? { text: Buffer.from(part).toString() } : part;
  return `${JSON.stringify(value, withTexts, 1)}\n`;
}

test("there are golden cases", () => assert.ok(cases.length >= 20));

/** Options as JSON has them. */
type RecordedOptions = Omit<Partial<FrontendOptions>, "supportedPlatforms"> & {
  readonly supportedPlatforms?: readonly Platform[];
};

for (const { name } of cases) {
  test(`the Dockerfile "${name}" compiles to the recorded graph and image`, async () => {
    const { supportedPlatforms, ...options } = existsSync(new URL(`${name}/options.json`, folder))
      ? (readJson(`${name}/options.json`) as RecordedOptions)
      : {};
    const { dockerfile } = parseDockerfile(readFileSync(new URL(`${name}/Dockerfile`, folder)), {
      file: "Dockerfile",
    });
    const result = await compileDockerfile(
      dockerfile,
      {
        buildPlatform: { os: "linux", architecture: "amd64" },
        ...options,
        ...(supportedPlatforms === undefined ? {} : { supportedPlatforms: async () => supportedPlatforms }),
        resolveImage: async (reference) => {
          const image = images[formatReference(reference)];
          assert.ok(image, formatReference(reference));
          return { reference, ...image };
        },
      },
      { signal: new AbortController().signal },
    );
    const { image, targetStage, externalImages } = result;
    const warnings = result.warnings.map(
      ({ rule, message, where }) => `${rule}: ${message}${where === undefined ? "" : ` (line ${where.startLine})`}`,
    );
    const outcomes = {
      "llb.json": toText(describeGraph(result.definition)),
      "image.json": toText({
        image,
        targetStage,
        externalImages: externalImages.map(({ reference }) => formatReference(reference)),
        warnings,
      }),
    };
    for (const [file, text] of Object.entries(outcomes)) {
      const url = new URL(`${name}/${file}`, folder);
      if (process.env["VARVE_GOLDEN"] === "write") writeFileSync(url, text);
      assert.equal(text, readFileSync(url, "utf8"));
    }
  });
}
