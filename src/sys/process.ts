import { call } from "./libc.ts";

const resources = {
  cpu: 0,
  fsize: 1,
  data: 2,
  stack: 3,
  core: 4,
  rss: 5,
  nproc: 6,
  nofile: 7,
  memlock: 8,
  as: 9,
  locks: 10,
  sigpending: 11,
  msgqueue: 12,
  nice: 13,
  rtprio: 14,
  rttime: 15,
} as const;

/** The names of `docker build --ulimit`. */
export type Resource = keyof typeof resources;

/** In the units of getrlimit(2); `Infinity` is no limit. */
export interface Rlimit {
  readonly soft: number;
  readonly hard: number;
}

const unlimited = 0xffff_ffff_ffff_ffffn;

/** The limit of this process. */
export function getrlimit(resource: Resource): Rlimit {
  const buffer = Buffer.alloc(16);
  call("getrlimit", resource, (c) => c.getrlimit(resources[resource], buffer));
  const read = (offset: number): number => {
    const value = buffer.readBigUInt64LE(offset);
    return value === unlimited ? Infinity : Number(value);
  };
  return { soft: read(0), hard: read(8) };
}

/** Sets a limit of this process and those it starts. A hard limit above the present one is EPERM without CAP_SYS_RESOURCE. */
export function setrlimit(resource: Resource, { soft, hard }: Rlimit): void {
  const buffer = Buffer.alloc(16);
  for (const [offset, value] of [
    [0, soft],
    [8, hard],
  ] as const) {
    buffer.writeBigUInt64LE(value === Infinity ? unlimited : BigInt(value), offset);
  }
  call("setrlimit", resource, (c) => c.setrlimit(resources[resource], buffer));
}
