import type { CommandEntry } from "../commands.ts";

/** The commands of containers, by Docker's short names and below `container`. */
export const containerCommands: readonly CommandEntry[] = [
  {
    names: ["run", "container run"],
    summary: "Create and run a new container from an image",
    load: async () => (await import("../commands/run.ts")).run,
  },
  {
    names: ["exec", "container exec"],
    summary: "Execute a command in a running container",
    load: async () => (await import("../commands/exec.ts")).exec,
  },
  {
    names: ["attach", "container attach"],
    summary: "Attach local standard input, output, and error streams to a running container",
    load: async () => (await import("../commands/attach.ts")).attach,
  },
  {
    names: ["logs", "container logs"],
    summary: "Fetch the logs of a container",
    load: async () => (await import("../commands/logs.ts")).logs,
  },
  {
    names: ["cp", "container cp"],
    summary: "Copy files between a container and this machine",
    load: async () => (await import("../commands/cp.ts")).cp,
  },
  {
    names: ["top", "container top"],
    summary: "Show the processes of a container",
    load: async () => (await import("../commands/top.ts")).top,
  },
  {
    names: ["port", "container port"],
    summary: "List the published ports of a container",
    load: async () => (await import("../commands/port.ts")).port,
  },
  {
    names: ["stats", "container stats"],
    summary: "Show what containers use of this machine",
    load: async () => (await import("../commands/stats.ts")).stats,
  },
  {
    names: ["ps", "container ls", "container list", "container ps"],
    summary: "List containers",
    load: async () => (await import("../commands/ps.ts")).ps,
  },
  {
    names: ["create", "container create"],
    summary: "Create a new container",
    load: async () => (await import("../commands/container-lifecycle.ts")).create,
  },
  {
    names: ["start", "container start"],
    summary: "Start one or more stopped containers",
    load: async () => (await import("../commands/container-lifecycle.ts")).start,
  },
  {
    names: ["stop", "container stop"],
    summary: "Stop one or more running containers",
    load: async () => (await import("../commands/container-lifecycle.ts")).stop,
  },
  {
    names: ["restart", "container restart"],
    summary: "Restart one or more containers",
    load: async () => (await import("../commands/container-lifecycle.ts")).restart,
  },
  {
    names: ["kill", "container kill"],
    summary: "Kill one or more running containers",
    load: async () => (await import("../commands/container-lifecycle.ts")).kill,
  },
  {
    names: ["rm", "container rm", "container remove"],
    summary: "Remove one or more containers",
    load: async () => (await import("../commands/container-lifecycle.ts")).rm,
  },
  {
    names: ["wait", "container wait"],
    summary: "Block until one or more containers stop, then print their exit codes",
    load: async () => (await import("../commands/container-lifecycle.ts")).wait,
  },
  {
    names: ["rename", "container rename"],
    summary: "Rename a container",
    load: async () => (await import("../commands/container-lifecycle.ts")).rename,
  },
  {
    names: ["update", "container update"],
    summary: "Update configuration of one or more containers",
    load: async () => (await import("../commands/update.ts")).update,
  },
  {
    names: ["pause", "container pause"],
    summary: "Pause all processes within one or more containers",
    load: async () => (await import("../commands/container-lifecycle.ts")).pause,
  },
  {
    names: ["unpause", "container unpause"],
    summary: "Unpause all processes within one or more containers",
    load: async () => (await import("../commands/container-lifecycle.ts")).unpause,
  },
  {
    names: ["diff", "container diff"],
    summary: "Show what a container changed of its image's files",
    load: async () => (await import("../commands/container-images.ts")).diff,
  },
  {
    names: ["commit", "container commit"],
    summary: "Make an image of a container's changes",
    load: async () => (await import("../commands/container-images.ts")).commit,
  },
  {
    names: ["export", "container export"],
    summary: "Write a container's files as a tar archive",
    load: async () => (await import("../commands/container-images.ts")).exportFiles,
  },
  {
    names: ["container inspect"],
    summary: "Display detailed information on one or more containers",
    load: async () => (await import("../commands/inspect.ts")).containerInspect,
  },
  {
    names: ["container prune"],
    summary: "Remove all stopped containers",
    load: async () => (await import("../commands/container-lifecycle.ts")).containerPrune,
  },
  {
    names: ["events", "system events"],
    summary: "Tell what happens to containers",
    load: async () => (await import("../commands/events.ts")).events,
  },
];

/** Containers that come up with the machine. */
export const bootCommands: readonly CommandEntry[] = [
  {
    names: ["boot install"],
    summary: "Have containers started with this machine where their restart policies say so: writes a unit of systemd's",
    load: async () => (await import("../commands/boot.ts")).bootInstall,
  },
  {
    names: ["boot remove"],
    summary: "Have no containers started with this machine",
    load: async () => (await import("../commands/boot.ts")).bootRemove,
  },
  {
    names: ["boot start"],
    summary: "Start the containers whose restart policies want them up after a start of the machine",
    load: async () => (await import("../commands/boot.ts")).bootStart,
  },
];
