/** Texts of Dockerfiles and names of files may hold anything: what would move the cursor is shown as a blank. */
export function withoutControls(text: string): string {
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ");
}
