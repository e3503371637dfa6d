// Numbers for people, as playground/displays/words.py writes them.

export const count = (value) => Math.round(value).toLocaleString("en-US");

export function shortCount(value) {
  for (const [limit, divisor, unit] of [[1e9, 1e9, " G"], [1e6, 1e6, " M"], [1e4, 1e3, " k"]]) {
    if (Math.abs(value) >= limit) return significant(value / divisor, 3) + unit;
  }
  return count(value);
}

// A loss or score with few significant digits; as a percentage if it is a share.
export function score(value, isShare) {
  if (value === null || value === undefined) return "–";
  if (isShare) return (100 * value).toFixed(value < 0.9995 ? 1 : 2) + "%";
  return Math.abs(value) < 1000 ? significant(value, 3) : count(value);
}

export function size(bytes) {
  for (const [limit, unit] of [[1e9, "GB"], [1e6, "MB"], [1e3, "kB"]]) {
    if (bytes >= limit) return `${significant(bytes / limit, 3)} ${unit}`;
  }
  return `${bytes} bytes`;
}

export function significant(value, digits) {
  const size = Math.abs(value);
  if (size && (size < 1e-4 || size >= 1e6)) {
    const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
    return `${+mantissa}e${exponent.replace("+", "")}`.replaceAll("-", "−");
  }
  return String(+value.toPrecision(digits)).replace("-", "−");
}
