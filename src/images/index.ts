/**
 * The image store: names → images, as rows of the state database. An image is a config blob with layers that exist as
 * snapshots, as blobs, or both; this room keeps the facts and touches neither, and
 * remembers which repositories had which blobs.
 */
export { blobPlacesSchema, openBlobPlaces, type BlobPlaces, type Repository } from "./blob-places.ts";
export { imagesSchema, openImages, type ImageIndex, type ImageRecord, type ImageStore } from "./image-store.ts";
