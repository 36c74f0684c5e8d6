/** Coarse classes of failure; the command line maps them to exit codes, retries look at them. */
export type ErrorKind =
  | "invalid" // the input is wrong: Dockerfile, flag, reference, archive
  | "not-found"
  | "already-exists"
  | "denied" // credentials or permissions
  | "unavailable" // network or a peer; trying again may help
  | "exhausted" // disk, inodes, a named limit
  | "unsupported" // Varve or this machine cannot do it
  | "conflict"
  | "canceled"
  | "failed" // a command of the build failed
  | "internal";

interface Entry {
  readonly kind: ErrorKind;
  /** One sentence for the error reference. */
  readonly sentence: string;
}

const entry = (kind: ErrorKind, sentence: string): Entry => ({ kind, sentence });

/** Every code, by room. A code is public and never changes its meaning. */
export const catalogue = {
  // ground
  CANCELED: entry("canceled", "The caller ended the work."),
  INTERNAL: entry("internal", "A defect of Varve."),
  DISK_FULL: entry("exhausted", "The disk or its inodes are full."),
  TIMED_OUT: entry("unavailable", "A wait reached its deadline."),

  // file-watch
  WATCH_LIMIT: entry("exhausted", "The system watches as many files for this user as it is set to."),

  // flow
  CONTENT_DIGEST_MISMATCH: entry("invalid", "Bytes do not hash to the digest they were promised under."),
  CONTENT_SIZE_MISMATCH: entry("invalid", "Content is longer or shorter than was promised."),
  CONTENT_TOO_LARGE: entry("exhausted", "Content is larger than the limit of who reads it."),

  // dockerfile
  DOCKERFILE_SYNTAX: entry("invalid", "An instruction of a Dockerfile is not written as its grammar asks."),
  DOCKERFILE_EMPTY: entry("invalid", "The Dockerfile has no instruction."),
  DOCKERFILE_NO_FROM: entry("invalid", "An instruction stands before the first FROM, or there is no FROM at all."),
  DOCKERFILE_UNKNOWN_INSTRUCTION: entry("invalid", "A line begins with a word that is no instruction."),
  DOCKERFILE_UNKNOWN_FLAG: entry("invalid", "An instruction has a flag that it does not know."),
  DOCKERFILE_FLAG: entry("invalid", "A flag is given twice, lacks its value or has a value that it does not take."),
  DOCKERFILE_STAGE_NAME: entry("invalid", "The name after AS is not a valid stage name."),
  DOCKERFILE_TRIGGER: entry("invalid", "ONBUILD holds an instruction that cannot be a trigger."),
  DOCKERFILE_MOUNT: entry("invalid", "A --mount of RUN has a field or a value that it does not take."),
  DOCKERFILE_DIRECTIVE: entry("invalid", "A parser directive is repeated or has a value that it does not take."),
  DOCKERFILE_HEREDOC: entry("invalid", "A here-document is not closed or stands where none may stand."),
  DOCKERFILE_LINE_TOO_LONG: entry("invalid", "A line of the Dockerfile is longer than the limit."),
  DOCKERFILE_ENCODING: entry("invalid", "An instruction of the Dockerfile is not UTF-8."),
  DOCKERFILE_CHECK: entry("invalid", "The lint options of # check= or BUILDKIT_DOCKERFILE_CHECK cannot be read."),
  DOCKERFILE_LINT: entry("invalid", "Lint rules fired, and error=true makes them fail the build."),
  GIT_URL_INVALID: entry("invalid", "The query or the fragment of a Git URL cannot be read, or contradicts itself."),
  DOCKERFILE_SUBSTITUTION: entry("invalid", "A variable substitution cannot be read, or its ${name:?} refuses."),

  // compose-file
  COMPOSE_NOT_FOUND: entry("not-found", "There is no Compose file, or one that was named is not there."),
  COMPOSE_YAML: entry("invalid", "A Compose file is not readable YAML."),
  COMPOSE_INVALID: entry("invalid", "A Compose file does not have the shape that the Compose Specification asks for."),
  COMPOSE_INCONSISTENT: entry(
    "invalid",
    "The parts of a Compose project contradict each other, or one names another that is not there.",
  ),
  COMPOSE_INTERPOLATION: entry("invalid", "A variable in a Compose file cannot be read, or must have a value and has none."),
  COMPOSE_ENV_FILE: entry("invalid", "A file of environment variables or labels is missing or cannot be read."),
  COMPOSE_CYCLE: entry("invalid", "Files that include each other, or services that extend or need each other, form a circle."),
  COMPOSE_PROJECT_NAME: entry("invalid", "The name of the project is not valid, or there is none."),
  COMPOSE_SERVICE_UNKNOWN: entry("not-found", "The project has no service of this name."),
  COMPOSE_TOO_LARGE: entry("exhausted", "A Compose file has more values, or deeper ones, than the limit."),
  COMPOSE_UNSUPPORTED: entry("unsupported", "The project uses a field that Varve cannot give effect to."),

  // llb
  LLB_INVALID: entry("invalid", "The bytes are no LLB graph, or the graph contradicts itself."),
  LLB_TOO_LARGE: entry("exhausted", "The LLB graph is larger than the limit."),
  LLB_UNSUPPORTED: entry("unsupported", "The LLB graph asks for an operation that Varve does not run."),

  // tar
  TAR_MALFORMED: entry("invalid", "An archive is not what the tar formats allow."),
  TAR_TRUNCATED: entry("invalid", "An archive ends in the middle of an entry."),
  TAR_LIMIT: entry("exhausted", "An archive goes beyond a limit of its reader; the details name it."),
  TAR_UNSUPPORTED: entry("unsupported", "An archive has an entry of a type that no image layer holds."),

  // oci
  DIGEST_INVALID: entry("invalid", "A text is not a digest of a known algorithm."),
  REFERENCE_INVALID: entry("invalid", "A text is not an image reference."),
  PLATFORM_INVALID: entry("invalid", "A text is not a platform."),
  IMAGE_INVALID: entry("invalid", "A manifest, index or image config does not have the shape of its specification."),
  IMAGE_SCHEMA1: entry("unsupported", "The image is in Docker's first manifest format, which nothing builds any more."),

  // tree
  TREE_PATTERN: entry("invalid", "A pattern of an ignore file, of COPY or of a local source is malformed."),
  TREE_NOT_FOUND: entry("not-found", "A path is not in the context, the stage or the root it was looked for in."),
  TREE_LOOP: entry("invalid", "Symbolic links lead in a circle, or through too many others."),
  TREE_CHANGED: entry("conflict", "A file changed while it was read."),
  TREE_CONFLICT: entry("conflict", "A file stands where a folder would go, or a folder where a file would go."),
  TREE_MODE: entry("invalid", "A text is not a file mode, octal or symbolic."),
  TREE_USER: entry("not-found", "A user or group is not in the root's passwd or group file, or its number is out of range."),
  TREE_USER_FILE: entry("invalid", "The root's passwd or group file is not a plain file, or too large."),
  TREE_DENIED: entry("denied", "The system refuses to read or write a path."),
  TREE_IO: entry("internal", "The system failed to read or write a path."),

  // solver

  // frontend
  DOCKERFILE_NOT_SUPPORTED_YET: entry("unsupported", "The Dockerfile uses a feature that Varve does not have yet."),
  FRONTEND_STAGE_CYCLE: entry("invalid", "Stages of the Dockerfile need each other."),
  FRONTEND_STAGE_ORDER: entry("invalid", "A stage is used before it is defined."),
  FRONTEND_TARGET_UNKNOWN: entry("invalid", "The Dockerfile has no stage with the name of the target."),
  FRONTEND_VALUE_INVALID: entry(
    "invalid",
    "A value in the Dockerfile is not allowed there, or becomes so once its variables are expanded.",
  ),

  // content
  CONTENT_NOT_FOUND: entry("not-found", "A blob is not in the store."),
  CONTENT_ALGORITHM: entry("unsupported", "The store keeps blobs by their SHA-256 only."),
  CONTENT_STORE: entry("internal", "The blob store could not read or write its folder."),

  // snapshots

  // registry
  REGISTRY_UNREACHABLE: entry("unavailable", "A registry did not answer, or broke off, after every try."),
  REGISTRY_DENIED: entry("denied", "A registry wants credentials, or refuses the ones it got."),
  REGISTRY_NOT_FOUND: entry("not-found", "A registry does not have the manifest or blob."),
  REGISTRY_PROTOCOL: entry("invalid", "A registry answered what the distribution specification does not allow."),
  REGISTRY_TOO_LARGE: entry("exhausted", "A registry's answer is larger than the limit for its kind."),
  REGISTRY_LIMITED: entry("unavailable", "A registry asks to slow down (429), also after the retries."),
  REGISTRY_CONFIG: entry("invalid", "The settings of a registry (mirror, certificate, host) cannot be used."),
  CREDENTIALS_INVALID: entry("invalid", "Docker's config file or a credential helper gave no readable credentials."),
  CREDENTIALS_UNWRITABLE: entry(
    "failed",
    "A login could not be kept or removed: Docker's config file, or its credential helper.",
  ),

  // runtime
  EMULATION_UNAVAILABLE: entry(
    "unsupported",
    "A step is for another architecture, and nothing on this machine runs its programs.",
  ),
  RUNTIME_MISSING: entry("unsupported", "No OCI runtime (crun or runc) is on this machine."),
  RUNTIME_FAILED: entry("failed", "The OCI runtime could not make the container, or died."),
  RUNTIME_UNSUPPORTED: entry("unsupported", "The OCI runtime lacks something that a step needs, such as seccomp."),
  RUNTIME_ULIMIT: entry("invalid", "A ulimit has no such name, or is above what the user may have."),
  RUNTIME_CGROUP: entry("unsupported", "A cgroup parent cannot be had on this machine."),
  RUNTIME_HOST: entry("invalid", "An extra host has no usable name or address."),
  RUNTIME_CWD: entry("invalid", "A step's working directory cannot be used."),
  RUNTIME_MOUNT_POINT: entry("invalid", "The image has something in the way of a mount of the step."),

  // containers: what they may use of the machine
  CONTAINER_LIMIT: entry(
    "invalid",
    "A limit or setting of a container has a value that Docker does not take, or contradicts another.",
  ),
  CONTAINER_UNSUPPORTED: entry(
    "unsupported",
    "A container asks for what this machine or this user cannot enforce; it is never dropped.",
  ),
  CONTAINER_DEVICE: entry("not-found", "A device of --device is not there, or is none."),

  // secrets
  SECRET_TOO_LARGE: entry("exhausted", "A secret is larger than 500 KiB."),
  SSH_KEY_UNREADABLE: entry("invalid", "A private key or an agent's socket for --ssh cannot be used."),
  SSH_AGENT_MISSING: entry("unsupported", "OpenSSH's ssh-agent or ssh-add cannot be started."),

  // worker
  WORKER_DIED: entry("internal", "The worker process ended in the middle of its work."),
  WORKER_UNAVAILABLE: entry("unsupported", "The worker process cannot be started on this machine."),
  WORKER_NO_USER_NAMESPACE: entry("unsupported", "An ordinary user may not make user namespaces on this machine."),
  WORKER_NO_SUBORDINATE_IDS: entry("unsupported", "The user has no subordinate ids, or the tools to map them are missing."),

  // layers
  LAYER_DIFF_ID: entry("invalid", "A layer's content is not what its image's config says."),
  LAYER_CONFLICT: entry("conflict", "Something would take the place of a folder, or a folder that of something else."),
  LAYER_MALFORMED: entry(
    "invalid",
    "A layer's archive asks for what cannot be: a file below a file, a link to nothing, a bad name.",
  ),
  LAYER_COMPRESSION_UNSUPPORTED: entry("unsupported", "A layer is compressed in a way that this Node cannot read or write."),
  LAYER_COMPRESSION_INVALID: entry("invalid", "A layer's compressed bytes are damaged or end too early."),
  CONTEXT_ARCHIVE: entry("invalid", "A build context that came as a stream is no tar archive."),
  LAYER_COMPRESSION_LIMIT: entry("exhausted", "Compressed bytes want more memory than the limit; the details name it."),
  LAYER_DEVICE_DENIED: entry("denied", "A layer holds a device node that this process may not make."),
  LAYER_OWNER_UNMAPPED: entry("denied", "A layer holds a file of an owner that this user namespace has no ID for."),
  LAYER_WRITE: entry("failed", "A file of a layer could not be written."),
  LAYER_READ: entry("failed", "A file of a snapshot could not be read, or changed while it was."),
  LAYER_OVERLAY: entry("unsupported", "A snapshot was written by an overlay with redirects or metadata-only copies."),

  // history
  HISTORY_NOT_FOUND: entry("not-found", "No build with this ref is recorded."),
  HISTORY_AMBIGUOUS: entry("invalid", "The beginning of a ref fits several builds."),
  HISTORY_RUNNING: entry("conflict", "A build that still runs keeps its record."),
  HISTORY_DAMAGED: entry("internal", "The log of a build cannot be read back."),

  // builders
  BUILDER_NOT_FOUND: entry("not-found", "There is no builder of this name."),
  BUILDER_IN_USE: entry("conflict", "A command works in a builder that is to be stopped or removed."),

  // networks
  NETWORK_NOT_FOUND: entry("not-found", "There is no network of this name."),
  NETWORK_AMBIGUOUS: entry("invalid", "The beginning of an ID fits several networks."),
  NETWORK_EXISTS: entry("already-exists", "A network of this name is there."),
  NETWORK_IN_USE: entry("conflict", "A network has containers that run."),
  NETWORK_INVALID: entry("invalid", "A network cannot be made, removed or used as it was asked for."),
  NETWORK_UNSUPPORTED: entry("unsupported", "A driver, option or kind of network that Varve does not have."),
  NETWORK_PORT_TAKEN: entry("conflict", "A port of this machine is taken."),
  NETWORK_ADDRESS_TAKEN: entry("conflict", "An address of a network is taken."),
  NETWORK_EXHAUSTED: entry("exhausted", "No address, subnet or port is left."),
  NETWORK_PROGRAM_MISSING: entry("unsupported", "A program that networks need is not on this machine."),
  NETWORK_FAILED: entry("failed", "The kernel or a program refused to make a network."),

  // volumes
  VOLUME_NOT_FOUND: entry("not-found", "There is no volume of this name."),
  VOLUME_IN_USE: entry("conflict", "A container uses a volume that is to be removed."),
  VOLUME_INVALID: entry("invalid", "A volume cannot be made as it was asked for."),
  VOLUME_UNSUPPORTED: entry("unsupported", "A driver or option of volumes that Varve does not have."),

  // sources
  IMAGE_NO_PLATFORM: entry("not-found", "An image has no variant for the wanted platform."),
  IMAGE_INCOMPLETE: entry("not-found", "A layer of an image is neither in the store nor known to a registry."),
  LAYOUT_INVALID: entry("invalid", "A folder is no OCI image layout, or lacks a blob of the image."),
  LAYOUT_NO_IMAGE: entry("not-found", "An OCI image layout has no image with the wanted tag."),
  ARCHIVE_NO_IMAGE: entry("invalid", "An archive holds no image in a form that Varve knows."),
  SOURCE_ATTRIBUTE: entry(
    "invalid",
    "A source of the graph has an attribute that it does not take, or a value that cannot be read.",
  ),
  HTTP_NOT_FOUND: entry("not-found", "A web server has nothing at a URL (404, 410)."),
  HTTP_DENIED: entry("denied", "A web server wants credentials, or refuses the ones it got (401, 403)."),
  HTTP_FAILED: entry("unavailable", "A URL could not be fetched: no answer, a broken one, or another status than success."),
  HTTP_REDIRECTS: entry("invalid", "A URL redirects too often, or to something that is no http URL."),
  GIT_MISSING: entry("unsupported", "The git program is not on this machine."),
  GIT_REF_INVALID: entry("invalid", "A Git ref or commit is written in a way that git could take for something else."),
  GIT_REF_NOT_FOUND: entry("not-found", "A Git repository does not have the branch, tag or commit."),
  GIT_CHECKSUM: entry("invalid", "A Git ref does not stand for the commit that the checksum asks for."),
  GIT_SUBDIR: entry("invalid", "The subfolder of a Git repository is missing, or no real folder."),
  GIT_FAILED: entry("unavailable", "git could not reach a repository, or could not check it out."),

  // gc
  FILTER_INVALID: entry("invalid", "A filter of prune or du names an unknown field, or a value that the field does not take."),
  QUOTA_EXCEEDED: entry("exhausted", "The store would pass a limit of varve.toml, and nothing in it may go."),

  // exporters
  LAYER_NOT_REPRODUCED: entry("internal", "Packing a snapshot twice gave different bytes."),
  OUTPUT_FAILED: entry("denied", "An output cannot be written where it was asked for."),
  OUTPUT_OPTIONS: entry("invalid", "The options of an output contradict one another, or do not fit what was built."),
  OUTPUT_COLLISION: entry("conflict", "Two platforms have the same file, and no folders of their own in the output."),
  ENGINE_FAILED: entry("unavailable", "A container engine that was to take in an image did not answer, or refused it."),

  // cache-transfer
  CACHE_INVALID: entry("invalid", "An imported cache, or the folder that holds it, is not of the form that caches have."),
  CACHE_NOT_FOUND: entry("not-found", "There is no cache where one was to be read: no such tag, or an image without one."),
  CACHE_TOO_LARGE: entry("exhausted", "The manifest or the config of a cache is larger than readers of caches take."),
  CACHE_OPTIONS: entry("invalid", "The options of a cache export contradict one another."),
  CACHE_EXPORT_FAILED: entry("failed", "A cache could not be written."),

  // cache-mounts
  CACHE_MOUNT_NOT_FOUND: entry("not-found", "The store has no such cache mount."),
  CACHE_MOUNT_IN_USE: entry("conflict", "A step uses a cache mount that is to be removed or replaced."),
  CACHE_MOUNT_INVALID: entry("invalid", "What is imported holds no cache mount, or one that is not described as Varve does."),
  CACHE_MOUNT_READ: entry("failed", "A cache mount cannot be read whole."),

  // ops
  OP_UNSUPPORTED: entry("unsupported", "The graph asks for an operation that Varve does not do yet."),
  OP_NO_LOCAL: entry("invalid", "The graph names a local folder that the build was not given."),
  CONTEXT_CHANGED: entry("conflict", "Files of the build context changed while a step read them."),
  SECRET_NOT_FOUND: entry("invalid", "A step requires a secret that the build was not given."),
  SSH_NOT_FOUND: entry("invalid", "A step requires an SSH agent that the build was not given."),
  ENTITLEMENT_DENIED: entry("denied", "A step asks for more than the sandbox, and the build does not allow it."),
  ENTITLEMENT_UNKNOWN: entry("invalid", "An entitlement has a name that there is not."),
  MOUNT_OWNER: entry("denied", "A secret or an agent's socket is to have an owner that this user namespace has no ID for."),
  MOUNT_SOURCE: entry("not-found", "The source of a step's mount is not in what it is mounted from."),
  RUN_FAILED: entry("failed", "A command of the build ended with an exit code other than zero."),

  // containers
  CONTAINER_NOT_FOUND: entry("not-found", "The store has no such container."),
  CONTAINER_AMBIGUOUS: entry("invalid", "The beginning of an ID fits several containers."),
  CONTAINER_NAME: entry("invalid", "A container cannot have this name."),
  CONTAINER_NAME_TAKEN: entry("conflict", "Another container has this name."),
  CONTAINER_INVALID: entry(
    "invalid",
    "A container is asked for with settings that contradict one another, or that there are not.",
  ),
  CONTAINER_CONFLICT: entry("conflict", "A container is not in the state that a command needs: running, paused, stopped."),
  CONTAINER_START: entry("failed", "A container could not be started."),
  CONTAINER_RUNTIME: entry("failed", "The OCI runtime could not make or start a container."),
  CONTAINER_NO_TERMINAL: entry("invalid", "A program wants a terminal, and the input of the command is none."),
  CONTAINER_EXEC: entry("failed", "A program could not be started in a container; the details have its exit code."),
  CONTAINER_NO_PORT: entry("not-found", "A container publishes no such port."),
  CONTAINER_PROCESSES: entry("failed", "ps could not list the processes of a container as it was asked to."),
  CONTAINER_PATH_NOT_FOUND: entry("not-found", "There is nothing at a path of a container."),
  CONTAINER_COPY: entry(
    "failed",
    "A copy to or from a container is not possible as it was asked for: a folder over a file, a read-only place.",
  ),
  CONTAINER_MONITOR_MISSING: entry("unsupported", "conmon, which looks after containers, is not on this machine."),
  CONTAINER_NO_CGROUPS: entry("unsupported", "What needs cgroups cannot be had here without root, such as pausing a container."),

  // engine
  ARTIFACT_TOO_LARGE: entry("exhausted", "An artifact of a registry has more files or bytes than the limit."),
  IMAGE_NOT_FOUND: entry("not-found", "The store has no such image."),
  IMAGE_AMBIGUOUS: entry("invalid", "An ID prefix fits several images."),
  IMAGE_IN_USE: entry(
    "conflict",
    "An image has several names and is not removed by its ID without force, or a container was made from it.",
  ),
  DOCKERFILE_TOO_LARGE: entry("exhausted", "The Dockerfile or the ignore file is larger than the limit; the details name it."),
  DOCKERFILE_NOT_FOUND: entry("invalid", "There is no Dockerfile where it was looked for."),
  CONTEXT_NOT_FOUND: entry("invalid", "The build context is no folder that can be read."),
  CONFIG_INVALID: entry("invalid", "varve.toml cannot be understood."),
  PUSH_FAILED: entry("failed", "An image is in the store, and could not be sent to its registry."),

  CACHE_REQUIRED: entry("conflict", "A step would run although --require-cached asks for it to be in the cache."),
  REBUILD_IMPOSSIBLE: entry("invalid", "The record of a build does not hold all that a second build needs."),

  // compose
  SERVICE_NOT_FOUND: entry("not-found", "A Compose project has no service, container or port of that name."),
  SERVICE_INVALID: entry("invalid", "A service of a Compose file contradicts itself, or names what the project does not have."),
  SERVICE_UNSUPPORTED: entry("unsupported", "A service of a Compose file uses a field or value that Varve cannot carry out."),
  SERVICE_FAILED: entry("failed", "A service did not become what another one waits for."),
  PROJECT_UNPUBLISHABLE: entry("invalid", "A Compose project cannot be published as it is."),
  ARTIFACT_NO_PROJECT: entry("invalid", "What a registry has under a name is no Compose project."),
  SERVICE_NOT_WATCHED: entry("invalid", "None of the services that are meant says which files are to be watched."),

  // cli
  USAGE: entry("invalid", "The command line is not understood."),
  DECLINED: entry("failed", "The user was asked, and said no."),
  NOT_SUPPORTED_YET: entry("unsupported", "Docker has this command, flag or value; Varve does not have it yet."),
  FILE_UNREADABLE: entry("invalid", "A file that the command line names cannot be read."),
  FILE_UNWRITABLE: entry("invalid", "A file that the command line names cannot be written."),
  BOOT_SYSTEMD: entry("failed", "systemd was asked to start containers with the machine, and does not."),
  SHIM_FOREIGN: entry("already-exists", "Where docker-shim would put a script, there is a file that Varve did not make."),
} as const satisfies Record<string, Entry>;

export type ErrorCode = keyof typeof catalogue;
