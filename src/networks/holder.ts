import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import type { Duplex } from "node:stream";
import { VarveError } from "../errors/index.ts";
import { mapIds, planIdMaps } from "../worker/index.ts";
import { hasIpv6 } from "./ipv6-here.ts";
import { lastWords, livingPid, startLasting, type Lasting } from "./processes.ts";
import { findProgram, needProgram, runIn, runProgram, type Place } from "./programs.ts";

/**
 * Starts the process that holds the namespaces of an ordinary user's store: the user namespace of all its containers, with the
 * user's subordinate ids, and the network namespace in which their bridges stand. It sleeps; whoever needs something enters.
 */
export async function startHolder(path: string, folder: string): Promise<Lasting> {
  const plan = planIdMaps();
  const gate = "echo >&3 && read -r _ <&3 && exec 3<&- && exec sleep infinity";
  const command = [needProgram("unshare", path), "--user", "--net", "sh", "-c", gate];
  const log = { folder, name: holderLog };
  const lasting = await startLasting(command, { ...log, further: ["pipe"] });
  const door = lasting.child.stdio[3] as Duplex;
  try {
    const refused = once(lasting.child, "exit").then(() => {
      throw new VarveError("WORKER_NO_USER_NAMESPACE", "this machine does not let an ordinary user make a user namespace", {
        hint: "check `unshare --user --net true`; on Ubuntu 24.04 and later AppArmor's restriction of user namespaces is in the way",
        cause: new Error(lastWords(log)),
      });
    });
    await Promise.race([once(door, "data"), refused]);
    await mapIds(lasting.child.pid ?? 0, plan);
  } catch (error) {
    lasting.child.kill("SIGKILL");
    throw error;
  }
  door.end("go\n");
  lasting.child.unref();
  const place = placeOf(path, lasting.child.pid ?? 0);
  await runIn(place, "ip", ["link", "set", "dev", "lo", "up"]);
  // what the runtime's default for new namespaces is, this one forwards
  await runProgram([...place.enter, findProgram("sh", path) ?? "/bin/sh", "-c", forward]);
  return lasting;
}

/** Also where IPv6 is not there. */
const forward = "cd /proc/sys/net && echo 1 >ipv4/ip_forward && if [ -e ipv6 ]; then echo 1 >ipv6/conf/all/forwarding; fi";

/** The namespaces of a holder, as a place to run programs in. */
export function placeOf(path: string, pid: number): Place {
  const nsenter = needProgram("nsenter", path);
  const user = `--user=/proc/${pid}/ns/user`;
  return {
    path,
    enter: [nsenter, user, `--net=/proc/${pid}/ns/net`, "--"],
    enterNetwork: (netnsPath) => [nsenter, user, `--net=${netnsPath}`, "--"],
  };
}

/** Names of the files in which the processes say what is wrong. */
export const [holderLog, wayOutLog] = ["holder", "way-out"];

/** The address at which slirp4netns serves names, and to which pasta is told to listen. (slirp4netns(1)) */
export const wayOutResolver = "10.0.2.3";

/**
 * Connects the holder's network namespace with the world, through slirp4netns or pasta. Undefined, and a warning, where this machine
 * does not let it work: then containers reach each other only, as with a Docker Engine that may not forward. Fails with
 * NETWORK_PROGRAM_MISSING.
 */
export async function startWayOut(
  path: string,
  holder: number,
  folder: string,
  onWarning: (message: string) => void,
): Promise<string | undefined> {
  if (!mayUseTun()) {
    onWarning(`${noWayOut}: /dev/net/tun is not open to this user; as root: chmod 666 /dev/net/tun`);
    return undefined;
  }
  const log = { folder, name: wayOutLog };
  const [user, net] = [`/proc/${holder}/ns/user`, `/proc/${holder}/ns/net`];
  const refused = (program: string): undefined => {
    onWarning(`${noWayOut}: ${program} failed: ${lastWords(log)}`);
    return undefined;
  };
  const slirp = findProgram("slirp4netns", path);
  if (slirp === undefined) {
    const pasta = findProgram("pasta", path);
    if (pasta === undefined) needProgram("slirp4netns", path);
    // addresses as slirp4netns has them: with this machine's own, as pasta does by itself, containers would not reach this machine
    const none = ["-t", "-u", "-T", "-U"].flatMap((flag) => [flag, "none"]);
    const names = ["--dns-forward", wayOutResolver, "--no-map-gw", "--no-dhcp", "--no-dhcpv6", "--no-ra"];
    const command = [
      pasta ?? "pasta",
      "--foreground",
      "--quiet",
      "--address=10.0.2.100",
      "--netmask=24",
      "--gateway=10.0.2.2",
      ...(hasIpv6() ? ["--address", "fd00:a:2::100", "--gateway", "fe80::2"] : ["--ipv4-only"]),
      "--config-net",
      ...none,
      ...names,
      "--userns",
      user,
      "--netns",
      net,
    ];
    const { child, owner } = await startLasting(command, log);
    const isUp = await untilRouted(placeOf(path, holder), () => child.exitCode === null && livingPid(owner) !== undefined);
    child.unref();
    return isUp ? owner : refused("pasta");
  }
  const flags = [
    "--configure",
    "--mtu=65520",
    "--disable-host-loopback",
    ...(hasIpv6() ? ["--enable-ipv6"] : []),
    "--ready-fd=3",
    `--userns-path=${user}`,
    "--netns-type=path",
  ];
  const { child, owner } = await startLasting([slirp, ...flags, net, "tap0"], { ...log, further: ["pipe"] });
  const ready = child.stdio[3] as Duplex;
  const isUp = await Promise.race([once(ready, "data").then(() => true), once(child, "exit").then(() => false)]);
  ready.destroy();
  child.unref();
  if (!isUp) return refused("slirp4netns");
  if (hasIpv6()) await runIn(placeOf(path, holder), "ip", ["-batch", "-"], { input: slirpIpv6 });
  return owner;
}

/** What slirp4netns leaves to router advertisements, which a namespace that forwards does not hear. (slirp4netns(1), libslirp) */
const slirpIpv6 = "address add fd00::100/64 nodad dev tap0\nroute add default via fd00::2 dev tap0\n";

const noWayOut = "containers have no way out of their networks";

/** Each distribution's udev opens it to everybody; a machine without udev leaves it to root. */
function mayUseTun(): boolean {
  try {
    accessSync("/dev/net/tun", constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Whether there is a default route, at last. */
async function untilRouted(place: Place, isAlive: () => boolean): Promise<boolean> {
  while (isAlive()) {
    if ((await runIn(place, "ip", ["route", "show", "default"])) !== "") return true;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return false;
}
