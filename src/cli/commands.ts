import type { Command } from "./command.ts";
import { composeCommands } from "./compose/commands.ts";
import { bootCommands, containerCommands } from "./containers/commands.ts";
import { networkCommands } from "./networks/commands.ts";

/** A command's names and where it is. Loaded when it is called, so that each command pays for itself only. */
export interface CommandEntry {
  /** The first is the name that help and docs use; the others are Docker's other ways to say it. */
  readonly names: readonly [string, ...string[]];
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

export const commands: readonly CommandEntry[] = [
  {
    names: ["build", "image build", "builder build", "buildx build", "buildx b"],
    summary: "Build an image from a Dockerfile",
    load: async () => (await import("./commands/build.ts")).build,
  },
  {
    names: ["lint"],
    summary: "Find what is doubtful in Dockerfiles, and put it right",
    load: async () => (await import("./commands/lint.ts")).lint,
  },
  {
    names: ["explain"],
    summary: "Say why the steps of a build ran",
    load: async () => (await import("./commands/explain.ts")).explain,
  },
  {
    names: ["verify"],
    summary: "Build an image again, and say whether the bytes agree",
    load: async () => (await import("./commands/verify.ts")).verify,
  },
  ...containerCommands,
  {
    names: ["images", "image ls", "image list"],
    summary: "List images",
    load: async () => (await import("./commands/images.ts")).images,
  },
  {
    names: ["inspect"],
    summary: "Show everything known of containers, images, networks and volumes as JSON",
    load: async () => (await import("./commands/inspect.ts")).inspect,
  },
  {
    names: ["image inspect"],
    summary: "Show everything known of one or more images as JSON",
    load: async () => (await import("./commands/inspect.ts")).imageInspect,
  },
  {
    names: ["history", "image history"],
    summary: "Show the steps that an image was made by",
    load: async () => (await import("./commands/history.ts")).history,
  },
  {
    names: ["history ls", "buildx history ls", "history list"],
    summary: "List the builds that were recorded",
    load: async () => (await import("./commands/history-ls.ts")).listBuilds,
  },
  {
    names: ["history inspect", "buildx history inspect"],
    summary: "Show what is known of a build",
    load: async () => (await import("./commands/history-inspect.ts")).inspectBuild,
  },
  {
    names: ["history logs", "buildx history logs"],
    summary: "Print all that a build said",
    load: async () => (await import("./commands/history-logs.ts")).printBuildLogs,
  },
  {
    names: ["history rm", "buildx history rm"],
    summary: "Remove the records of builds",
    load: async () => (await import("./commands/history-rm.ts")).removeBuilds,
  },
  {
    names: ["rmi", "image rm", "image remove"],
    summary: "Remove one or more images",
    load: async () => (await import("./commands/remove.ts")).remove,
  },
  {
    names: ["image prune"],
    summary: "Remove images without a name, or all of them",
    load: async () => (await import("./commands/image-prune.ts")).imagePrune,
  },
  {
    names: ["buildx create", "builder create"],
    summary: "Make a builder: a store of its own on this machine",
    load: async () => (await import("./commands/buildx-create.ts")).buildxCreate,
  },
  {
    names: ["buildx ls", "builder ls", "buildx list", "builder list"],
    summary: "List builders",
    load: async () => (await import("./commands/buildx-builders.ts")).buildxLs,
  },
  {
    names: ["buildx inspect", "builder inspect"],
    summary: "Show what is known of a builder",
    load: async () => (await import("./commands/buildx-builders.ts")).buildxInspect,
  },
  {
    names: ["buildx use", "builder use"],
    summary: "Choose the builder that is used where none is named",
    load: async () => (await import("./commands/buildx-builders.ts")).buildxUse,
  },
  {
    names: ["buildx stop", "builder stop"],
    summary: "Mark a builder as stopped until it is used again",
    load: async () => (await import("./commands/buildx-builders.ts")).buildxStop,
  },
  {
    names: ["buildx rm", "builder rm", "buildx remove", "builder remove"],
    summary: "Remove one or more builders with their caches",
    load: async () => (await import("./commands/buildx-builders.ts")).buildxRm,
  },
  {
    names: ["buildx imagetools create", "builder imagetools create"],
    summary: "Put an image of several platforms together at a registry",
    load: async () => (await import("./commands/imagetools.ts")).imagetoolsCreate,
  },
  {
    names: ["buildx imagetools inspect", "builder imagetools inspect"],
    summary: "Show what an image at a registry is made of",
    load: async () => (await import("./commands/imagetools.ts")).imagetoolsInspect,
  },
  {
    names: ["manifest create"],
    summary: "Begin a list of the manifests of several platforms",
    load: async () => (await import("./commands/manifest.ts")).manifestCreate,
  },
  {
    names: ["manifest annotate"],
    summary: "Say which platform a manifest of a list is for",
    load: async () => (await import("./commands/manifest.ts")).manifestAnnotate,
  },
  {
    names: ["manifest inspect"],
    summary: "Show a manifest at a registry, or a list",
    load: async () => (await import("./commands/manifest.ts")).manifestInspect,
  },
  {
    names: ["manifest push"],
    summary: "Send a list to its registry",
    load: async () => (await import("./commands/manifest.ts")).manifestPush,
  },
  {
    names: ["manifest rm"],
    summary: "Remove lists that were begun",
    load: async () => (await import("./commands/manifest.ts")).manifestRm,
  },
  {
    names: ["builder prune", "buildx prune"],
    summary: "Remove build cache that nobody needs",
    load: async () => (await import("./commands/prune.ts")).prune,
  },
  {
    names: ["buildx du", "builder du"],
    summary: "Show what is in the store, how much room it takes and what can go",
    load: async () => (await import("./commands/du.ts")).du,
  },
  {
    names: ["system df"],
    summary: "Show how much room images, containers, volumes and build cache take",
    load: async () => (await import("./commands/system-df.ts")).systemDf,
  },
  {
    names: ["system prune"],
    summary: "Remove stopped containers, unused networks, images without a name and build cache",
    load: async () => (await import("./commands/system-prune.ts")).systemPrune,
  },
  {
    names: ["tag", "image tag"],
    summary: "Give an image one more name",
    load: async () => (await import("./commands/tag.ts")).tag,
  },
  {
    names: ["save", "image save"],
    summary: "Write images to a tar archive",
    load: async () => (await import("./commands/save.ts")).save,
  },
  {
    names: ["load", "image load"],
    summary: "Take images from a tar archive",
    load: async () => (await import("./commands/load.ts")).load,
  },
  {
    names: ["import", "image import"],
    summary: "Make an image of a tar archive of files",
    load: async () => (await import("./commands/container-images.ts")).importFiles,
  },
  {
    names: ["pull", "image pull"],
    summary: "Get an image from a registry",
    load: async () => (await import("./commands/pull.ts")).pull,
  },
  {
    names: ["push", "image push"],
    summary: "Send an image to a registry",
    load: async () => (await import("./commands/push.ts")).push,
  },
  {
    names: ["login"],
    summary: "Log in to a registry",
    load: async () => (await import("./commands/login.ts")).login,
  },
  {
    names: ["logout"],
    summary: "Log out from a registry",
    load: async () => (await import("./commands/logout.ts")).logout,
  },
  {
    names: ["context ls", "context list"],
    summary: "List the files of a build context, the steps that read them and the ignore rules that decided",
    load: async () => (await import("./commands/context-files.ts")).contextFiles,
  },
  {
    names: ["cache mounts ls", "cache mounts list"],
    summary: "List cache mounts",
    load: async () => (await import("./commands/cache-mounts.ts")).listMounts,
  },
  {
    names: ["cache mounts rm", "cache mounts remove"],
    summary: "Remove cache mounts that no step uses",
    load: async () => (await import("./commands/cache-mounts.ts")).removeMounts,
  },
  {
    names: ["cache mounts prune"],
    summary: "Remove all cache mounts that no step uses",
    load: async () => (await import("./commands/cache-mounts.ts")).pruneMounts,
  },
  {
    names: ["cache mounts export"],
    summary: "Copy cache mounts to a folder, an archive or a registry",
    load: async () => (await import("./commands/cache-mounts.ts")).exportMounts,
  },
  {
    names: ["cache mounts import"],
    summary: "Take cache mounts from a folder, an archive or a registry",
    load: async () => (await import("./commands/cache-mounts.ts")).importMounts,
  },
  {
    names: ["version", "builder version"],
    summary: "Show versions",
    load: async () => (await import("./commands/version.ts")).version,
  },
  {
    names: ["buildx version"],
    summary: "Show which buildx's commands these are",
    load: async () => (await import("./commands/version.ts")).buildxVersionCommand,
  },
  {
    names: ["info", "system info"],
    summary: "Show what is known of this machine and its store",
    load: async () => (await import("./commands/info.ts")).info,
  },
  {
    names: ["docker-shim install"],
    summary: "Put commands named docker and docker-compose into a folder that run Varve",
    load: async () => (await import("./commands/docker-shim.ts")).installDockerShim,
  },
  {
    names: ["docker-shim uninstall"],
    summary: "Remove the commands that docker-shim put into a folder",
    load: async () => (await import("./commands/docker-shim.ts")).uninstallDockerShim,
  },
  {
    names: ["docker-context ls", "docker-context list"],
    summary: "List Docker's contexts, of which there is one; under Docker's name this is docker context ls",
    load: async () => (await import("./commands/docker-context.ts")).dockerContextLs,
  },
  {
    names: ["context show"],
    summary: "Print the name of Docker's context in use",
    load: async () => (await import("./commands/docker-context.ts")).dockerContextShow,
  },
  {
    names: ["context use"],
    summary: "Choose Docker's context",
    load: async () => (await import("./commands/docker-context.ts")).dockerContextUse,
  },
  {
    names: ["context inspect"],
    summary: "Show Docker's context as JSON",
    load: async () => (await import("./commands/docker-context.ts")).dockerContextInspect,
  },
  ...networkCommands,
  ...bootCommands,
  ...composeCommands,
];

/** What the names with several words begin with: `image`, `buildx history` … */
export const groups: readonly string[] = [
  ...new Set(
    commands.flatMap(({ names }) =>
      names.flatMap((name) => {
        const words = name.split(" ");
        return words.slice(1).map((_, index) => words.slice(0, index + 1).join(" "));
      }),
    ),
  ),
];

/** Commands of Docker that are still to come: they are refused as such, not as typing errors. */
export const laterCommands: ReadonlySet<string> = new Set(
  "bake init node plugin search secret service stack swarm trust".split(" "),
);

/** Further words of Docker's that begin with the name of a command, and are none of its arguments. */
const laterSubcommands: ReadonlySet<string> = new Set(["export", "import", "open", "trace"].map((name) => `history ${name}`));

/** The command that the first words name, and the words after its name. */
export function findCommand(
  words: readonly string[],
): { readonly entry: CommandEntry; readonly name: string; readonly rest: readonly string[] } | undefined {
  if (laterSubcommands.has(words.slice(0, 2).join(" "))) return undefined;
  for (const length of [3, 2, 1]) {
    const name = words.slice(0, length).join(" ");
    const entry = commands.find(({ names }) => names.includes(name));
    if (entry !== undefined) return { entry, name, rest: words.slice(length) };
  }
  return undefined;
}
