const maxDistance = 2;
/** Longer names get no suggestion: nobody mistypes two letters in them, and comparing costs time. */
const maxNameLength = 256;

export interface NearestOptions {
  /** Default true. When false the answer takes over the case of `name` where that is all upper or all lower. */
  readonly caseSensitive?: boolean;
}

/**
 * The candidate that `name` was probably meant to be, for "did you mean …?": at most two edits away, the
 * nearest one, the first among equals. Undefined when none is near, and also when `name` is itself a candidate: then
 * the mistake lies elsewhere. Threshold as in BuildKit's `util/suggest`; swapped neighbours count once here, so that
 * RNU gives RUN and not ENV.
 */
export function nearest(name: string, candidates: Iterable<string>, options: NearestOptions = {}): string | undefined {
  const fold = (text: string): string => (options.caseSensitive === false ? text.toLowerCase() : text);
  const wanted = fold(name);
  let best: string | undefined;
  let bestDistance = maxDistance + 1;
  for (const candidate of candidates) {
    const folded = fold(candidate);
    if (folded === wanted) return undefined;
    const distance = editDistance(wanted, folded);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  if (best === undefined || options.caseSensitive !== false) return best;
  if (name === name.toLowerCase()) return best.toLowerCase();
  return name === name.toUpperCase() ? best.toUpperCase() : best;
}

/** ` (did you mean X?)` when there is a near candidate, else nothing. */
export function didYouMean(name: string, candidates: Iterable<string>, options: NearestOptions = {}): string {
  const match = nearest(name, candidates, options);
  return match === undefined ? "" : ` (did you mean ${match}?)`;
}

/** Insertions, deletions, changes and swaps of neighbours, each one edit. */
function editDistance(left: string, right: string): number {
  if (Math.abs(left.length - right.length) > maxDistance || left.length > maxNameLength) return Infinity;
  let before: number[] = [];
  let row = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let line = 1; line <= left.length; line++) {
    const next = [line];
    for (let column = 1; column <= right.length; column++) {
      const change = left[line - 1] === right[column - 1] ? 0 : 1;
      const swapped = left[line - 1] === right[column - 2] && left[line - 2] === right[column - 1];
      const swap = line > 1 && column > 1 && swapped ? before[column - 2]! + 1 : Infinity;
      next.push(Math.min(row[column]! + 1, next[column - 1]! + 1, row[column - 1]! + change, swap));
    }
    [before, row] = [row, next];
  }
  return row[right.length]!;
}
