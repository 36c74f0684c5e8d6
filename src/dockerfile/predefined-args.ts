/** Build arguments that RUN gets without ARG and that no cache key and no history sees, unless ARG declares them (A05). */
export const proxyArgs = [
  "HTTP_PROXY",
  "http_proxy",
  "HTTPS_PROXY",
  "https_proxy",
  "FTP_PROXY",
  "ftp_proxy",
  "NO_PROXY",
  "no_proxy",
  "ALL_PROXY",
  "all_proxy",
] as const;

const foldedProxyArgs: ReadonlySet<string> = new Set(proxyArgs.map((name) => name.toLowerCase()));

/** True for the proxy arguments in any letter case: a `--build-arg` may spell them as it likes. */
export function isProxyArg(name: string): boolean {
  return foldedProxyArgs.has(name.toLowerCase());
}

/** The machine that builds (A02); set in the global scope. */
export const buildPlatformArgs = ["BUILDPLATFORM", "BUILDOS", "BUILDOSVERSION", "BUILDARCH", "BUILDVARIANT"] as const;

/** The platform of the result (A03); set in the global scope, build arguments of the same name win. */
export const targetPlatformArgs = ["TARGETPLATFORM", "TARGETOS", "TARGETOSVERSION", "TARGETARCH", "TARGETVARIANT"] as const;

/** The name of the target stage, else of the last stage, else `default` (A04). */
export const targetStageArg = "TARGETSTAGE";

/** Every argument that the global scope has without ARG (A02-A04). */
export const globalPlatformArgs = [...buildPlatformArgs, ...targetPlatformArgs, targetStageArg] as const;

/** The point in time for reproducible builds (A06). */
export const sourceDateEpochArg = "SOURCE_DATE_EPOCH";

/** Build arguments that steer the builder itself (A07-A17), by what they steer. */
export const builderArgs = {
  /** The frontend; beats `# syntax` (A07, D05). */
  syntax: "BUILDKIT_SYNTAX",
  /** Lint options; replaces `# check` (A08). */
  check: "BUILDKIT_DOCKERFILE_CHECK",
  /** Prefix of cache mount ids (A09). */
  cacheMountNamespace: "BUILDKIT_CACHE_MOUNT_NS",
  /** Keep `.git` of a git context (A10). */
  contextKeepGitDir: "BUILDKIT_CONTEXT_KEEP_GIT_DIR",
  /** An index even for one platform (A11). */
  multiPlatform: "BUILDKIT_MULTI_PLATFORM",
  /** The host name in RUN (A12). */
  sandboxHostname: "BUILDKIT_SANDBOX_HOSTNAME",
  /** Cache records inside the image config (A13). */
  inlineCache: "BUILDKIT_INLINE_CACHE",
  /** Scan the context for the SBOM; never an environment variable (A14). */
  sbomScanContext: "BUILDKIT_SBOM_SCAN_CONTEXT",
  /** Scan further stages for the SBOM; never an environment variable (A14). */
  sbomScanStage: "BUILDKIT_SBOM_SCAN_STAGE",
  /** The name of the build in lists (A16). */
  buildName: "BUILDKIT_BUILD_NAME",
  /** Accepted, without effect (A17). */
  inlineBuildinfoAttrs: "BUILDKIT_INLINE_BUILDINFO_ATTRS",
} as const;

/** Prefix of the arguments that ask for attestations by type, as `BUILDKIT_ATTEST_SBOM` (A15). */
export const attestArgPrefix = "BUILDKIT_ATTEST_";

/** Arguments that ARG declares without putting them into the environment (A14). */
export const nonEnvironmentArgs: ReadonlySet<string> = new Set([builderArgs.sbomScanContext, builderArgs.sbomScanStage]);
