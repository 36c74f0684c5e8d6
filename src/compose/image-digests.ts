import type { Project } from "../compose-file/index.ts";
import { formatReference, parseReference, withDefaultTag } from "../oci/index.ts";
import type { ComposeEngine } from "./engine.ts";

/** The services' images with the digests that their registries have them under now, by service. */
export async function resolveImages(
  project: Pick<Project, "services">,
  {
    remoteImages,
    signal,
  }: { readonly remoteImages: Pick<ComposeEngine["remoteImages"], "inspect">; readonly signal?: AbortSignal },
): Promise<Readonly<Record<string, string>>> {
  const digests = new Map<string, Promise<string>>();
  const resolve = async (image: string): Promise<string> => {
    const reference = withDefaultTag(parseReference(image));
    if (reference.digest !== undefined) return formatReference(reference);
    const { descriptor } = await remoteImages.inspect(image, signal === undefined ? {} : { signal });
    return formatReference({ ...reference, digest: descriptor.digest });
  };
  const images: Record<string, string> = {};
  for (const { name, image } of Object.values(project.services)) {
    if (image === undefined) continue;
    const found = digests.get(image) ?? resolve(image);
    digests.set(image, found);
    images[name] = await found;
  }
  return images;
}

/** A Compose file that pins the images of services. */
export function digestsFile(images: Readonly<Record<string, string>>): string {
  const lines = Object.entries(images)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .flatMap(([name, image]) => [`  ${name}:`, `    image: ${image}`]);
  return lines.length === 0 ? "services: {}\n" : `services:\n${lines.join("\n")}\n`;
}
