/** Where Varve's answer is not BuildKit's on purpose. */
export const lintExceptions: readonly { readonly cases: readonly string[]; readonly why: string }[] = [];
