import { includesFiles, isRemoteFile, type Project } from "../compose-file/index.ts";
import { isVarveError, VarveError } from "../errors/index.ts";
import { makeArtifact, type OciVersion, type PublishedFile } from "./artifact.ts";
import { allServices, type ProjectContext } from "./context.ts";
import { digestsFile, resolveImages } from "./image-digests.ts";
import { collectFiles, type ReadFile } from "./published-files.ts";
import { findSensitiveTexts } from "./sensitive-texts.ts";
import { pushServices } from "./transfer-images.ts";

export interface PublishOptions {
  readonly readFile: ReadFile;
  /** Default: 1.1, and 1.0 where the registry refuses that. */
  readonly ociVersion?: OciVersion;
  /** A file more, which pins the images to what the registries have now. */
  readonly resolveDigests?: boolean;
  /** With env_files and variables of services. */
  readonly withEnv?: boolean;
  /** Nothing is asked, and nothing is looked for that should not be published. */
  readonly yes?: boolean;
  readonly nowMs: number;
}

/**
 * Puts the files of a project into a registry, as an artifact that Docker Compose reads, too (`-f oci://…`); the images of services that
 * are built are pushed. The project is one with its env_files not read. Fails with PROJECT_UNPUBLISHABLE.
 */
export async function publishProject(context: ProjectContext, repository: string, options: PublishOptions): Promise<void> {
  const { project, engine, report, signal } = context;
  await refuseUnpublishable(project, options.readFile);
  if (options.yes !== true && !(await mayPublish(context, options))) return;
  await pushServices(context, { ignoreFailures: true });
  const files: PublishedFile[] = [...(await collectFiles(project, { ...options, withEnv: options.withEnv === true }))];
  if (options.resolveDigests === true) {
    const images = await resolveImages(project, {
      remoteImages: engine.remoteImages,
      ...(signal === undefined ? {} : { signal }),
    });
    files.push({ kind: "file", name: "image-digests.yaml", text: digestsFile(images) });
  }
  report({ subject: repository, text: "publishing", status: "", isUnderWay: true });
  const push = async (ociVersion: OciVersion): Promise<void> => {
    const artifact = makeArtifact(files, { ociVersion, createdMs: options.nowMs });
    await engine.remoteImages.pushArtifact(repository, artifact, signal === undefined ? {} : { signal });
  };
  try {
    try {
      await push(options.ociVersion ?? "1.1");
    } catch (error) {
      if (options.ociVersion !== undefined || !isRefused(error)) throw error;
      await push("1.0");
    }
  } catch (error) {
    report({ subject: repository, text: "publishing", status: "Error", failed: true });
    throw error;
  }
  report({ subject: repository, text: "published", status: "" });
}

/** A registry that does not know artifacts answers with 4xx; who may not write will not with another manifest, either. */
function isRefused(error: unknown): boolean {
  const status = isVarveError(error) ? error.details["status"] : undefined;
  return typeof status === "number" && status >= 400 && status < 500 && ![401, 403, 407].includes(status);
}

async function refuseUnpublishable(project: Project, readFile: ReadFile): Promise<void> {
  for (const path of project.composeFiles) {
    const text = await readFile(path);
    if (text !== undefined && includesFiles({ name: path, text }, isRemoteFile))
      throw new VarveError("PROJECT_UNPUBLISHABLE", "cannot publish compose file with local includes");
  }
  const built = Object.values(allServices(project)).filter(({ image, build }) => image === undefined && build !== undefined);
  if (built.length > 0)
    throw new VarveError(
      "PROJECT_UNPUBLISHABLE",
      `your Compose stack cannot be published as it only contains a build section for service(s):\n${built.map(({ name }) => `- "${name}"\n`).join("")}`,
      { hint: "give the services an image: it is pushed, and others get it from there" },
    );
}

/** Asks about all that somebody might not want to give away. */
async function mayPublish(context: ProjectContext, options: PublishOptions): Promise<boolean> {
  const { project, confirm } = context;
  const services = Object.values(allServices(project));
  const ask = async (question: string): Promise<boolean> => (await confirm?.(question)) === true;
  const binds = services.flatMap(({ name, volumes = [] }) =>
    volumes.filter(({ type }) => type === "bind").map(({ source, target }) => `${name} ${source ?? ""}:${target}\n`),
  );
  const bindQuestion = `you are about to publish bind mounts declaration within your OCI artifact.
only the bind mount declarations will be added to the OCI artifact (not content)
please double check that you are not mounting potential user's sensitive directories or data
${binds.join("")}Are you ok to publish these bind mount declarations?`;
  if (binds.length > 0 && !(await ask(bindQuestion))) return false;
  const found = await sensitiveTexts(project, options.readFile);
  const sensitiveQuestion = `you are about to publish sensitive data within your OCI artifact.
please double check that you are not leaking sensitive data
${found.join("")}Are you ok to publish these sensitive data?`;
  if (found.length > 0 && !(await ask(sensitiveQuestion))) return false;
  const variables = environmentOf(project, options.withEnv === true);
  const variablesQuestion = `you are about to publish environment variables within your OCI artifact.
please double check that you are not leaking sensitive data
${variables.join("")}Are you ok to publish these environment variables?`;
  return variables.length === 0 || (await ask(variablesQuestion));
}

async function sensitiveTexts(project: Project, readFile: ReadFile): Promise<readonly string[]> {
  const envFiles = Object.values(allServices(project)).flatMap(({ env_file: files = [] }) => files.map(({ path }) => path));
  const objects = [...Object.values(project.configs), ...Object.values(project.secrets)].flatMap(({ file }) => file ?? []);
  const lines: string[] = [];
  for (const path of new Set([...project.composeFiles, ...envFiles, ...objects]))
    for (const { kind, line } of findSensitiveTexts((await readFile(path)) ?? "")) lines.push(`${kind}\n${path}:${line}\n`);
  return lines;
}

/** What services and configs say of variables; without leave it is a failure. */
function environmentOf(project: Project, isAllowed: boolean): readonly string[] {
  const services = Object.values(allServices(project));
  const named = Object.values(project.configs).filter(({ environment }) => environment !== undefined);
  const declared = [
    ...services.flatMap(({ name, env_file: files = [], environment = {} }) => [
      ...(files.length > 0 ? [`service "${name}" has env_file declared.\n`] : []),
      ...(Object.keys(environment).length > 0 ? [`service "${name}" has environment variable(s) declared.\n`] : []),
    ]),
    ...named.map(({ name }) => `config "${name}" is declare as an environment variable.\n`),
  ];
  if (declared.length > 0 && !isAllowed)
    throw new VarveError(
      "PROJECT_UNPUBLISHABLE",
      `${declared.join("")}To avoid leaking sensitive data, you must either explicitly allow the sending of environment variables by using the --with-env flag,\nor remove sensitive data from your Compose configuration`,
    );
  return [
    ...services.flatMap(({ name, environment = {} }) =>
      Object.keys(environment).length === 0
        ? []
        : [`Service/Config  ${name}\n`, ...Object.entries(environment).map(([key, value]) => `${key}=${value ?? ""}\n`)],
    ),
    ...named.map(({ name, environment = "" }) => `Service/Config  ${name}\n${name}=${environment}\n`),
  ];
}
