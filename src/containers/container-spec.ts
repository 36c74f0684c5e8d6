import type { SpecPlace } from "./spec-place.ts";
import type { ContainerConfig } from "./types.ts";

/** The `config.json` of a container (OCI runtime-spec) as text, and the path of its cgroup, "" where it has none. Pure. */
export function makeContainerSpec(
  config: ContainerConfig,
  place: SpecPlace,
): { readonly text: string; readonly cgroupsPath: string } {
  const { user, facts } = place;
  const cgroupsPath = facts.userNamespace ? "" : `/varve/${place.id}`;
  const harmless = ["nosuid", "noexec", "nodev"];
  const spec = {
    ociVersion: "1.0.2",
    root: { path: place.rootPath, readonly: config.host.readonlyRoot },
    hostname: config.hostname,
    process: {
      terminal: config.tty,
      user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
      args: [...config.entrypoint, ...config.command],
      env: config.env,
      cwd: config.workingDir === "" ? "/" : config.workingDir,
    },
    mounts: [
      { destination: "/proc", type: "proc", source: "proc", options: harmless },
      { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "strictatime", "mode=755", "size=65536k"] },
      {
        destination: "/dev/pts",
        type: "devpts",
        source: "devpts",
        options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666"],
      },
      { destination: "/etc/hosts", type: "bind", source: place.files.hosts, options: ["rbind"] },
      { destination: "/etc/resolv.conf", type: "bind", source: place.files.resolvConf, options: ["rbind"] },
      { destination: "/etc/hostname", type: "bind", source: place.files.hostname, options: ["rbind"] },
      ...place.mounts.map((mount) =>
        mount.type === "bind"
          ? {
              destination: mount.target,
              type: "bind",
              source: mount.source,
              options: ["rbind", ...(mount.readonly ? ["ro"] : [])],
            }
          : { destination: mount.target, type: "tmpfs", source: "tmpfs", options: mount.options },
      ),
    ],
    linux: {
      namespaces: [
        ...(["pid", "ipc", "uts", "network"] as const).flatMap((type) => {
          const path = place.namespaces[type];
          if (path === "host") return [];
          return [path === undefined ? { type } : { type, path }];
        }),
        { type: "mount" },
      ],
      ...(cgroupsPath === "" ? {} : { cgroupsPath }),
    },
  };
  return { text: JSON.stringify(spec), cgroupsPath };
}
