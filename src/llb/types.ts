/**
 * The values of BuildKit's LLB graph (its `ops.proto`), as plain objects. Names follow the protobuf fields in camel
 * case; 64-bit integers are JavaScript numbers; absent optional messages are absent properties; enums are their lower-case
 * names. Default values (0, "", false, []) are written out, so that ops made here and ops decoded compare equal.
 */

/** `sha256:…` of an encoded op: the identity of a vertex. */
export type OpDigest = string & { readonly __opDigest: true };

/** One output of another op. */
export interface Input {
  readonly digest: OpDigest;
  readonly index: number;
}

export interface OpPlatform {
  readonly architecture: string;
  readonly os: string;
  readonly variant: string;
  readonly osVersion: string;
  readonly osFeatures: readonly string[];
}

/** A vertex of the graph. `kind` says which member of the protobuf's `oneof` is set. */
export type Op = {
  readonly inputs: readonly Input[];
  readonly platform?: OpPlatform;
  readonly constraints?: { readonly filter: readonly string[] };
} & (
  | { readonly kind: "exec"; readonly exec: ExecOp }
  | { readonly kind: "source"; readonly source: SourceOp }
  | { readonly kind: "file"; readonly file: FileOp }
  | { readonly kind: "merge"; readonly merge: MergeOp }
  | { readonly kind: "diff"; readonly diff: DiffOp }
);

export interface ExecOp {
  readonly meta: ExecMeta;
  readonly mounts: readonly Mount[];
  readonly network: "unset" | "host" | "none";
  readonly security: "sandbox" | "insecure";
  readonly secretEnv: readonly SecretEnv[];
  readonly cdiDevices: readonly CdiDevice[];
}

export interface ExecMeta {
  readonly args: readonly string[];
  /** `NAME=value`, in order. */
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: string;
  readonly proxyEnv?: ProxyEnv;
  readonly extraHosts: readonly { readonly host: string; readonly ip: string }[];
  readonly hostname: string;
  readonly ulimit: readonly {
    readonly name: string;
    readonly soft: number;
    readonly hard: number;
  }[];
  readonly cgroupParent: string;
  readonly removeMountStubsRecursive: boolean;
  readonly validExitCodes: readonly number[];
}

export interface ProxyEnv {
  readonly httpProxy: string;
  readonly httpsProxy: string;
  readonly ftpProxy: string;
  readonly noProxy: string;
  readonly allProxy: string;
}

export interface SecretEnv {
  readonly id: string;
  readonly name: string;
  readonly optional: boolean;
}

export interface CdiDevice {
  readonly name: string;
  readonly optional: boolean;
}

/** A mount of an exec op. `input` and `output` are indices, −1 for none. `dest` "/" is the root. */
export interface Mount {
  readonly input: number;
  /** Path within the input that is mounted. */
  readonly selector: string;
  readonly dest: string;
  readonly output: number;
  readonly readonly: boolean;
  readonly type: "bind" | "secret" | "ssh" | "cache" | "tmpfs";
  readonly tmpfs?: { readonly size: number };
  readonly cache?: { readonly id: string; readonly sharing: "shared" | "private" | "locked" };
  readonly secret?: MountCredential;
  readonly ssh?: MountCredential;
  readonly resultId: string;
  readonly contentCache: "default" | "on" | "off";
}

export interface MountCredential {
  readonly id: string;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  readonly optional: boolean;
}

/** `identifier` is `docker-image://…`, `local://name`, `git://…`, `https://…`, `oci-layout://…`. */
export interface SourceOp {
  readonly identifier: string;
  readonly attrs: Readonly<Record<string, string>>;
}

export interface FileOp {
  readonly actions: readonly FileAction[];
}

/** Inputs are op inputs when below the number of inputs, else outputs of earlier actions; −1 is none (an empty root). */
export type FileAction = {
  readonly input: number;
  readonly secondaryInput: number;
  readonly output: number;
} & (
  | { readonly kind: "copy"; readonly copy: FileCopy }
  | { readonly kind: "mkfile"; readonly mkfile: FileMkFile }
  | { readonly kind: "mkdir"; readonly mkdir: FileMkDir }
  | { readonly kind: "rm"; readonly rm: FileRm }
  | { readonly kind: "symlink"; readonly symlink: FileSymlink }
);

/** `mode` −1 keeps the source's; `timestamp` is nanoseconds since 1970, −1 keeps the source's. */
export interface FileCopy {
  readonly src: string;
  readonly dest: string;
  readonly owner?: Owner;
  readonly mode: number;
  readonly modeStr: string;
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
  readonly requiredPaths: readonly string[];
}

export interface FileMkFile {
  readonly path: string;
  readonly mode: number;
  readonly data: Uint8Array;
  readonly owner?: Owner;
  readonly timestamp: number;
}

export interface FileMkDir {
  readonly path: string;
  readonly mode: number;
  readonly makeParents: boolean;
  readonly owner?: Owner;
  readonly timestamp: number;
}

export interface FileSymlink {
  readonly oldPath: string;
  readonly newPath: string;
  readonly owner?: Owner;
  readonly timestamp: number;
}

export interface FileRm {
  readonly path: string;
  readonly allowNotFound: boolean;
  readonly allowWildcard: boolean;
}

/** User and group, each by id or by a name that is looked up in the `/etc/passwd` or `/etc/group` of the action's input. */
export interface Owner {
  readonly user?: UserRef;
  readonly group?: UserRef;
}

export type UserRef =
  | { readonly kind: "id"; readonly id: number }
  | { readonly kind: "name"; readonly name: string; readonly input: number };

export interface MergeOp {
  /** Indices of the op's inputs, bottom first. */
  readonly inputs: readonly number[];
}

export interface DiffOp {
  /** Indices of the op's inputs; −1 is an empty root. */
  readonly lower: number;
  readonly upper: number;
}

/** What is known of a vertex beside its identity. */
export interface OpMetadata {
  readonly ignoreCache: boolean;
  /** `llb.customname` and the like. */
  readonly description: Readonly<Record<string, string>>;
  readonly exportCache?: { readonly value: boolean };
  readonly caps: Readonly<Record<string, boolean>>;
  readonly progressGroup?: { readonly id: string; readonly name: string; readonly weak: boolean };
}

/** Where in a source text a vertex comes from. Lines count from 1, characters from 0. */
export interface SourceLocation {
  readonly sourceIndex: number;
  readonly ranges: readonly { readonly start: Position; readonly end: Position }[];
}

export interface Position {
  readonly line: number;
  readonly character: number;
}

export interface SourceInfo {
  readonly filename: string;
  readonly data: Uint8Array;
  readonly language: string;
}

/** A graph on the wire: encoded ops (inputs before users; the last one has no kind and one input, the result), and facts by op digest. */
export interface Definition {
  readonly def: readonly Uint8Array[];
  readonly metadata: Readonly<Record<string, OpMetadata>>;
  readonly source?: {
    readonly locations: Readonly<Record<string, readonly SourceLocation[]>>;
    readonly infos: readonly SourceInfo[];
  };
}

/** A decoded vertex: what solver and ops work on. */
export interface Vertex {
  readonly digest: OpDigest;
  readonly op: Op;
  readonly metadata: OpMetadata;
  readonly locations: readonly SourceLocation[];
}

/** A decoded graph. `result` is undefined for an empty one (FROM scratch with nothing in it). */
export interface Graph {
  /** Inputs stand before their users. */
  readonly vertices: ReadonlyMap<OpDigest, Vertex>;
  readonly result: Input | undefined;
  readonly sources: readonly SourceInfo[];
}
