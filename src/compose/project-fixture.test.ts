import assert from "node:assert/strict";
import test from "node:test";
import type { Project, Service } from "../compose-file/index.ts";
import type { Container } from "../containers/index.ts";
import { labels } from "./labels.ts";
import { observe, shortName, type Observed } from "./observed.ts";

/** A project as the files' room would hand it over. */
export function projectOf(services: Readonly<Record<string, Omit<Service, "name">>>, more: Partial<Project> = {}): Project {
  return {
    name: "app",
    workingDir: "/src/app",
    composeFiles: ["/src/app/compose.yaml"],
    envFiles: [],
    environment: {},
    profiles: [],
    services: Object.fromEntries(
      Object.entries(services).map(([name, service]) => [name, { networks: { default: null }, ...service, name }]),
    ),
    disabledServices: {},
    networks: { default: { name: "app_default" } },
    volumes: {},
    secrets: {},
    configs: {},
    models: {},
    extensions: {},
    warnings: [],
    ...more,
  };
}

/** A container as the engine would list it. */
export function containerOf(
  service: string,
  number: number,
  made: {
    readonly hash?: string;
    readonly image?: string;
    readonly status?: Container["state"]["status"];
    readonly oneOff?: boolean;
  } = {},
): Container {
  return {
    id: `${service}${number}`.padEnd(64, "0"),
    name: `app-${service}-${number}`,
    createdMs: 0,
    config: {
      image: service,
      imageId: made.image ?? "image",
      labels: {
        [labels.project]: "app",
        [labels.service]: service,
        [labels.number]: String(number),
        [labels.configHash]: made.hash ?? "hash",
        [labels.oneOff]: made.oneOff === true ? "True" : "False",
      },
    },
    state: { status: made.status ?? "running", exitCode: 0, oomKilled: false, error: "", restartCount: 0 },
    mounts: [],
  } as unknown as Container;
}

export function observedOf(...containers: readonly Container[]): readonly Observed[] {
  return observe(containers, "app");
}

test("M80 containers of a project are known by their labels, in the order of services and numbers", () => {
  const stranger = { ...containerOf("db", 1), config: { ...containerOf("db", 1).config, labels: {} } };
  const found = observedOf(containerOf("web", 10), containerOf("web", 2), stranger, containerOf("db", 1));
  assert.deepEqual(found.map(shortName), ["db-1", "web-2", "web-10"]);
  assert.equal(shortName({ ...found[0]!, name: "database" }), "database");
});
