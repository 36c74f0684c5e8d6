const isDigit = (unit: string | undefined): boolean => unit !== undefined && /\d/.test(unit);
const isLetter = (unit: string | undefined): boolean => unit !== undefined && /\p{L}/u.test(unit);

/**
 * The order in which go-yaml prints the keys of a map: runs of digits count as numbers, and other signs stand before
 * letters. Negative when the left one comes first.
 */
export function compareKeys(left: string, right: string): number {
  let at = 0;
  while (at < left.length && at < right.length && left[at] === right[at]) at += 1;
  const [one, other] = [left[at], right[at]];
  if (one === undefined || other === undefined) return left.length - right.length;
  if (isLetter(one) && isLetter(other)) return one < other ? -1 : 1;
  if (isLetter(one) || isLetter(other)) {
    // Within a number, its end comes before its next digit
    const letterFirst = isDigit(left[at - 1]);
    return isLetter(one) === letterFirst ? -1 : 1;
  }
  // A sign that is no digit counts as the end of the number before it
  let start = at;
  while (start > 0 && isDigit(left[start - 1])) start -= 1;
  const digitsOf = (text: string): string => /^\d*/.exec(text.slice(start))?.[0] ?? "";
  const [first, second] = [digitsOf(left), digitsOf(right)];
  const [number, otherNumber] = [BigInt(first), BigInt(second)];
  if (number !== otherNumber) return number < otherNumber ? -1 : 1;
  if (first.length !== second.length) return first.length - second.length;
  return one < other ? -1 : 1;
}

/** The order of the bytes, by which Go's JSON has the keys of a map. */
export function compareBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}
