import type { FlagTable } from "../flags.ts";

/** What buildx has and Varve does not yet: seen, and refused by name. */
const later = { help: "", hidden: true, only: [] } as const;
/** What Docker's classic builder had and buildx takes without an effect. */
const inert = { hidden: true, help: "No effect: Varve has no intermediate containers and sends no context" } as const;

/** The flags of `docker buildx build` (features 3.1, B01 to B36). */
export const buildFlags = {
  "add-host": { kind: "list", help: 'Add a custom host-to-IP mapping (format: "host:ip")' },
  allow: {
    kind: "list",
    help: "Allow steps more than the sandbox (network.host, security.insecure), or an output to delete (buildx.local.delete)",
  },
  annotation: { kind: "list", help: 'Add annotation to the image (format: "[type[os/arch]:]key=value")' },
  attest: { kind: "list", hidden: true, help: "Attestations: only type=sbom|provenance,disabled=true" },
  "build-arg": { kind: "list", help: "Set build-time variables; without a value: the environment's" },
  "build-context": {
    kind: "list",
    help: 'Additional build contexts (e.g., "name=path", "name=docker-image://ref", "name=oci-layout://path:tag")',
  },
  builder: { kind: "string", help: "Builder to work with (default: BUILDX_BUILDER, or with buildx the one in use)" },
  "cache-from": {
    kind: "list",
    help: 'External cache sources (e.g., "user/app:cache", "type=registry,ref=user/app:cache", "type=local,src=path/to/dir")',
  },
  "cache-to": {
    kind: "list",
    help: 'Cache export destinations (e.g., "type=inline", "type=registry,ref=user/app:cache,mode=max", "type=local,dest=path/to/dir")',
  },
  call: {
    kind: "string",
    help: 'Ask about the build instead of running it ("check", "outline", "targets"; with ",format=json")',
  },
  "cgroup-parent": { kind: "string", ...later },
  check: { kind: "bool", help: 'Shorthand for "--call=check"' },
  compress: { kind: "bool", ...inert },
  "cpu-period": { kind: "string", ...later },
  "cpu-quota": { kind: "string", ...later },
  "cpu-shares": { kind: "string", short: "c", ...later },
  "cpuset-cpus": { kind: "string", ...later },
  "cpuset-mems": { kind: "string", ...later },
  debug: { kind: "bool", short: "D", help: "Say more: whole warnings, and where errors come from" },
  "disable-content-trust": { kind: "bool", ...later, only: ["true"] },
  file: { kind: "string", short: "f", help: 'Name of the Dockerfile (default: "PATH/Dockerfile"); - for stdin' },
  "force-rm": { kind: "bool", ...inert },
  iidfile: { kind: "string", help: "Write the image ID to a file" },
  isolation: { kind: "string", ...later, only: ["default", ""] },
  label: { kind: "list", help: "Set metadata for an image" },
  load: { kind: "bool", help: 'Shorthand for "--output=type=docker": into the image store' },
  memory: { kind: "string", short: "m", ...later },
  "memory-swap": { kind: "string", ...later },
  "metadata-file": { kind: "string", help: "Write build result metadata to a file" },
  network: { kind: "string", help: 'Networking of RUN: "default", "none" or "host"' },
  "no-cache": { kind: "bool", help: "Use nothing from the cache" },
  "no-cache-filter": { kind: "csv", help: "Use nothing from the cache for these stages" },
  output: {
    kind: "list",
    short: "o",
    help: 'Output destination (format: "type=local,dest=path"; types: image, registry, oci, docker, tar, local, cacheonly)',
  },
  platform: { kind: "csv", help: "Set target platform for build" },
  policy: { kind: "list", ...later },
  print: { kind: "string", hidden: true, help: 'The old name of "--call"' },
  progress: { kind: "string", help: 'Set type of progress output ("auto", "plain", "tty", "rawjson", "quiet", "none")' },
  provenance: { kind: "string", ...later, only: ["false"] },
  pull: { kind: "bool", help: "Ask the registry for every base image" },
  push: { kind: "bool", help: 'Shorthand for "--output=type=registry"' },
  quiet: { kind: "bool", short: "q", help: "Suppress the build output and print image ID on success" },
  "require-cached": {
    kind: "string",
    bare: "*",
    help: "Fail, and say why, when a step (of this stage, with =STAGE) would run",
  },
  resource: { kind: "list", ...later },
  rm: { kind: "bool", ...inert, only: ["true"] },
  sbom: { kind: "string", ...later, only: ["false"] },
  secret: {
    kind: "list",
    help: 'Secret to expose to the build (format: "id=mysecret[,src=/local/secret]" or "id=mysecret,env=VARIABLE")',
  },
  "security-opt": { kind: "csv", ...later },
  "shm-size": { kind: "string", help: "Size of /dev/shm for RUN, e.g. 128m" },
  squash: { kind: "bool", ...later, only: ["false"] },
  ssh: {
    kind: "list",
    help: 'SSH agent socket or keys to expose to the build (format: "default|<id>[=<socket>|<key>[,<key>]]")',
  },
  tag: { kind: "list", short: "t", help: 'Image identifier (format: "[registry/]repository[:tag]")' },
  target: { kind: "string", help: "Set the target build stage to build" },
  ulimit: { kind: "list", help: "Limits of RUN (format: name=soft[:hard])" },
} as const satisfies FlagTable;
