import type { ImageTree, ImageUsage } from "../../engine/index.ts";
import { formatSize } from "../format/sizes.ts";
import { shortId } from "../format/table.ts";

export interface TreeStyle {
  /** Of the terminal; 80 where there is none. */
  readonly columns: number;
  readonly colors: boolean;
}

interface Column {
  readonly title: string;
  readonly width: number;
  readonly right: boolean;
}

/** Of a line: each cell after the name. */
type Cells = readonly [id: string, disk: string, content: string, extra: string];

const titles: readonly Column[] = [
  { title: "ID", width: 12, right: false },
  { title: "DISK USAGE", width: 10, right: true },
  { title: "CONTENT SIZE", width: 12, right: true },
  { title: "EXTRA", width: 5, right: false },
];
const gap = "   ";
/** A first column that would get narrower costs the columns behind it. */
const minNameWidth = 12;

/** `docker images --tree`, in the layout of Docker 28: names with the image for each platform below them. */
export function formatImageTree(trees: readonly ImageTree[], { columns: width, colors }: TreeStyle): string {
  const paint = (text: string, code: string): string => (colors ? `\x1b[${code}${text}\x1b[0m` : text);
  const plain = (text: string): string => paint(text, "39m");
  const used = (text: string): string => (colors ? `\x1b[38;5;0m\x1b[48;5;14m${text}\x1b[0m` : text);
  const { nameWidth, columns } = fitColumns(trees, width);

  const line = (name: string, cells: Cells, paintName: (text: string) => string): string =>
    [
      paintName(shorten(name, nameWidth)) + " ".repeat(Math.max(0, nameWidth - name.length)),
      ...columns.map((column, index) => {
        const text = cells[index] ?? "";
        const blanks = " ".repeat(column.width - text.length);
        if (column.title === "EXTRA") return text === "" ? blanks : colors ? used(" U ") + "  " : text + blanks;
        return column.right ? blanks + plain(text) : plain(text) + blanks;
      }),
    ].join(gap);

  const legend = colors
    ? `\x1b[1m\x1b[106m\x1b[30mi\x1b[0m\x1b[0m \x1b[96mInfo → \x1b[0m\x1b[0m ${used(" U ")} In Use `
    : "Info ->  U In Use ";
  const legendWidth = colors ? "i Info →   U  In Use ".length : legend.length;
  const bold = (text: string): string => (colors ? `\x1b[39m\x1b[1m${text}\x1b[0m` : text);
  const head = [{ title: "IMAGE", width: nameWidth, right: false }, ...columns]
    .map((column, index) =>
      index === columns.length ? bold(column.title) : bold(column.title) + " ".repeat(column.width - column.title.length),
    )
    .join(gap);
  const blocks = trees.map(({ id, names, usage, platforms }) => {
    const shown = names.length === 0 ? ["<untagged>"] : names;
    const last = shown.at(-1) ?? "";
    const paintName = (text: string): string => (colors ? `\x1b[34m\x1b[1m${text}\x1b[0m` : text);
    return [
      ...shown.slice(0, -1).map(paintName),
      line(last, cellsOf(id, usage), paintName),
      ...platforms.map((each, index) =>
        line(`${index === platforms.length - 1 ? "└─" : "├─"} ${each.platform}`, cellsOf(each.id, each.usage), plain),
      ),
      "",
    ];
  });
  return `${[" ".repeat(Math.max(0, width - legendWidth)) + legend, "", head, ...blocks.flat()].join("\n")}\n`;
}

function cellsOf(id: string, { diskBytes, contentBytes, inUse }: ImageUsage): Cells {
  return [shortId(id), formatSize(diskBytes), formatSize(contentBytes), inUse ? "U" : ""];
}

function fitColumns(
  trees: readonly ImageTree[],
  width: number,
): { readonly nameWidth: number; readonly columns: readonly Column[] } {
  let nameWidth = width;
  const columns: Column[] = [];
  for (const column of titles) {
    const taken = column.width + gap.length;
    if (nameWidth - taken < minNameWidth) break;
    nameWidth -= taken;
    columns.push(column);
  }
  // Docker counts the bytes of the lines before a platform
  const widest = trees.flatMap(({ names, platforms }) => [
    ...(names.length === 0 ? ["<untagged>".length] : names.map((name) => name.length)),
    ...platforms.map(({ platform }) => platform.length + Buffer.byteLength("└─ ")),
  ]);
  return { nameWidth: Math.min(nameWidth, Math.max("IMAGE".length, ...widest)), columns };
}

function shorten(name: string, width: number): string {
  return name.length > width ? `${name.slice(0, width - 1)}…` : name;
}
