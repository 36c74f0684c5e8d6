import type { OciDevice } from "./oci-spec.ts";

/** Loop devices that an insecure step finds; it can make more by itself. */
const loopCount = 8;

const character = (path: string, major: number, minor: number): OciDevice => ({ path, type: "c", major, minor });

/**
 * The devices that a step with `--security=insecure` has beside the usual ones, as BuildKit gives them: file systems in user
 * space, virtual machines, tunnels and loops. Numbers: Linux, admin-guide/devices.txt.
 */
export const insecureDevices: readonly OciDevice[] = [
  character("/dev/kmsg", 1, 11),
  character("/dev/cuse", 10, 203),
  character("/dev/fuse", 10, 229),
  character("/dev/kvm", 10, 232),
  character("/dev/net/tun", 10, 200),
  character("/dev/loop-control", 10, 237),
  ...Array.from({ length: loopCount }, (_, minor): OciDevice => ({ path: `/dev/loop${minor}`, type: "b", major: 7, minor })),
];
