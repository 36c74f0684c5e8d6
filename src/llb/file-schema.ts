import { message } from "./codec.ts";
import { boolean, bytes, choice, embedded, integer, presentInteger, repeatedText, text } from "./fields.ts";
import type { FileMkDir, FileRm } from "./types.ts";

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
  byName: choice(
    1,
    message<{ readonly name: string; readonly input: number }>("NamedUserOpt", {
      name: text(1),
      input: integer(2),
    }),
  ),
  byId: presentInteger(2),
});
const owner = message<WireOwner>("ChownOpt", {
  user: embedded(1, wireUser),
  group: embedded(2, wireUser),
});

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
/** FileAction of solver/pb/ops.proto. */
export const wireAction = message<WireAction>("FileAction", {
  input: integer(1),
  secondaryInput: integer(2),
  output: integer(3),
  copy: choice(4, copy),
  mkfile: choice(
    5,
    message<WireMkFile>("FileActionMkFile", {
      path: text(1),
      mode: integer(2),
      data: bytes(3),
      owner: embedded(4, owner),
      timestamp: integer(5),
    }),
  ),
  mkdir: choice(
    6,
    message<WireMkDir>("FileActionMkDir", {
      path: text(1),
      mode: integer(2),
      makeParents: boolean(3),
      owner: embedded(4, owner),
      timestamp: integer(5),
    }),
  ),
  rm: choice(
    7,
    message<FileRm>("FileActionRm", {
      path: text(1),
      allowNotFound: boolean(2),
      allowWildcard: boolean(3),
    }),
  ),
  symlink: choice(
    8,
    message<WireSymlink>("FileActionSymlink", {
      oldPath: text(1),
      newPath: text(2),
      owner: embedded(3, owner),
      timestamp: integer(4),
    }),
  ),
});
