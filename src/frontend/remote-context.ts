import { isHttpUrl, parseGitReference, type GitReference } from "../dockerfile/index.ts";
import { plainCopy, type Definition } from "../llb/index.ts";
import { fileNode } from "./file-node.ts";
import { emitDefinition, named, type Output } from "./node.ts";
import { gitSource, httpSource } from "./remote-source.ts";
import type { ContextSource } from "./source-nodes.ts";

/** A build context that is fetched. A URL's file is unpacked, where it is an archive, or is the Dockerfile itself (X03). */
export type RemoteContext =
  | { readonly kind: "git"; readonly url: string; readonly reference: GitReference }
  | { readonly kind: "http"; readonly url: string; readonly unpack: boolean };

/** Under which name the file behind a URL stands in its context. */
export const httpContextFile = "context";

/**
 * What a context's name means when it is no folder (X03, X04); undefined for what is neither a repository nor a URL.
 * `keepGitDir` is BUILDKIT_CONTEXT_KEEP_GIT_DIR (A10).
 */
export function remoteContext(
  text: string,
  { keepGitDir = false }: { readonly keepGitDir?: boolean },
): RemoteContext | undefined {
  const reference = parseGitReference(text);
  if (reference !== undefined) {
    const keeps = keepGitDir || reference.keepGitDir === true;
    return {
      kind: "git",
      url: text,
      reference: {
        ...reference,
        keepGitDir: keeps,
        remote: reference.looksLocal ? `https://${reference.host}${reference.path}` : reference.remote,
      },
    };
  }
  return isHttpUrl(text) ? { kind: "http", url: text, unpack: false } : undefined;
}

/** The graph of a context alone: to look into it before the Dockerfile in it is compiled. */
export function defineRemoteContext(context: RemoteContext): Definition {
  return emitDefinition(contextOutput(context), { filename: "", data: new Uint8Array(), language: "" });
}

/** The remote context as the steps read it: whatever they name, all of it is fetched. */
export function remoteContextSource(context: RemoteContext): ContextSource {
  return { output: contextOutput(context), use: () => undefined };
}

/** What is fetched for a context, before anything is unpacked. */
export function fetchedSource(context: RemoteContext): Output {
  if (context.kind === "git")
    return gitSource(context.reference, { name: `[internal] load git source ${context.url}`, lines: [] });
  const attrs = { "http.filename": httpContextFile };
  return httpSource(context.url, { name: "[internal] load remote build context", lines: [], attrs, caps: ["source.http"] });
}

function contextOutput(context: RemoteContext): Output {
  const file = fetchedSource(context);
  if (context.kind === "git" || !context.unpack) return file;
  const copy = { ...plainCopy, src: `/${httpContextFile}`, dest: "/", attemptUnpack: true, createDestPath: false };
  return fileNode(undefined, [{ kind: "copy", source: file, copy, owner: undefined }], {
    metadata: named("[internal] unpack remote build context", ["file.base"]),
    lines: [],
  });
}
