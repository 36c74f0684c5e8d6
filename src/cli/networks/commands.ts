import type { CommandEntry } from "../commands.ts";

/** The commands of what containers share: networks and volumes. */
export const networkCommands: readonly CommandEntry[] = [
  {
    names: ["network create"],
    summary: "Create a network",
    load: async () => (await import("../commands/network.ts")).networkCreate,
  },
  {
    names: ["network ls", "network list"],
    summary: "List networks",
    load: async () => (await import("../commands/network.ts")).networkLs,
  },
  {
    names: ["network inspect"],
    summary: "Show everything known of networks as JSON",
    load: async () => (await import("../commands/network.ts")).networkInspect,
  },
  {
    names: ["network rm", "network remove"],
    summary: "Remove one or more networks",
    load: async () => (await import("../commands/network.ts")).networkRm,
  },
  {
    names: ["network prune"],
    summary: "Remove all networks that no container uses",
    load: async () => (await import("../commands/network.ts")).networkPrune,
  },
  {
    names: ["network connect"],
    summary: "Connect a container to a network",
    load: async () => (await import("../commands/network.ts")).networkConnect,
  },
  {
    names: ["network disconnect"],
    summary: "Disconnect a container from a network",
    load: async () => (await import("../commands/network.ts")).networkDisconnect,
  },
  {
    names: ["volume create"],
    summary: "Create a volume",
    load: async () => (await import("../commands/volume.ts")).volumeCreate,
  },
  {
    names: ["volume ls", "volume list"],
    summary: "List volumes",
    load: async () => (await import("../commands/volume.ts")).volumeLs,
  },
  {
    names: ["volume inspect"],
    summary: "Show everything known of volumes as JSON",
    load: async () => (await import("../commands/volume.ts")).volumeInspect,
  },
  {
    names: ["volume rm", "volume remove"],
    summary: "Remove one or more volumes",
    load: async () => (await import("../commands/volume.ts")).volumeRm,
  },
  {
    names: ["volume prune"],
    summary: "Remove volumes that no container uses",
    load: async () => (await import("../commands/volume.ts")).volumePrune,
  },
];
