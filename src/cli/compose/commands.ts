import type { CommandEntry } from "../commands.ts";

/** The commands of `varve compose`, which take {@link composeFlags} before their name. */
export const composeCommands: readonly CommandEntry[] = [
  {
    names: ["compose config", "compose convert"],
    summary: "Print what the Compose files of a project mean",
    load: async () => (await import("./config.ts")).composeConfig,
  },
  {
    names: ["compose up"],
    summary: "Create and start a project's containers",
    load: async () => (await import("./up.ts")).composeUp,
  },
  {
    names: ["compose down"],
    summary: "Stop and remove a project's containers and networks",
    load: async () => (await import("./down.ts")).composeDown,
  },
  {
    names: ["compose build"],
    summary: "Build the images of services",
    load: async () => (await import("./build.ts")).composeBuild,
  },
  {
    names: ["compose ps"],
    summary: "List a project's containers",
    load: async () => (await import("./ps.ts")).composePs,
  },
  {
    names: ["compose logs"],
    summary: "Show what containers wrote",
    load: async () => (await import("./logs.ts")).composeLogs,
  },
  {
    names: ["compose exec"],
    summary: "Run a command in a running container of a service",
    load: async () => (await import("./exec.ts")).composeExec,
  },
  {
    names: ["compose run"],
    summary: "Run a command in a container of its own",
    load: async () => (await import("./run.ts")).composeRun,
  },
  {
    names: ["compose create"],
    summary: "Create containers for services",
    load: async () => (await import("./up.ts")).composeCreate,
  },
  {
    names: ["compose start"],
    summary: "Start services",
    load: async () => (await import("./lifecycle.ts")).composeStart,
  },
  {
    names: ["compose stop"],
    summary: "Stop services",
    load: async () => (await import("./lifecycle.ts")).composeStop,
  },
  {
    names: ["compose restart"],
    summary: "Restart services",
    load: async () => (await import("./lifecycle.ts")).composeRestart,
  },
  {
    names: ["compose kill"],
    summary: "Force containers of services to stop",
    load: async () => (await import("./lifecycle.ts")).composeKill,
  },
  {
    names: ["compose pause"],
    summary: "Pause services",
    load: async () => (await import("./lifecycle.ts")).composePause,
  },
  {
    names: ["compose unpause"],
    summary: "Unpause services",
    load: async () => (await import("./lifecycle.ts")).composeUnpause,
  },
  {
    names: ["compose rm"],
    summary: "Remove containers that do not run",
    load: async () => (await import("./lifecycle.ts")).composeRm,
  },
  {
    names: ["compose scale"],
    summary: "Choose how many containers services have",
    load: async () => (await import("./lifecycle.ts")).composeScale,
  },
  {
    names: ["compose wait"],
    summary: "Wait until containers of services stop",
    load: async () => (await import("./lifecycle.ts")).composeWait,
  },
  {
    names: ["compose pull"],
    summary: "Get the images of services",
    load: async () => (await import("./transfer.ts")).composePull,
  },
  {
    names: ["compose push"],
    summary: "Send the images of services that are built",
    load: async () => (await import("./transfer.ts")).composePush,
  },
  {
    names: ["compose images"],
    summary: "List the images that containers were made from",
    load: async () => (await import("./inspection.ts")).composeImages,
  },
  {
    names: ["compose top"],
    summary: "Show the processes of containers",
    load: async () => (await import("./inspection.ts")).composeTop,
  },
  {
    names: ["compose port"],
    summary: "Show where a port of a service is published",
    load: async () => (await import("./inspection.ts")).composePort,
  },
  {
    names: ["compose volumes"],
    summary: "List a project's volumes",
    load: async () => (await import("./inspection.ts")).composeVolumes,
  },
  {
    names: ["compose ls"],
    summary: "List projects",
    load: async () => (await import("./ls.ts")).composeLs,
  },
  {
    names: ["compose watch"],
    summary: "Follow changes of files, and bring services up to date with them",
    load: async () => (await import("./watch.ts")).composeWatch,
  },
  {
    names: ["compose version"],
    summary: "Show the version",
    load: async () => (await import("./inspection.ts")).composeVersion,
  },
  {
    names: ["compose cp"],
    summary: "Copy files between a container of a service and this machine",
    load: async () => (await import("./cp.ts")).composeCp,
  },
  {
    names: ["compose attach"],
    summary: "Attach to the streams of a running container of a service",
    load: async () => (await import("./attach.ts")).composeAttach,
  },
  {
    names: ["compose events"],
    summary: "Tell what happens to containers of a project",
    load: async () => (await import("./events.ts")).composeEvents,
  },
  {
    names: ["compose stats"],
    summary: "Show what containers of a project use",
    load: async () => (await import("./stats.ts")).composeStats,
  },
  {
    names: ["compose commit"],
    summary: "Make an image of what changed in a container of a service",
    load: async () => (await import("./container-images.ts")).composeCommit,
  },
  {
    names: ["compose export"],
    summary: "Write the files of a container of a service to a tar archive",
    load: async () => (await import("./container-images.ts")).composeExport,
  },
  {
    names: ["compose publish", "compose alpha publish"],
    summary: "Put the files of a project into a registry",
    load: async () => (await import("./publish.ts")).composePublish,
  },
  {
    names: ["compose bridge"],
    summary: "Refused: make another tool's files out of Compose files",
    load: async () => (await import("./refused.ts")).composeBridge,
  },
  {
    names: ["compose alpha"],
    summary: "Refused: Docker Compose's experiments",
    load: async () => (await import("./refused.ts")).composeAlpha,
  },
];
