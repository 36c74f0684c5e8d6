/** A secret of the build by its id; undefined where the build was given none of that name. */
export type ReadSecret = (id: string) => Promise<Uint8Array | undefined>;

/** A secret that becomes (part of) a header: without the line end that files have. */
export async function readHeaderSecret(secret: ReadSecret | undefined, id: string): Promise<string | undefined> {
  const bytes = await secret?.(id);
  return bytes === undefined
    ? undefined
    : Buffer.from(bytes)
        .toString("latin1")
        .replace(/[\r\n]+$/, "");
}
