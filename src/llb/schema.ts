import { boolean, booleanMap, bytes, choice, embedded, enumeration, integer, message, messageMap, packedIntegers, presentInteger, repeated, repeatedBytes, repeatedText, text, textMap } from "./codec.ts";
import type {
  CdiDevice,
  ExecMeta,
  ExecOp,
  FileMkDir,
  FileRm,
  Input,
  Mount,
  MountCredential,
  OpMetadata,
  OpPlatform,
  Position,
  ProxyEnv,
  SecretEnv,
  SourceInfo,
  SourceOp,
} from "./types.ts";

/*
 * The tables of BuildKit's solver/pb/ops.proto: field names to numbers. Where the values of types.ts have another shape
 * than the protobuf's (its `oneof`s), the table is of a wire shape declared here; op.ts converts.
 */

/** `byID` and `byName` are a oneof. */
export interface WireUser {
  readonly byName?: { readonly name: string; readonly input: number };
  readonly byId?: number;
}
export interface WireOwner {
  readonly user?: WireUser;
  readonly group?: WireUser;
}
const wireUser = message<WireUser>("UserOpt", {
  byName: choice(1, message<{ readonly name: string; readonly input: number }>("NamedUserOpt", { name: text(1), input: integer(2) })),
  byId: presentInteger(2),
});
const owner = message<WireOwner>("ChownOpt", { user: embedded(1, wireUser), group: embedded(2, wireUser) });

export interface WireCopy {
  readonly src: string;
  readonly dest: string;
  readonly owner?: WireOwner;
  readonly mode: number;
  readonly followSymlink: boolean;
  readonly dirCopyContents: boolean;
  readonly attemptUnpack: boolean;
  readonly createDestPath: boolean;
  readonly allowWildcard: boolean;
  readonly allowEmptyWildcard: boolean;
  readonly timestamp: number;
  readonly includePatterns: readonly string[];
  readonly excludePatterns: readonly string[];
  readonly alwaysReplaceExistingDestPaths: boolean;
  readonly modeStr: string;
  readonly requiredPaths: readonly string[];
}
const copy = message<WireCopy>("FileActionCopy", {
  src: text(1),
  dest: text(2),
  owner: embedded(3, owner),
  mode: integer(4),
  followSymlink: boolean(5),
  dirCopyContents: boolean(6),
  attemptUnpack: boolean(7),
  createDestPath: boolean(8),
  allowWildcard: boolean(9),
  allowEmptyWildcard: boolean(10),
  timestamp: integer(11),
  includePatterns: repeatedText(12),
  excludePatterns: repeatedText(13),
  alwaysReplaceExistingDestPaths: boolean(14),
  modeStr: text(15),
  requiredPaths: repeatedText(16),
});

export interface WireMkFile {
  readonly path: string;
  readonly mode: number;
  readonly data: Uint8Array;
  readonly owner?: WireOwner;
  readonly timestamp: number;
}
export interface WireSymlink {
  readonly oldPath: string;
  readonly newPath: string;
  readonly owner?: WireOwner;
  readonly timestamp: number;
}
export type WireMkDir = Omit<FileMkDir, "owner"> & { readonly owner?: WireOwner };

/** The action's kinds are a oneof. */
export interface WireAction {
  readonly input: number;
  readonly secondaryInput: number;
  readonly output: number;
  readonly copy?: WireCopy;
  readonly mkfile?: WireMkFile;
  readonly mkdir?: WireMkDir;
  readonly rm?: FileRm;
  readonly symlink?: WireSymlink;
}
const action = message<WireAction>("FileAction", {
  input: integer(1),
  secondaryInput: integer(2),
  output: integer(3),
  copy: choice(4, copy),
  mkfile: choice(5, message<WireMkFile>("FileActionMkFile", { path: text(1), mode: integer(2), data: bytes(3), owner: embedded(4, owner), timestamp: integer(5) })),
  mkdir: choice(6, message<WireMkDir>("FileActionMkDir", { path: text(1), mode: integer(2), makeParents: boolean(3), owner: embedded(4, owner), timestamp: integer(5) })),
  rm: choice(7, message<FileRm>("FileActionRm", { path: text(1), allowNotFound: boolean(2), allowWildcard: boolean(3) })),
  symlink: choice(8, message<WireSymlink>("FileActionSymlink", { oldPath: text(1), newPath: text(2), owner: embedded(3, owner), timestamp: integer(4) })),
});

const credential = message<MountCredential>("SecretOpt", { id: text(1), uid: integer(2), gid: integer(3), mode: integer(4), optional: boolean(5) });
const mount = message<Mount>("Mount", {
  input: integer(1),
  selector: text(2),
  dest: text(3),
  output: integer(4),
  readonly: boolean(5),
  type: enumeration(6, ["bind", "secret", "ssh", "cache", "tmpfs"]),
  tmpfs: embedded(19, message<{ readonly size: number }>("TmpfsOpt", { size: integer(1) })),
  cache: embedded(20, message<NonNullable<Mount["cache"]>>("CacheOpt", { id: text(1), sharing: enumeration(2, ["shared", "private", "locked"]) })),
  secret: embedded(21, credential),
  ssh: embedded(22, credential),
  resultId: text(23),
  contentCache: enumeration(24, ["default", "on", "off"]),
});

const proxyEnv = message<ProxyEnv>("ProxyEnv", { httpProxy: text(1), httpsProxy: text(2), ftpProxy: text(3), noProxy: text(4), allProxy: text(5) });
const meta = message<ExecMeta>("Meta", {
  args: repeatedText(1),
  env: repeatedText(2),
  cwd: text(3),
  user: text(4),
  proxyEnv: embedded(5, proxyEnv),
  extraHosts: repeated(6, message<{ readonly host: string; readonly ip: string }>("HostIP", { host: text(1), ip: text(2) })),
  hostname: text(7),
  ulimit: repeated(9, message<{ readonly name: string; readonly soft: number; readonly hard: number }>("Ulimit", { name: text(1), soft: integer(2), hard: integer(3) })),
  cgroupParent: text(10),
  removeMountStubsRecursive: boolean(11),
  validExitCodes: packedIntegers(12),
});

/** `meta` is required by us, optional on the wire. */
export type WireExec = Omit<ExecOp, "meta"> & { readonly meta?: ExecMeta };
const exec = message<WireExec>("ExecOp", {
  meta: embedded(1, meta),
  mounts: repeated(2, mount),
  network: enumeration(3, ["unset", "host", "none"]),
  security: enumeration(4, ["sandbox", "insecure"]),
  secretEnv: repeated(5, message<SecretEnv>("SecretEnv", { id: text(1), name: text(2), optional: boolean(3) })),
  cdiDevices: repeated(6, message<CdiDevice>("CDIDevice", { name: text(1), optional: boolean(2) })),
});

/** One number in a message of its own (MergeInput, LowerDiffInput, UpperDiffInput). */
export interface WireIndex {
  readonly input: number;
}
const index = message<WireIndex>("input index", { input: integer(1) });

/** `exec` to `diff` are a oneof; none of them is set in the terminal op. */
export interface WireOp {
  readonly inputs: readonly Input[];
  readonly exec?: WireExec;
  readonly source?: SourceOp;
  readonly file?: { readonly actions: readonly WireAction[] };
  readonly build?: object;
  readonly merge?: { readonly inputs: readonly WireIndex[] };
  readonly diff?: { readonly lower?: WireIndex; readonly upper?: WireIndex };
  readonly passthrough?: object;
  readonly platform?: OpPlatform;
  readonly constraints?: { readonly filter: readonly string[] };
}
/** Op. The kinds that Varve does not run (build, passthrough) are read far enough to be named. */
export const wireOp = message<WireOp>("Op", {
  inputs: repeated(1, message<Input>("Input", { digest: text(1) as never, index: integer(2) })),
  exec: choice(2, exec),
  source: choice(3, message<SourceOp>("SourceOp", { identifier: text(1), attrs: textMap(2) })),
  file: choice(4, message<{ readonly actions: readonly WireAction[] }>("FileOp", { actions: repeated(2, action) })),
  build: choice(5, message<object>("BuildOp", {}, [1, 2, 3, 4])),
  merge: choice(6, message<{ readonly inputs: readonly WireIndex[] }>("MergeOp", { inputs: repeated(1, index) })),
  diff: choice(7, message<{ readonly lower?: WireIndex; readonly upper?: WireIndex }>("DiffOp", { lower: embedded(1, index), upper: embedded(2, index) })),
  passthrough: choice(8, message<object>("PassthroughOp", {}, [1, 2])),
  platform: embedded(
    10,
    message<OpPlatform>("Platform", { architecture: text(1), os: text(2), variant: text(3), osVersion: text(4), osFeatures: repeatedText(5) }),
  ),
  constraints: embedded(11, message<{ readonly filter: readonly string[] }>("WorkerConstraints", { filter: repeatedText(1) })),
});

const metadata = message<OpMetadata>("OpMetadata", {
  ignoreCache: boolean(1),
  description: textMap(2),
  exportCache: embedded(4, message<{ readonly value: boolean }>("ExportCache", { value: boolean(1) })),
  caps: booleanMap(5),
  progressGroup: embedded(6, message<NonNullable<OpMetadata["progressGroup"]>>("ProgressGroup", { id: text(1), name: text(2), weak: boolean(3) })),
});

const position = message<Position>("Position", { line: integer(1), character: integer(2) });
/** Positions may be left out on the wire: all zero. */
export interface WireLocation {
  readonly sourceIndex: number;
  readonly ranges: readonly { readonly start?: Position; readonly end?: Position }[];
}
const location = message<WireLocation>("Location", {
  sourceIndex: integer(1),
  ranges: repeated(2, message<WireLocation["ranges"][number]>("Range", { start: embedded(1, position), end: embedded(2, position) })),
});

export interface WireDefinition {
  readonly def: readonly Uint8Array[];
  readonly metadata: Readonly<Record<string, OpMetadata>>;
  readonly source?: {
    readonly locations: Readonly<Record<string, { readonly locations: readonly WireLocation[] }>>;
    readonly infos: readonly SourceInfo[];
  };
}
/** Definition. How a source file itself was fetched (SourceInfo.definition) is not kept. */
export const wireDefinition = message<WireDefinition>("Definition", {
  def: repeatedBytes(1),
  metadata: messageMap(2, metadata),
  source: embedded(
    3,
    message<NonNullable<WireDefinition["source"]>>("Source", {
      locations: messageMap(1, message<{ readonly locations: readonly WireLocation[] }>("Locations", { locations: repeated(1, location) })),
      infos: repeated(2, message<SourceInfo>("SourceInfo", { filename: text(1), data: bytes(2), language: text(4) }, [3])),
    }),
  ),
});

/** What stands for a vertex of which nothing is known. */
export const noMetadata: OpMetadata = { ignoreCache: false, description: {}, caps: {} };
