import type { FileGrant, FileObject, Project, Service } from "../compose-file/index.ts";
import { VarveError } from "../errors/index.ts";

/** A file of a secret or config in a container. */
export type GrantedFile = {
  /** Absolute, in the container. */
  readonly target: string;
} & (
  | {
      /** The file itself, mounted for reading. */
      readonly kind: "mount";
      readonly source: string;
    }
  | {
      /** A copy of its own, made with the container. */
      readonly kind: "copy";
      readonly from: { readonly file: string } | { readonly text: string };
      readonly uid: number;
      readonly gid: number;
      readonly mode: number;
    }
);

/**
 * What a service is granted of the project's secrets and configs (Compose Specification, "secrets", "configs"). A file that is to
 * have no other owner and mode is mounted from where it lies, as in Docker Compose; the others are copied into the container, and
 * go with it. Fails with SERVICE_INVALID and SERVICE_UNSUPPORTED.
 */
export function grantedFiles(project: Project, service: Service): readonly GrantedFile[] {
  return [
    ...(service.secrets ?? []).map((grant) => grantedFile(grant, { project, service, kind: "secret" })),
    ...(service.configs ?? []).map((grant) => grantedFile(grant, { project, service, kind: "config" })),
  ];
}

function grantedFile(
  grant: FileGrant,
  { project, service, kind }: { project: Project; service: Service; kind: "secret" | "config" },
): GrantedFile {
  const object: FileObject | undefined = project[`${kind}s`][grant.source];
  if (object === undefined)
    throw new VarveError("SERVICE_INVALID", `service "${service.name}" refers to undefined ${kind} ${grant.source}`);
  if (object.external === true)
    throw new VarveError("SERVICE_UNSUPPORTED", `unsupported external ${kind} ${object.name}`, {
      hint: "external secrets and configs are kept by a cluster; give a file, an environment variable or content",
    });
  const target = targetOf(grant, kind);
  const hasOwner = grant.uid !== undefined || grant.gid !== undefined || grant.mode !== undefined;
  if (object.file !== undefined && !hasOwner) return { kind: "mount", target, source: object.file };
  return {
    kind: "copy",
    target,
    from: object.file === undefined ? { text: contentOf(object, project, kind) } : { file: object.file },
    uid: id(grant.uid, service.name),
    gid: id(grant.gid, service.name),
    mode: grant.mode ?? 0o444,
  };
}

function targetOf({ source, target }: FileGrant, kind: "secret" | "config"): string {
  if (kind === "config") return target === undefined ? `/${source}` : target;
  const name = target ?? source;
  return name.startsWith("/") ? name : `/run/secrets/${name}`;
}

function contentOf({ name, environment, content }: FileObject, project: Project, kind: string): string {
  if (content !== undefined) return content;
  if (environment === undefined) throw new VarveError("SERVICE_INVALID", `${kind} ${name} has no source`);
  const value = project.environment[environment];
  if (value === undefined)
    throw new VarveError("SERVICE_INVALID", `environment variable "${environment}" required by ${kind} "${name}" is not set`);
  return value;
}

function id(text: string | undefined, service: string): number {
  if (text === undefined) return 0;
  if (!/^\d+$/.test(text))
    throw new VarveError(
      "SERVICE_INVALID",
      `service "${service}" gives a file to "${text}", which is no number of a user or group`,
    );
  return Number(text);
}
