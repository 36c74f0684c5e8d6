import type { JsonObject } from "./document.ts";
import { encodeGoJson } from "./go-json.ts";
import type { ImageConfig, Index, Manifest } from "./types.ts";

/** How one kind of object is printed: its members in order, which of them vanish when empty, and the shapes below them. */
interface Shape {
  readonly order: readonly string[];
  /** Members that are printed even when empty: those without Go's `omitempty`. */
  readonly always: readonly string[];
  readonly members?: Readonly<Record<string, Shape>>;
  /** Members that are maps: their keys are sorted. */
  readonly maps?: readonly string[];
}

const platform: Shape = {
  order: ["architecture", "os", "os.version", "os.features", "variant"],
  always: ["architecture", "os"],
};
const descriptor: Shape = {
  order: ["mediaType", "digest", "size", "urls", "annotations", "data", "platform", "artifactType"],
  always: ["mediaType", "digest", "size", "platform"],
  members: { platform },
  maps: ["annotations"],
};
const manifest: Shape = {
  order: ["schemaVersion", "mediaType", "artifactType", "config", "layers", "subject", "annotations"],
  always: ["schemaVersion", "config", "layers"],
  members: { config: descriptor, layers: descriptor, subject: descriptor },
  maps: ["annotations"],
};
const index: Shape = {
  order: ["schemaVersion", "mediaType", "artifactType", "manifests", "subject", "annotations"],
  always: ["schemaVersion", "manifests"],
  members: { manifests: descriptor, subject: descriptor },
  maps: ["annotations"],
};
const health: Shape = {
  order: ["Test", "Interval", "Timeout", "StartPeriod", "StartInterval", "Retries"],
  always: [],
};
const container: Shape = {
  order: "User ExposedPorts Env Entrypoint Cmd Volumes WorkingDir Labels StopSignal ArgsEscaped Healthcheck OnBuild Shell".split(
    " ",
  ),
  always: ["Healthcheck"],
  members: { Healthcheck: health },
  maps: ["ExposedPorts", "Volumes", "Labels"],
};
const imageConfig: Shape = {
  // BuildKit patches the config as a map of raw members, so its exporter prints the top level sorted.
  order: ["architecture", "author", "config", "created", "history", "os", "os.features", "os.version", "rootfs", "variant"],
  always: ["architecture", "config", "history", "os", "rootfs"],
  members: {
    config: container,
    rootfs: { order: ["type", "diff_ids"], always: ["type", "diff_ids"] },
    history: { order: ["created", "created_by", "author", "comment", "empty_layer"], always: [] },
  },
};

/** A manifest's bytes as BuildKit writes them: members in the order of Go's structs, indented by two blanks. */
export function serializeManifest(value: Manifest): Uint8Array {
  return Buffer.from(encodeGoJson(arrange(value as unknown as JsonObject, manifest), { indent: 2 }));
}

/** An index's bytes, like {@link serializeManifest}. */
export function serializeIndex(value: Index): Uint8Array {
  return Buffer.from(encodeGoJson(arrange(value as unknown as JsonObject, index), { indent: 2 }));
}

/** An image config's bytes as BuildKit's exporter writes them: compact, the top level sorted, empty members left out. */
export function serializeConfig(value: ImageConfig): Uint8Array {
  const arranged = arrange({ ...value, config: value.config ?? {} }, imageConfig);
  return Buffer.from(encodeGoJson(new Map([...arranged].sort(byKey))));
}

/** The members in the shape's order, then those it does not know, sorted. */
function arrange(value: JsonObject, shape: Shape): Map<string, unknown> {
  const strangers = Object.keys(value)
    .filter((key) => !shape.order.includes(key))
    .sort();
  const members = new Map<string, unknown>();
  for (const key of [...shape.order, ...strangers]) {
    const member = value[key];
    const known = shape.order.includes(key);
    if (member === undefined || (known && !shape.always.includes(key) && isEmpty(member))) continue;
    members.set(
      key,
      shape.maps?.includes(key) ? sortMap(member) : arrangeMember(member, known ? shape.members?.[key] : undefined),
    );
  }
  return members;
}

function arrangeMember(member: unknown, shape: Shape | undefined): unknown {
  if (shape === undefined) return member;
  if (Array.isArray(member)) return member.map((entry: unknown) => arrangeMember(entry, shape));
  return typeof member === "object" && member !== null ? arrange(member as JsonObject, shape) : member;
}

function sortMap(map: unknown): Map<string, unknown> {
  return new Map(Object.entries(map as JsonObject).sort(byKey));
}

/** What Go's `omitempty` leaves out. */
function isEmpty(value: unknown): boolean {
  if (value === null || value === "" || value === 0 || value === false) return true;
  return Array.isArray(value) ? value.length === 0 : typeof value === "object" && Object.keys(value).length === 0;
}

/** Go sorts map keys by their UTF-8 bytes. */
function byKey([a]: [string, unknown], [b]: [string, unknown]): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
