import { VarveError } from "../errors/index.ts";
import type { ImageReference } from "../oci/index.ts";

/** The settings of one registry host, with the names of buildkitd.toml's `registry."host"`. */
export interface RegistryHostConfig {
  /** Hosts, each with an optional port and path, tried in order before the host itself. Pulls only. */
  readonly mirrors?: readonly string[];
  /** Speak plain HTTP. Unset means: to loopback addresses only. */
  readonly http?: boolean;
  /** Accept any certificate; together with `http`, fall back to plain HTTP where there is no TLS. */
  readonly insecure?: boolean;
  /** Files of PEM certificates to trust besides the system's. */
  readonly ca?: readonly string[];
  /** Files of PEM client certificates and their keys; the first is used. */
  readonly keypair?: readonly { readonly key: string; readonly cert: string }[];
}

/** Settings by the host as it stands in references (`docker.io`, `localhost:5000`) and in `mirrors`. */
export type RegistryConfig = Readonly<Record<string, RegistryHostConfig>>;

/** One place that serves a registry's images. */
export interface Endpoint {
  /** Host and optional port to connect to. */
  readonly host: string;
  /** The host as it stands in references. */
  readonly namespace: string;
  /** Path of the API's root, e.g. `/v2` or `/v2/proxy`. */
  readonly root: string;
  readonly mirror: boolean;
  /** In the order to try; a second one is a fallback for servers without TLS. */
  readonly schemes: readonly ("https" | "http")[];
  readonly settings: RegistryHostConfig;
}

/** Where a reference's registry answers: its mirrors first (for pulls), then itself. (BuildKit, util/resolver) */
export function endpointsOf(ref: ImageReference, config: RegistryConfig, purpose: "pull" | "push"): Endpoint[] {
  const settings = settingsOf(config, ref.domain);
  const mirrors = purpose === "pull" ? (settings.mirrors ?? []) : [];
  return [...mirrors.map((mirror) => mirrorEndpoint(mirror, ref.domain, config)), ownEndpoint(ref.domain, settings)];
}

function ownEndpoint(domain: string, settings: RegistryHostConfig): Endpoint {
  // The Docker Hub's references carry a name at which no registry answers.
  const host = domain === "docker.io" ? "registry-1.docker.io" : domain;
  return {
    host,
    namespace: domain,
    root: "/v2",
    mirror: false,
    schemes: schemesOf(host, settings),
    settings,
  };
}

function mirrorEndpoint(mirror: string, namespace: string, config: RegistryConfig): Endpoint {
  const [, scheme, host = "", path = ""] = /^(?:(https?):\/\/)?([^/]+)(\/.*)?$/.exec(mirror) ?? [];
  if (!isHost(host))
    throw new VarveError("REGISTRY_CONFIG", `the mirror "${mirror}" of ${namespace} is not a host`, {
      hint: 'write it as "host", "host:port" or "host/path"',
    });
  const found = settingsOf(config, host);
  const settings = scheme === undefined ? found : { ...found, http: scheme === "http" };
  const root = `/v2${path.replace(/^\/v2(?=\/|$)/, "").replace(/\/+$/, "")}`;
  return { host, namespace, root, mirror: true, schemes: schemesOf(host, settings), settings };
}

function settingsOf(config: RegistryConfig, host: string): RegistryHostConfig {
  return (Object.hasOwn(config, host) ? config[host] : undefined) ?? {};
}

function schemesOf(host: string, settings: RegistryHostConfig): readonly ("https" | "http")[] {
  if (!(settings.http ?? isLoopback(host))) return ["https"];
  return settings.insecure === true ? ["https", "http"] : ["http"];
}

function isHost(text: string): boolean {
  return URL.canParse(`https://${text}/`) && new URL(`https://${text}/`).pathname === "/" && !/[@?#\\\s]/.test(text);
}

/** True for `localhost`, 127.0.0.0/8 and `::1`, with or without a port. */
function isLoopback(host: string): boolean {
  const name = host.replace(/:\d+$/, "");
  return name === "localhost" || name === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(name);
}
