import { message } from "./codec.ts";
import { boolean, embedded, enumeration, integer, packedIntegers, repeated, repeatedText, text } from "./fields.ts";
import type { CdiDevice, ExecMeta, ExecOp, Mount, MountCredential, ProxyEnv, SecretEnv } from "./types.ts";

const credential = message<MountCredential>("SecretOpt", {
  id: text(1),
  uid: integer(2),
  gid: integer(3),
  mode: integer(4),
  optional: boolean(5),
});
const mount = message<Mount>("Mount", {
  input: integer(1),
  selector: text(2),
  dest: text(3),
  output: integer(4),
  readonly: boolean(5),
  type: enumeration(6, ["bind", "secret", "ssh", "cache", "tmpfs"]),
  tmpfs: embedded(19, message<{ readonly size: number }>("TmpfsOpt", { size: integer(1) })),
  cache: embedded(
    20,
    message<NonNullable<Mount["cache"]>>("CacheOpt", {
      id: text(1),
      sharing: enumeration(2, ["shared", "private", "locked"]),
    }),
  ),
  secret: embedded(21, credential),
  ssh: embedded(22, credential),
  resultId: text(23),
  contentCache: enumeration(24, ["default", "on", "off"]),
});

const proxyEnv = message<ProxyEnv>("ProxyEnv", {
  httpProxy: text(1),
  httpsProxy: text(2),
  ftpProxy: text(3),
  noProxy: text(4),
  allProxy: text(5),
});
const meta = message<ExecMeta>("Meta", {
  args: repeatedText(1),
  env: repeatedText(2),
  cwd: text(3),
  user: text(4),
  proxyEnv: embedded(5, proxyEnv),
  extraHosts: repeated(
    6,
    message<{ readonly host: string; readonly ip: string }>("HostIP", {
      host: text(1),
      ip: text(2),
    }),
  ),
  hostname: text(7),
  ulimit: repeated(
    9,
    message<{ readonly name: string; readonly soft: number; readonly hard: number }>("Ulimit", {
      name: text(1),
      soft: integer(2),
      hard: integer(3),
    }),
  ),
  cgroupParent: text(10),
  removeMountStubsRecursive: boolean(11),
  validExitCodes: packedIntegers(12),
});

/** `meta` is required by us, optional on the wire. */
export type WireExec = Omit<ExecOp, "meta"> & { readonly meta?: ExecMeta };
/** ExecOp of solver/pb/ops.proto. */
export const wireExec = message<WireExec>("ExecOp", {
  meta: embedded(1, meta),
  mounts: repeated(2, mount),
  network: enumeration(3, ["unset", "host", "none"]),
  security: enumeration(4, ["sandbox", "insecure"]),
  secretEnv: repeated(5, message<SecretEnv>("SecretEnv", { id: text(1), name: text(2), optional: boolean(3) })),
  cdiDevices: repeated(6, message<CdiDevice>("CDIDevice", { name: text(1), optional: boolean(2) })),
});
