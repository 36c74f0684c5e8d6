/** A word between underscores that names a secret; letter case does not count. */
const secret = /(?:_|^)(?:apikey|auth|credential|credentials|key|password|pword|passwd|secret|token)(?:_|$)/i;
/** A word that says that it is none after all. */
const harmless = /(?:_|^)(?:public|file|version)(?:_|$)/i;

/** Whether the name of an ARG or ENV says that its value is a secret (N16). */
export function namesSecret(name: string): boolean {
  return secret.test(name) && !harmless.test(name);
}
