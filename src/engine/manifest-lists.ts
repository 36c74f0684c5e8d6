import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { VarveError } from "../errors/index.ts";
import {
  canonicalName,
  formatReference,
  isIndex,
  mediaTypes,
  parseReference,
  platformOfSpec,
  platformToSpec,
  sha256,
  withDefaultTag,
  type Descriptor,
} from "../oci/index.ts";
import { asideOf } from "../state/index.ts";
import type { Parts } from "./parts.ts";
import type { ListedManifest, ManifestList, ManifestLists } from "./remote-image-types.ts";
import { readRemote, readRemoteConfig, repositoryOf } from "./read-remote.ts";

/** Lists of manifests as files of the store, one for each name. */
export function createManifestLists(needParts: () => Parts): ManifestLists {
  const canonical = (name: string): string => formatReference(withDefaultTag(parseReference(name)));
  const pathOf = (name: string): string => join(needParts().root, "manifests", `${sha256(name).slice("sha256:".length)}.json`);
  const read = (name: string): ManifestList | undefined => {
    try {
      return JSON.parse(readFileSync(pathOf(name), "utf8")) as ManifestList;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  };
  const need = (name: string): ManifestList => {
    const list = read(canonical(name));
    if (list === undefined) throw new VarveError("IMAGE_NOT_FOUND", `No such manifest: ${canonical(name)}`);
    return list;
  };
  const write = (list: ManifestList): ManifestList => {
    mkdirSync(join(needParts().root, "manifests"), { recursive: true });
    const path = pathOf(list.name);
    const aside = asideOf(path);
    writeFileSync(aside, JSON.stringify(list));
    renameSync(aside, path);
    return list;
  };
  return {
    get: (name) => read(canonical(name)),
    async create(name, images, { amend = false, insecure = false, signal } = {}) {
      const old = read(canonical(name));
      if (old !== undefined && !amend)
        throw new VarveError("USAGE", "refusing to amend an existing manifest list with no --amend flag");
      const listed = new Map<string, ListedManifest>(old?.manifests.map((each) => [each.name, each]));
      for (const image of images) {
        const reference = parseReference(image);
        const registry = insecure ? needParts().insecureRegistry(reference.domain) : needParts().registry;
        const { name: full, descriptor, bytes } = await readRemote(image, registry, signal);
        if (isIndex(descriptor.mediaType)) throw new VarveError("USAGE", `${full} is a manifest list`);
        const config = await readRemoteConfig(bytes, repositoryOf(reference), registry, signal);
        const platform = config === undefined ? {} : { platform: platformToSpec(platformOfSpec(config)) };
        listed.set(full, { name: full, descriptor: { ...descriptor, ...platform } });
      }
      return write({ name: canonical(name), manifests: [...listed.values()] });
    },
    annotate(name, image, { os, architecture, variant, osVersion, osFeatures }) {
      const list = need(name);
      const full = canonical(image);
      const found = list.manifests.find((each) => each.name === full);
      if (found === undefined) throw new VarveError("IMAGE_NOT_FOUND", `manifest for image ${image} does not exist in ${name}`);
      const old = found.descriptor.platform ?? { os: "", architecture: "" };
      const platform = {
        ...old,
        ...(os === undefined ? {} : { os }),
        ...(architecture === undefined ? {} : { architecture }),
        ...(variant === undefined ? {} : { variant }),
        ...(osVersion === undefined ? {} : { "os.version": osVersion }),
        ...(osFeatures === undefined ? {} : { "os.features": osFeatures }),
      };
      const changed = { ...found, descriptor: { ...found.descriptor, platform } };
      return write({ ...list, manifests: list.manifests.map((each) => (each === found ? changed : each)) });
    },
    index(name) {
      const { manifests } = need(name);
      const isDocker = manifests.every(({ descriptor }) => descriptor.mediaType === mediaTypes.dockerManifest);
      const mediaType = isDocker ? mediaTypes.dockerList : mediaTypes.ociIndex;
      const bytes = serializeList(
        manifests.map(({ descriptor }) => descriptor),
        mediaType,
      );
      return {
        descriptor: { mediaType, digest: sha256(bytes), size: bytes.length },
        bytes,
        places: new Map(manifests.map((each) => [each.descriptor.digest, canonicalName(parseReference(each.name))])),
      };
    },
    remove(name) {
      rmSync(pathOf(need(name).name));
    },
  };
}

/** As `docker manifest push` writes it, so that digests agree: members in the order of Docker's structs, indented by three blanks. */
function serializeList(manifests: readonly Descriptor[], mediaType: string): Uint8Array {
  const entries = manifests.map(({ mediaType: type, size, digest, platform }) => ({
    mediaType: type,
    size,
    digest,
    platform: platform ?? { architecture: "", os: "" },
  }));
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests: entries }, undefined, 3));
}
