/** Lines of a screen that belong together; only the first is always shown. */
export interface Block<Line> {
  readonly lines: readonly Line[];
  /** What it shows has ended. */
  readonly isDone: boolean;
}

/** The blocks that fit into so many lines: what runs stays, what was done last stays longer. */
export function fitBlocks<Line, Shown extends Block<Line>>(blocks: readonly Shown[], room: number): readonly Shown[] {
  let height = blocks.reduce((sum, { lines }) => sum + lines.length, 0);
  const gone = new Set<Shown>();
  for (const block of blocks) {
    if (height <= room) break;
    if (!block.isDone) continue;
    gone.add(block);
    height -= block.lines.length;
  }
  const left = blocks.filter((block) => !gone.has(block));
  if (height <= room) return left;
  // only running ones are left, and they are too many: their first lines alone
  return left.slice(0, room).map((block) => ({ ...block, lines: block.lines.slice(0, 1) }));
}
