import { defineCommand } from "../command.ts";
import { openContext } from "./open-context.ts";
import { readProject } from "./open-project.ts";
import { printWarning } from "./print-warning.ts";

export const composeBuild = defineCommand({
  usage: "[OPTIONS] [SERVICE...]",
  flags: {
    "build-arg": { kind: "list", help: "Set build-time variables for services" },
    builder: { kind: "string", help: "Set builder to use" },
    check: { kind: "bool", help: "Check build configuration", only: ["false"] },
    memory: { kind: "string", short: "m", help: "Set memory limit for the build container", only: [] },
    "no-cache": { kind: "bool", help: "Do not use cache when building the image" },
    print: { kind: "bool", help: "Print equivalent bake file", only: ["false"] },
    provenance: { kind: "string", help: "Add a provenance attestation", bare: "true", only: ["false"] },
    pull: { kind: "bool", help: "Always attempt to pull a newer version of the image" },
    push: { kind: "bool", help: "Push service images" },
    quiet: { kind: "bool", short: "q", help: "Suppress the build output" },
    sbom: { kind: "string", help: "Add a SBOM attestation", bare: "true", only: ["false"] },
    ssh: { kind: "list", help: "Set SSH authentications used when building service images" },
    "with-dependencies": { kind: "bool", help: "Also build dependencies (transitively)" },
  },
  args: { min: 0, max: Infinity },
  failureExitCode: 1,
  async run(call) {
    const { flags, args } = call;
    const project = await readProject(call, args);
    const { buildServices, selectServices } = await import("../../compose/index.ts");
    const context = await openContext(call, project, { title: "Building", quietBuild: flags.quiet === true });
    const services = selectServices(project.services, args, { alone: flags["with-dependencies"] !== true }).filter(
      ({ build }) => build !== undefined,
    );
    if (services.length === 0) printWarning(call, { message: "No services to build" });
    await buildServices(context, services, {
      buildArgs: flags["build-arg"],
      noCache: flags["no-cache"] === true,
      pull: flags.pull === true,
      push: flags.push === true,
      ssh: flags.ssh,
      ...(flags.builder === undefined ? {} : { builder: flags.builder }),
      ...(flags.provenance === undefined ? {} : { provenance: flags.provenance }),
      ...(flags.sbom === undefined ? {} : { sbom: flags.sbom }),
    });
  },
});
