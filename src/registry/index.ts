/**
 * The client of the distribution protocol: manifests and blobs from and to registries and their mirrors, with Docker's
 * credentials. It keeps nothing on disk but logins in Docker's config.json, and does not verify blobs (whoever stores them does); manifests it verifies.
 * Secrets never reach an error or a URL that it prints.
 */
export {
  createRegistryClient,
  type FetchedManifest,
  type RegistryClient,
  type RegistryClientOptions,
  type ResolvedManifest,
} from "./client.ts";
export {
  createImagePusher,
  pushImage,
  type ImagePusher,
  type PushBlob,
  type PushImageOptions,
  type PushStatus,
  type PushTarget,
  type PushTree,
} from "./push-image.ts";
export type { PushedBlob } from "./push.ts";
export type { RegistryConfig, RegistryHostConfig } from "./endpoints.ts";
export type { Credentials, CredentialSource } from "./credentials.ts";
export { loadDockerCredentials, type DockerCredentialsOptions } from "./docker-credentials.ts";
export { forgetCredentials, keepCredentials, type CredentialPlace, type KeepOptions } from "./keep-credentials.ts";
export { registryLimits, type RegistryLimits } from "./limits.ts";
export { createTransport, type HttpAnswer, type Transport } from "./transport.ts";
