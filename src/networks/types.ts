import type { State } from "../state/index.ts";

/** A network of this store, as `docker network inspect` knows it. */
export interface NetworkRecord {
  /** 64 hexadecimal digits. */
  readonly id: string;
  readonly name: string;
  readonly driver: "bridge" | "host" | "null";
  readonly createdMs: number;
  readonly labels: Readonly<Record<string, string>>;
  /** No way out, and no published ports. */
  readonly internal: boolean;
  readonly attachable: boolean;
  /** Its containers have IPv6 addresses beside the others. */
  readonly ipv6: boolean;
  /** Empty for `host` and `none`; at most one of each family. One of IPv6 is of use only where `ipv6` is true. */
  readonly subnets: readonly Subnet[];
  /** Driver options, `com.docker.network.bridge.name` … */
  readonly options: Readonly<Record<string, string>>;
  /** `bridge`, `host` or `none`: always there, cannot be removed. */
  readonly predefined: boolean;
}

export interface Subnet {
  /** `172.18.0.0/16`, `fd00:1::/64`. */
  readonly subnet: string;
  readonly gateway: string;
  /** The part that addresses are taken from. */
  readonly ipRange?: string;
  /** Reserved, by name. */
  readonly auxiliary?: Readonly<Record<string, string>>;
}

export interface CreateNetwork {
  readonly name: string;
  /** Default `bridge`, the only one that can be made. */
  readonly driver?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly options?: Readonly<Record<string, string>>;
  readonly internal?: boolean;
  readonly attachable?: boolean;
  readonly enableIpv6?: boolean;
  /** At most one of each family; what is missing is chosen. Default: a free one of Docker's pools, and of IPv6 a random one. */
  readonly subnets?: readonly Partial<Subnet>[];
}

/** What a container wants of one network (the `EndpointConfig` of Docker's API). */
export interface EndpointWish {
  /** Name or ID of the network; `default` is `bridge`. */
  readonly network: string;
  /** Names beside the container's own. Only on networks that were made, as in Docker. */
  readonly aliases: readonly string[];
  readonly ipv4?: string;
  readonly ipv6?: string;
  readonly macAddress?: string;
}

export interface PortWish {
  /** None: every address of this machine, of both families. */
  readonly hostIp?: string;
  /** None: a free one is taken. */
  readonly hostPort?: number;
  /** With `hostPort`: the first free one from there to here is taken. */
  readonly lastHostPort?: number;
  readonly containerPort: number;
  readonly protocol: "tcp" | "udp";
}

/** One for each address: a port that is published at all of them is there twice, at `0.0.0.0` and at `::`. */
export interface PublishedPort {
  readonly hostIp: string;
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: "tcp" | "udp";
}

/** A container that is about to start. */
export interface Attachment {
  readonly containerId: string;
  readonly containerName: string;
  readonly hostname: string;
  readonly domainName?: string;
  /** In the order of its interfaces, eth0 first. Empty, or the networks `none` or `host` alone: nothing is attached. */
  readonly networks: readonly EndpointWish[];
  readonly ports: readonly PortWish[];
  readonly extraHosts: readonly { readonly host: string; readonly ip: string }[];
  readonly dns?: readonly string[];
  readonly dnsSearch?: readonly string[];
  readonly dnsOptions?: readonly string[];
}

/** What a container has of a network while it runs. */
export interface NetworkEndpoint {
  readonly network: string;
  readonly networkId: string;
  readonly ipv4: string;
  readonly prefixLength: number;
  /** "" of an internal network. */
  readonly gateway: string;
  /** On a network with IPv6. */
  readonly ipv6?: string;
  readonly ipv6PrefixLength?: number;
  readonly ipv6Gateway?: string;
  readonly macAddress: string;
  readonly aliases: readonly string[];
}

/** Text of a container's `/etc/resolv.conf`, `/etc/hosts` and `/etc/hostname`. */
export interface ContainerFiles {
  readonly resolvConf: string;
  readonly hosts: string;
  readonly hostnameFile: string;
}

/** What `reserve` took for a container. */
export interface Reservation extends ContainerFiles {
  readonly endpoints: readonly NetworkEndpoint[];
  readonly ports: readonly PublishedPort[];
  /**
   * Undefined for root. Without root all containers of a store share one user namespace: this process is in it, and stays for as
   * long as the reservation. Enter it with `nsenter --user --target PID --` (which makes the caller root in there, with all
   * capabilities; no newuidmap, no gate), then `unshare --mount --propagation private …`. The network namespace that the runtime
   * makes then belongs to it, which is what `attach` needs. `host` and `none` need it, too.
   */
  readonly userNamespacePid?: number;
}

/**
 * The networks of a store. The truth is in its database: links, rules and names servers are made from it, and made right by each
 * later change. Names are names, IDs or unique prefixes of IDs. Messages are Docker's.
 */
export interface Networks {
  /** By name; `bridge`, `host` and `none` are among them. */
  list(): readonly NetworkRecord[];
  /** Fails with NETWORK_NOT_FOUND and NETWORK_AMBIGUOUS. */
  get(name: string): NetworkRecord;
  /** Fails with NETWORK_EXISTS, NETWORK_INVALID and NETWORK_UNSUPPORTED. */
  create(request: CreateNetwork): Promise<NetworkRecord>;
  /** Fails with NETWORK_NOT_FOUND, NETWORK_IN_USE while a container that runs is on it, and NETWORK_INVALID for a predefined one. */
  remove(name: string): Promise<NetworkRecord>;
  /** The running containers on a network. */
  members(networkId: string): readonly (NetworkEndpoint & { readonly containerId: string; readonly containerName: string })[];
  /**
   * Before `create` of the runtime: takes addresses and host ports, and makes what the container's files say true. Call it at each
   * start, also with no network or `host` alone. A reservation of the same container that is there is given back first. Fails with
   * NETWORK_PORT_TAKEN, NETWORK_ADDRESS_TAKEN, NETWORK_EXHAUSTED, NETWORK_NOT_FOUND and NETWORK_PROGRAM_MISSING.
   */
  reserve(attachment: Attachment, options?: { readonly signal?: AbortSignal }): Promise<Reservation>;
  /**
   * Between `create` and `start` of the runtime: interfaces, addresses, routes, rules and names, for what was reserved.
   * `netnsPath` is `/proc/PID/ns/net`; does nothing for `host` and `none`.
   */
  attach(containerId: string, netnsPath: string, options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** Gives everything of a container back. Safe to call twice, and for one that was never reserved. */
  detach(containerId: string): Promise<void>;
  /** Puts a running container on one more network. */
  connect(
    containerId: string,
    netnsPath: string,
    wish: EndpointWish,
    options?: { readonly signal?: AbortSignal },
  ): Promise<NetworkEndpoint>;
  disconnect(containerId: string, netnsPath: string, network: string): Promise<void>;
  /** Fails where the network cannot give what is wished: NETWORK_NOT_FOUND, NETWORK_INVALID. Nothing is taken. */
  check(wish: EndpointWish): void;
  /** What the files of a running container have to say now. `networks` of the attachment does not count: it is on those that it is on. */
  files(attachment: Attachment): ContainerFiles;
  /** `docker rename`: its new name resolves instead of the old one. */
  rename(containerId: string, containerName: string): Promise<void>;
  /**
   * Forgets what containers left that are not there any more: addresses, rules, links, processes; and starts again what was killed
   * of the processes that serve the others: names, the way out, forwarded ports. Cheap where there is nothing to do.
   */
  sweep(isThere: (containerId: string) => boolean): Promise<void>;
}

export interface NetworksOptions {
  readonly state: State;
  /** The store's folder. */
  readonly root: string;
  /** Folders to look for programs in: a PATH. */
  readonly path: string;
  readonly onWarning?: (message: string) => void;
}
