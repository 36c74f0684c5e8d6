import type { CacheMountInfo } from "../../engine/index.ts";
import { parseMountDestination, parseMountOrigin } from "../cache-mount-places.ts";
import { defineCommand } from "../command.ts";
import { formatAge } from "../format/durations.ts";
import { formatSize } from "../format/sizes.ts";
import { formatTable } from "../format/table.ts";
import { compileTemplate } from "../format/template.ts";
import { createPlainProgress } from "../progress/plain.ts";
import { watch } from "../progress/watch.ts";
import { optional } from "../store.ts";

export const listMounts = defineCommand({
  usage: "[OPTIONS]",
  flags: {
    format: { kind: "string", help: "Print each cache mount by a template, or as json" },
    quiet: { kind: "bool", short: "q", help: "Show refs only" },
  },
  args: { min: 0, max: 0 },
  async run({ flags, io, openStore }) {
    const render = flags.format === undefined || flags.format === "table" ? undefined : compileTemplate(flags.format);
    const store = await openStore();
    const rows = (await store.cacheMounts.list({ signal: io.signal })).map((mount) => mountRow(mount, io.now()));
    if (flags.quiet === true) for (const { Ref } of rows) io.stdout.print(`${Ref}\n`);
    else if (render !== undefined) for (const row of rows) io.stdout.print(`${render(row)}\n`);
    else
      io.stdout.print(
        formatTable(
          ["REF", "ID", "SHARING", "SIZE", "FOLDERS", "LAST USED", "IN USE"],
          rows.map((row) => [row.Ref, row.ID, row.Sharing, row.Size, String(row.Folders), row.LastUsedSince, String(row.InUse)]),
        ),
      );
  },
});

/** A line of `varve cache mounts ls`; the fields are those of its templates. */
function mountRow(mount: CacheMountInfo, nowMs: number) {
  return {
    Ref: mount.ref,
    ID: mount.id === "" ? "<unknown>" : mount.id,
    Sharing: mount.sharing ?? "-",
    Size: formatSize(mount.sizeBytes),
    SizeBytes: mount.sizeBytes,
    Files: mount.files,
    Folders: mount.folders,
    Seeded: mount.seeded,
    LastUsedSince: formatAge(mount.lastUsedMs, nowMs),
    LastUsedAt: new Date(mount.lastUsedMs).toISOString(),
    InUse: mount.inUse,
  };
}

export const removeMounts = defineCommand({
  usage: "ID|REF [ID|REF...]",
  flags: {},
  args: { min: 1, max: Infinity },
  async run({ args, io, openStore }) {
    const store = await openStore();
    const gone = await store.cacheMounts.remove(args, { signal: io.signal });
    for (const { ref } of gone) io.stdout.print(`${ref}\n`);
  },
});

export const pruneMounts = defineCommand({
  usage: "",
  flags: {},
  args: { min: 0, max: 0 },
  async run({ io, openStore }) {
    const store = await openStore();
    const gone = await store.cacheMounts.remove("all", { signal: io.signal });
    for (const { ref } of gone) io.stdout.print(`${ref}\n`);
    const bytes = gone.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    io.stdout.print(`Total reclaimed space: ${formatSize(bytes)}\n`);
  },
});

export const exportMounts = defineCommand({
  usage: "[ID|REF...] type=local,dest=FOLDER | type=tar,dest=FILE|- | type=registry,ref=NAME",
  flags: { quiet: { kind: "bool", short: "q", help: "Show no progress" } },
  args: { min: 1, max: Infinity },
  async run({ flags, args, io, openStore }) {
    const to = parseMountDestination(args.at(-1) ?? "", { cwd: io.cwd, stdout: io.stdout });
    const names = args.slice(0, -1);
    const store = await openStore();
    const options = { to, signal: io.signal, ...(names.length === 0 ? {} : { names }) };
    const report = to.type === "tar" && typeof to.dest !== "string" ? io.stderr : io.stdout;
    const done =
      flags.quiet === true
        ? await store.cacheMounts.export(options)
        : await watch(createPlainProgress({ write: io.stderr.print }), io, async (onEvent) =>
            store.cacheMounts.export({ ...options, onEvent }),
          );
    for (const { id, ref, sizeBytes, packedBytes } of done.mounts)
      report.print(`${id === "" ? ref : id}: ${formatSize(sizeBytes)}, packed ${formatSize(packedBytes)}\n`);
    report.print(`${done.descriptor.digest}\n`);
  },
});

export const importMounts = defineCommand({
  usage: "[OPTIONS] type=local,src=FOLDER | type=tar,src=FILE|- | type=registry,ref=NAME [ID...]",
  flags: {
    quiet: { kind: "bool", short: "q", help: "Show no progress" },
    replace: { kind: "bool", help: "Take the place of cache mounts that have content; default they stay" },
  },
  args: { min: 1, max: Infinity },
  async run({ flags, args: [place = "", ...ids], io, openStore }) {
    const from = parseMountOrigin(place, { cwd: io.cwd, stdin: io.stdin });
    const store = await openStore();
    const options = {
      from,
      signal: io.signal,
      ...optional("replace", flags.replace),
      ...(ids.length === 0 ? {} : { ids }),
    };
    const done =
      flags.quiet === true
        ? await store.cacheMounts.import(options)
        : await watch(createPlainProgress({ write: io.stderr.print }), io, async (onEvent) =>
            store.cacheMounts.import({ ...options, onEvent }),
          );
    const words = { placed: "imported", kept: "kept as it is here", "in use": "in use here, left as it is" };
    for (const { id, outcome } of done) io.stdout.print(`${id}: ${words[outcome]}\n`);
  },
});
