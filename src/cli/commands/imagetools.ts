import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Digest } from "../../oci/index.ts";
import type { JoinSource, RemoteDocument } from "../../engine/index.ts";
import { VarveError } from "../../errors/index.ts";
import { parseAnnotations } from "../build/annotations.ts";
import { defineCommand } from "../command.ts";
import { writeFileAside } from "../file-aside.ts";
import { formatMetadata } from "../build/report.ts";
import { compileTemplate } from "../format/template.ts";

const builder = { kind: "string", help: "Builder whose registry settings count" } as const;

export const imagetoolsInspect = defineCommand({
  usage: "[OPTIONS] NAME",
  flags: {
    builder,
    format: { kind: "string", help: "Print by a template ({{.Name}}, {{json .Manifest}}, {{json .Image}})" },
    raw: { kind: "bool", help: "Print the manifest as it is" },
  },
  args: { min: 1, max: 1 },
  async run({ flags, args: [name = ""], io, openStore }) {
    if (flags.raw === true && flags.format !== undefined) throw new VarveError("USAGE", "format and raw cannot be used together");
    const render = flags.format === undefined ? undefined : compileTemplate(flags.format, { json: indented });
    const { remoteImages } = await openStore();
    const document = await remoteImages.inspect(name, { signal: io.signal });
    if (flags.raw === true) await io.stdout.write(document.bytes);
    else if (render === undefined) io.stdout.print(describeDocument(document));
    else {
      const found = await remoteImages.configs(name, { signal: io.signal });
      const configs = new Map([...found].map(([platform, config]) => [platform, inSpecOrder(config)]));
      const [only] = configs.values();
      const Image = configs.size > 1 ? Object.fromEntries(configs) : only;
      io.stdout.print(
        render({ name, manifest: manifestOf(document), image: Image, Name: name, Manifest: fields(manifestOf(document)), Image }),
      );
    }
  },
});

/** As buildx prints it; of the template's data as a whole only what JSON shows. */
function indented(value: unknown): string {
  const { name, manifest, image } = (value ?? {}) as {
    readonly name?: unknown;
    readonly manifest?: unknown;
    readonly image?: unknown;
  };
  const shown = name !== undefined && manifest !== undefined ? { name, manifest, image } : withoutFields(value);
  return JSON.stringify(shown, undefined, 2) ?? "null";
}

const configOrder = "created author architecture os os.version os.features variant config rootfs history".split(" ");

/** A config's members in the order of the specification's, as buildx shows them. */
function inSpecOrder(config: object): object {
  const place = (key: string): number => (configOrder.includes(key) ? configOrder.indexOf(key) : configOrder.length);
  return Object.fromEntries(Object.entries(config).toSorted(([left], [right]) => place(left) - place(right)));
}

function manifestOf({ descriptor, manifests, bytes }: RemoteDocument): Readonly<Record<string, unknown>> {
  const { mediaType, digest, size } = descriptor;
  if (manifests === undefined) return { mediaType, digest, size };
  const { annotations } = JSON.parse(Buffer.from(bytes).toString()) as { readonly annotations?: object };
  return { schemaVersion: 2, mediaType, digest, size, manifests, ...(annotations === undefined ? {} : { annotations }) };
}

/** The names of Go's fields, for templates; JSON shows the document's own. */
const goNames: Readonly<Record<string, string>> = { os: "OS", urls: "URLs" };

function fields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fields);
  if (typeof value !== "object" || value === null) return value;
  const named = Object.entries(value).map(([key, member]) => {
    const name = goNames[key] ?? `${key.slice(0, 1).toUpperCase()}${key.slice(1)}`;
    return [name, key === "annotations" ? new Map(Object.entries(member as object)) : fields(member)] as const;
  });
  const made = Object.fromEntries(named);
  originals.set(made, value);
  return made;
}

const originals = new WeakMap<object, object>();

function withoutFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutFields);
  if (value instanceof Map) return Object.fromEntries(value as Map<string, unknown>);
  return typeof value === "object" && value !== null ? (originals.get(value) ?? value) : value;
}

/** In buildx's layout. */
export function describeDocument({ name, descriptor, manifests }: RemoteDocument): string {
  const head = alignColumns([
    ["Name:", name],
    ["MediaType:", descriptor.mediaType],
    ["Digest:", descriptor.digest],
    ...(manifests === undefined
      ? []
      : ([
          ["", ""],
          ["Manifests:", ""],
        ] as const)),
  ]);
  if (manifests === undefined) return head;
  const tagged = name.replace(/@.*$/, "");
  const hasNotes = manifests.some(({ annotations }) => Object.keys(annotations ?? {}).length > 0);
  const width = hasNotes ? 15 : 13;
  const parts = manifests.map(({ mediaType, digest, platform, annotations }) => {
    const { os = "", architecture = "", variant = "" } = platform ?? {};
    const text = [os, architecture, variant].filter((part) => part !== "").join("/");
    const notes = Object.entries(annotations ?? {}).toSorted(([left], [right]) => (left < right ? -1 : 1));
    const rows: readonly (readonly [string, string])[] = [
      ["  Name:", `${tagged}@${digest}`],
      ["  MediaType:", mediaType],
      ...(text === "" ? [] : [["  Platform:", text] as const]),
      ...(notes.length === 0 ? [] : [["  Annotations:", ""] as const]),
    ];
    return alignColumns(rows, width) + alignColumns(notes.map(([key, value]) => [`    ${key}:`, value]));
  });
  return `${head}${parts.join(`${" ".repeat(width)}\n`)}`;
}

function alignColumns(rows: readonly (readonly [label: string, value: string])[], least = 0): string {
  const width = Math.max(least, ...rows.map(([label]) => label.length + 1));
  return rows.map(([label, value]) => `${label.padEnd(width)}${value}\n`).join("");
}

export const imagetoolsCreate = defineCommand({
  usage: "[OPTIONS] [SOURCE...]",
  flags: {
    annotation: { kind: "list", help: "Add annotation to the index (index:key=value, manifest-descriptor[os/arch]:key=value)" },
    append: { kind: "bool", help: "Put the sources behind what the tag stands for now" },
    builder,
    "dry-run": { kind: "bool", help: "Print the result instead of pushing it" },
    file: { kind: "list", short: "f", help: "Read a source (a descriptor or a name) from a file" },
    "metadata-file": { kind: "string", help: "Write the result's descriptor and names to a file" },
    platform: { kind: "csv", short: "p", help: "Take only these platforms" },
    "prefer-index": { kind: "string", bare: "true", help: "With one source, make an index of a manifest (default true)" },
    progress: { kind: "string", help: 'Set type of progress output ("auto", "plain", "quiet", "none")' },
    tag: { kind: "list", short: "t", help: "Names for the result" },
  },
  args: { min: 0, max: Infinity },
  async run({ flags, args, io, openStore }) {
    const sources = [
      ...args.map(readSource),
      ...(await Promise.all(flags.file.map((path) => readSourceFile(resolve(io.cwd, path))))),
    ];
    if (sources.length === 0) throw new VarveError("USAGE", "no sources specified");
    const dryRun = flags["dry-run"] === true;
    if (flags.tag.length === 0 && !dryRun)
      throw new VarveError("USAGE", "no repositories specified, please set a reference in tag or source");
    const { remoteImages } = await openStore();
    const joined = await remoteImages.join({
      sources,
      tags: flags.tag,
      append: flags.append === true,
      annotations: parseAnnotations(flags.annotation),
      preferIndex: !/^(?:0|f|false)$/i.test(flags["prefer-index"] ?? "true"),
      platforms: flags.platform,
      signal: io.signal,
    });
    if (dryRun) {
      io.stdout.print(`${Buffer.from(joined.bytes).toString()}\n`);
      return;
    }
    const quiet = flags.progress === "quiet" || flags.progress === "none";
    await remoteImages.push(joined, flags.tag, {
      signal: io.signal,
      onCopy: (digest, from, to) => quiet || io.stderr.print(`copying ${digest} from ${from} to ${to}\n`),
    });
    for (const tag of flags.tag) if (!quiet) io.stderr.print(`pushed ${joined.descriptor.digest} to ${tag}\n`);
    const file = flags["metadata-file"];
    const metadata = { "containerimage.descriptor": joined.descriptor, "containerimage.digest": joined.descriptor.digest };
    if (file !== undefined)
      await writeFileAside(resolve(io.cwd, file), formatMetadata({ ...metadata, "image.name": flags.tag.join(",") }));
  },
});

/** A name, a digest, or a descriptor in JSON. */
function readSource(text: string): JoinSource {
  if (/^sha256:[0-9a-f]{64}$/.test(text)) return { descriptor: { digest: text as Digest } };
  if (!text.startsWith("{")) return { name: text };
  let descriptor: unknown;
  try {
    descriptor = JSON.parse(text);
  } catch (cause) {
    throw new VarveError("USAGE", "a source is no descriptor: it is no JSON", { cause });
  }
  const { digest } = descriptor as { readonly digest?: unknown };
  if (typeof digest !== "string" || !/^sha256:[0-9a-f]{64}$/.test(digest))
    throw new VarveError("USAGE", "a source is no descriptor: it has no digest");
  const { platform, annotations } = descriptor as {
    platform?: { os: string; architecture: string };
    annotations?: Record<string, string>;
  };
  return {
    descriptor: {
      digest: digest as Digest,
      ...(platform === undefined ? {} : { platform }),
      ...(annotations === undefined ? {} : { annotations }),
    },
  };
}

async function readSourceFile(path: string): Promise<JoinSource> {
  try {
    return readSource((await readFile(path, "utf8")).trim());
  } catch (cause) {
    if (cause instanceof VarveError) throw cause;
    throw new VarveError("FILE_UNREADABLE", `cannot read ${path}`, { cause });
  }
}
