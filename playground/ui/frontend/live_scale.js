// Ticks at round numbers, and smoothing.

export function linearTicks(low, high, most) {
  const rough = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((k) => k * power).find((k) => k >= rough * 0.999);
  const ticks = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high * (1 + 1e-12); k++) ticks.push(k * step);
  return ticks;
}

// Powers of ten, with 2 and 5 between where there is room.
export function logTicks(low, high, most) {
  const decades = Math.log10(high) - Math.log10(low);
  if (decades < 0.7) return linearTicks(low, high, most);
  const every = Math.max(1, Math.ceil(decades / most));
  const between = decades * 3 <= most ? [1, 2, 5] : [1];
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
    if (power % every === 0) ticks.push(...between.map((k) => k * 10 ** power));
  }
  return ticks.filter((value) => value >= low && value <= high);
}

// The exponential moving average of weight 0–1, corrected for its beginning (as Adam corrects its moments); the values
// themselves at 0.
export function smoothed(values, weight) {
  if (!weight) return values;
  let mean = 0, sum = 0;
  return values.map((value) => {
    mean = weight * mean + (1 - weight) * value;
    sum = weight * sum + (1 - weight);
    return mean / sum;
  });
}
