/** A volume, as `docker volume inspect` knows it. */
export interface VolumeRecord {
  /** Anonymous ones: 64 hexadecimal digits. */
  readonly name: string;
  readonly driver: "local";
  readonly createdMs: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Of the local driver: `type`, `o`, `device`. */
  readonly options: Readonly<Record<string, string>>;
  /** Made for a mount without a name: `docker volume prune` takes it. */
  readonly anonymous: boolean;
  /** The folder with its files. */
  readonly mountpoint: string;
}

export interface CreateVolume {
  /** Default: a random one, and the volume is anonymous. */
  readonly name?: string;
  /** Only `local`. */
  readonly driver?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly options?: Readonly<Record<string, string>>;
}

/** How a volume is mounted: bind the folder, or mount a tmpfs with these options. */
export type VolumeMount =
  | { readonly type: "bind"; readonly source: string; readonly readonly: boolean }
  | { readonly type: "tmpfs"; readonly options: readonly string[] };

/** The volumes of a store: `volumes/NAME/_data`, and a row for each. Messages are Docker's. */
export interface Volumes {
  /** By name. */
  list(): readonly VolumeRecord[];
  /** Fails with VOLUME_NOT_FOUND. Names are whole. */
  get(name: string): VolumeRecord;
  has(name: string): boolean;
  /**
   * Makes a volume; one that is there is returned as it is, whatever its labels and options are, as Docker does. Fails with
   * VOLUME_INVALID and VOLUME_UNSUPPORTED.
   */
  create(request?: CreateVolume): Promise<VolumeRecord>;
  /** What a container mounts for it. */
  mountOf(name: string): VolumeMount;
  /** Whether nothing was ever copied into it: what {@link needsSeeding} says of it may change while another one does. */
  isFresh(name: string): boolean;
  /**
   * Whether the files that an image has at the place of the mount are still to be copied in: nothing was ever mounted, and the folder
   * is empty. (Docker docs, "Volumes", "Populate a volume using a container")
   */
  needsSeeding(name: string): boolean;
  /** After the first mount: nothing is copied into it any more. */
  markSeeded(name: string): void;
  /** Fails with VOLUME_NOT_FOUND, and VOLUME_IN_USE where a container, running or not, uses it. */
  remove(name: string, options: { readonly usedBy: UsedBy; readonly force?: boolean }): Promise<void>;
  /** Removes what no container uses: anonymous ones, or all; as in Docker none with options. */
  prune(options: {
    readonly usedBy: UsedBy;
    readonly all?: boolean;
    readonly accepts?: (volume: VolumeRecord) => boolean;
  }): Promise<{ readonly removed: readonly string[]; readonly freedBytes: number }>;
  /** What it takes on the disk. */
  measure(name: string): Promise<number>;
}

/** IDs of the containers, running or not, that mount a volume. */
export type UsedBy = (volume: string) => readonly string[];
