/**
 * The store of blobs: bytes by their SHA-256, in plain files that several processes share. What stands under a digest
 * is complete and was hashed on its way in, and is hashed again on its way out. It does not know who still needs a blob: leases
 * and garbage collection belong to whoever deletes. Beside it, the lock of an image layout in a folder, which is such a store of others.
 */
export { holdLayout } from "./hold-layout.ts";
export { openContentStore, type ContentStore, type IngestOptions, type StoredBlob } from "./store.ts";
