import { resolve } from "node:path";
import type { Difference, Verification } from "../../engine/index.ts";
import { VarveError } from "../../errors/index.ts";
import { readBuildInput } from "../build/context.ts";
import { parseAgents, parseSecrets } from "../build/credentials.ts";
import { defineCommand } from "../command.ts";
import { nonEmpty, optional } from "../store.ts";
import { createProgress } from "../progress/create-progress.ts";
import { watch } from "../progress/watch.ts";

export const verify = defineCommand({
  usage: "[OPTIONS] IMAGE",
  flags: {
    builder: { kind: "string", help: "Builder to work with (default: BUILDX_BUILDER, or with buildx the one in use)" },
    context: { kind: "string", help: "The build context, where the record does not know it or it moved" },
    file: { kind: "string", short: "f", help: "The Dockerfile, where the record does not know it or it moved" },
    format: { kind: "string", help: 'Format the result: "text" or "json" (default "text")' },
    progress: { kind: "string", help: 'Set type of progress output ("plain", "quiet"; default "plain")' },
    rebuild: { kind: "bool", help: "Build the image again from the record of its build, and compare the bytes" },
    record: { kind: "string", help: "The build to repeat (default: the last one that made the image)" },
    secret: { kind: "list", help: "Secret to expose to the build, as for build" },
    ssh: { kind: "list", help: "SSH agent socket or keys to expose to the build, as for build" },
  },
  args: { min: 1, max: 1 },
  async run({ flags, args: [name = ""], io, openStore }) {
    if (flags.rebuild !== true)
      throw new VarveError("USAGE", "verify needs to be told how", { hint: "--rebuild builds the image again" });
    const { format = "text", progress = "plain" } = flags;
    if (format !== "text" && format !== "json")
      throw new VarveError("USAGE", `invalid format ${format}`, { hint: "there are text and json" });
    if (progress !== "plain" && progress !== "quiet")
      throw new VarveError("USAGE", `invalid progress mode ${progress}`, { hint: "there are plain and quiet" });
    const place = nonEmpty(flags.context);
    const given = place === undefined ? undefined : await readBuildInput(place, nonEmpty(flags.file), io);
    const file = nonEmpty(flags.file);
    const [secrets, ssh] = [await parseSecrets(flags.secret, io), await parseAgents(flags.ssh, io)];
    const store = await openStore();
    const { id } = await store.images.inspect(name);
    const index = await store.images.indexOf(name);
    const result = await watch(createProgress(progress, io), io, async (onEvent) =>
      store.verify(index ?? id, {
        ...optional("record", nonEmpty(flags.record)),
        ...optional("context", given?.context),
        ...optional("dockerfile", file === undefined ? undefined : (given?.dockerfile ?? { path: resolve(io.cwd, file) })),
        secrets,
        ssh,
        signal: io.signal,
        onEvent,
      }),
    );
    io.stdout.print(format === "json" ? `${JSON.stringify(result, undefined, 2)}\n` : describeVerification(result));
    return result.agrees ? 0 : 1;
  },
});

/** What a verification found, for people: layer by layer, path by path. */
export function describeVerification({
  image,
  rebuilt,
  ref,
  rebuiltRef,
  agrees,
  layers,
  platforms,
  differences,
  total,
  notes,
}: Verification): string {
  const head = `Image:    ${image}\nBuilt by: ${ref}\nRebuilt:  ${rebuilt} (${rebuiltRef})\n`;
  const compared = `the config and ${layers === 1 ? "1 layer" : `${layers} layers`}`;
  if (agrees)
    return `${head}The bytes agree: ${platforms === undefined ? compared : `${compared.replace("config", "configs")} of ${platforms.join(", ")}`}.\n`;
  const lines = [`${head}The bytes differ:\n`];
  let place: string | undefined;
  for (const difference of differences) {
    const { layer, step = "", platform } = difference;
    const part =
      layer === undefined
        ? "config"
        : `layer ${layer + 1}${platform === undefined ? ` of ${layers}` : ""}${step === "" ? "" : `: ${step}`}`;
    const heading = platform === undefined ? part : `${platform}, ${part}`;
    if (heading !== place) lines.push(`  ${heading}\n`);
    place = heading;
    lines.push(`    ${describeDifference(difference)}\n`);
  }
  if (total > differences.length) lines.push(`  and ${total - differences.length} more\n`);
  return lines.join("") + notes.map((note) => `Note: ${note}\n`).join("");
}

function describeDifference({ path, field, image, rebuilt }: Difference): string {
  if (field === "entry") return `${path ?? ""}: only in the ${image === undefined ? "rebuilt image" : "image"}`;
  return `${path === undefined ? "" : `${path}: `}${field}: ${image ?? "(none)"} → ${rebuilt ?? "(none)"}`;
}
