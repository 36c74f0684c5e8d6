import { VarveError } from "../errors/index.ts";
import { readGroups, readUsers } from "./account-files.ts";
import { quote } from "./tree-error.ts";

export interface OwnerIds {
  readonly uid: number;
  readonly gid: number;
}

/** The fields of an LLB owner (`--chown`). */
export interface OwnerReference {
  readonly user?: NameOrId;
  readonly group?: NameOrId;
}

type NameOrId =
  | { readonly kind: "id"; readonly id: number }
  | { readonly kind: "name"; readonly name: string; readonly input: number };

/**
 * The ids of a copy's owner (C08): a user by id has the group of that number, a user by name its own group; an unknown
 * name is silently 0, as in BuildKit. Undefined owner: undefined, which keeps the source's. `rootOf` gives the mounted
 * root in whose files the names of an input are looked up. A file that is unfit: TREE_USER_FILE; an id that the system
 * does not have: TREE_USER.
 */
export function resolveOwner(
  owner: OwnerReference | undefined,
  options: { readonly rootOf: (input: number) => string },
): OwnerIds | undefined {
  if (owner === undefined) return undefined;
  const { user, group } = owner;
  let ids: OwnerIds = { uid: 0, gid: 0 };
  if (user?.kind === "id") ids = { uid: user.id, gid: user.id };
  else if (user !== undefined) {
    const found = readUsers(options.rootOf(user.input)).find(({ name }) => name === user.name);
    if (found !== undefined) ids = { uid: found.uid, gid: found.gid };
  }
  if (group?.kind === "id") ids = { ...ids, gid: group.id };
  else if (group !== undefined) {
    const found = readGroups(options.rootOf(group.input)).find(({ name }) => name === group.name);
    if (found !== undefined) ids = { ...ids, gid: found.gid };
  }
  return inRange(ids);
}

/** Who a process runs as. */
export interface RunUser extends OwnerIds {
  /** Groups beside `gid` that list the user; empty when a group was named. */
  readonly additionalGids: readonly number[];
  /** The user's folder by its passwd line; undefined when it has none. */
  readonly home: string | undefined;
}

/**
 * The ids for `USER name[:group]` at RUN time (moby/sys/user, BuildKit's executor): "" is root; a number need not be
 * listed; an unknown name is TREE_USER. Both as numbers: no file is read. Ids go up to 2³¹−1 (2³²−2 when both are given).
 */
export function lookupUser(rootPath: string, user: string): RunUser {
  const [userText = "", groupText = ""] = user.split(":");
  const asRoot = (text: string): string => (text === "root" ? "0" : text);
  const pair = user.includes(":") ? [asRoot(userText), asRoot(groupText)].map(plainId) : [];
  const [uid, gid] = pair;
  if (uid !== undefined && gid !== undefined) return { uid, gid, additionalGids: [], home: undefined };

  const wantedUid = userText === "" ? 0 : numericId(userText);
  const wantedGid = numericId(groupText);
  const listed = readUsers(rootPath).find((entry) =>
    wantedUid === undefined ? entry.name === userText : entry.uid === wantedUid,
  );
  if (listed === undefined && wantedUid === undefined) throw unknown("user", userText, "/etc/passwd");
  const found = { uid: listed?.uid ?? wantedUid ?? 0, gid: listed?.gid ?? 0, home: listed?.home || undefined };
  if (groupText === "") {
    const groups = listed === undefined ? [] : readGroups(rootPath).filter(({ members }) => members.includes(listed.name));
    return { ...inRange(found), additionalGids: groups.map((other) => other.gid) };
  }
  const group = readGroups(rootPath).find((entry) =>
    wantedGid === undefined ? entry.name === groupText : entry.gid === wantedGid,
  );
  if (group === undefined && wantedGid === undefined) throw unknown("group", groupText, "/etc/group");
  return { ...inRange({ ...found, gid: group?.gid ?? wantedGid ?? 0 }), additionalGids: [] };
}

/**
 * The ids of groups by name or number, looked up in the root's group file as `docker run --group-add` does; a number need not be listed,
 * an unknown name is TREE_USER.
 */
export function lookupGroups(rootPath: string, groups: readonly string[]): number[] {
  if (groups.length === 0) return [];
  const listed = readGroups(rootPath);
  return groups.map((text) => {
    const number = plainId(text);
    const group = listed.find(({ name, gid }) => name === text || gid === number);
    const gid = group?.gid ?? number;
    if (gid === undefined) {
      throw new VarveError("TREE_USER", `unable to find group ${text}: no matching entries in group file`, {
        hint: "give its number",
        details: { group: text },
      });
    }
    return inRange({ uid: 0, gid }).gid;
  });
}

/** Linux takes 2³²−1 for "leave it as it is". */
function inRange<T extends OwnerIds>(ids: T): T {
  for (const id of [ids.uid, ids.gid]) {
    if (id < 0 || id >= 0xffffffff) {
      throw new VarveError("TREE_USER", `the id ${id} is not between 0 and 4294967294`, { details: { id } });
    }
  }
  return ids;
}

function plainId(text: string): number | undefined {
  const id = /^\d+$/.test(text) ? Number(text) : undefined;
  return id !== undefined && id < 0xffffffff ? id : undefined;
}

/** The id that a text is, undefined for a name; out of range: TREE_USER. */
function numericId(text: string): number | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  const id = Number(text);
  if (id < 0 || id > 0x7fffffff) {
    throw new VarveError("TREE_USER", `the id ${text} is not between 0 and 2147483647`, { details: { id: text } });
  }
  return id;
}

function unknown(what: "user" | "group", name: string, file: string): VarveError {
  return new VarveError("TREE_USER", `unable to find ${what} ${quote(name)}: no matching entries in ${file}`, {
    hint: `add it in an earlier RUN step, or give its number`,
    details: { [what]: name },
  });
}
