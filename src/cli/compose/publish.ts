import { defineCommand } from "../command.ts";
import { VarveError } from "../../errors/index.ts";
import { openContext } from "./open-context.ts";
import { fileAccess, readProject } from "./open-project.ts";

export const composePublish = defineCommand({
  usage: "[OPTIONS] REPOSITORY[:TAG]",
  flags: {
    app: { kind: "bool", help: "Publish the images that are used, too", only: ["false"] },
    "oci-version": {
      kind: "string",
      help: "OCI image/artifact specification version: 1.0 or 1.1 (automatically determined by default)",
    },
    "resolve-image-digests": { kind: "bool", help: "Pin image tags to digests" },
    "with-env": { kind: "bool", help: "Include environment variables in the published OCI artifact" },
    yes: { kind: "bool", short: "y", help: 'Assume "yes" as answer to all prompts' },
  },
  args: { min: 1, max: 1 },
  failureExitCode: 1,
  async run(call) {
    const { flags, args, io } = call;
    const [repository = ""] = args;
    const ociVersion = flags["oci-version"] || undefined;
    if (ociVersion !== undefined && ociVersion !== "1.0" && ociVersion !== "1.1")
      throw new VarveError("USAGE", `unsupported OCI version: ${ociVersion}`, { hint: "there are 1.0 and 1.1" });
    const project = await readProject(call, [], { profiles: ["*"], resolveEnvironment: false });
    const context = await openContext(call, project, { title: "Publishing" });
    const { publishProject } = await import("../../compose/index.ts");
    await publishProject(context, repository, {
      readFile: fileAccess(io).readFile,
      nowMs: io.now(),
      resolveDigests: flags["resolve-image-digests"] === true,
      withEnv: flags["with-env"] === true,
      yes: flags.yes === true,
      ...(ociVersion === undefined ? {} : { ociVersion }),
    });
  },
});
