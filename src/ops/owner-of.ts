import type { FileAction, Owner } from "../llb/index.ts";

/** Whom an action gives what it makes; a removal makes nothing. */
export function ownerOf(action: FileAction): Owner | undefined {
  switch (action.kind) {
    case "copy":
      return action.copy.owner;
    case "mkfile":
      return action.mkfile.owner;
    case "mkdir":
      return action.mkdir.owner;
    case "symlink":
      return action.symlink.owner;
    case "rm":
      return undefined;
  }
}
