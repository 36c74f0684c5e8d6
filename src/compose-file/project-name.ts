import { VarveError } from "../errors/index.ts";

/**
 * The project's name (Compose Specification, "Version and name top-level elements"): what the caller says, then
 * COMPOSE_PROJECT_NAME, then `name:` of the last file that has one, then the folder's name. The first two must be valid as
 * they are, of the others only what may stand in a name is kept. Fails with COMPOSE_PROJECT_NAME.
 */
export function chooseProjectName(choice: {
  readonly given: string | undefined;
  readonly environment: string | undefined;
  readonly files: string | undefined;
  readonly folder: string;
}): string {
  for (const name of [choice.given, choice.environment]) {
    if (name === undefined || name === "") continue;
    if (normalizeName(name) === name) return name;
    throw new VarveError(
      "COMPOSE_PROJECT_NAME",
      `invalid project name "${name}": must consist only of lowercase alphanumeric characters, hyphens, and underscores as well as start with a letter or number`,
    );
  }
  const name = normalizeName(choice.files ?? "") || normalizeName(choice.folder);
  if (name !== "") return name;
  throw new VarveError("COMPOSE_PROJECT_NAME", "project name must not be empty", {
    hint: "the folder's name has no letter or digit; -p or name: gives one",
  });
}

function normalizeName(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]/g, "")
    .replace(/^[_-]+/, "");
}
