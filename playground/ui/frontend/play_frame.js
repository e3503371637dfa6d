// What comes from the page and from the feed, as numbers and typed arrays.

// The page's own bytes: u32 header length | JSON header | opening | frame | points | points of each data set.
export function unpackPage(bytes) {
  const { header, take } = opened(bytes);
  const opening = take(header.opening), frame = take(header.frame);
  const count = header.points;
  const points = {
    x: floats(take(4 * count)), y: floats(take(4 * count)), kind: take(count), part: take(count), count,
  };
  const sets = header.sets.map((set) => ({
    ...set, x: take(set.count), y: take(set.count), classes: take(set.count),
  }));
  return { header, opening, frame, points, sets };
}

// The picture "network" (see playground/engine/probes/network.py). All cells lie in one array and all weights in
// another, so that moving from one picture to the next is one pass over each; `at` says where what begins.
export function unpackPicture(bytes) {
  const { header, take, rest } = opened(bytes);
  const tile = header.tile ** 2, side = header.surface ** 2;
  let cells = 0, weights = 0;
  const place = (count) => (cells += count) - count;
  const features = header.features.map((feature) => ({ ...feature, tile: place(tile) }));
  const layers = header.layers.map((layer) => ({
    ...layer, tiles: layer.scales ? layer.scales.map(() => place(tile)) : null,
  }));
  const surface = Array.from({ length: header.channels }, () => place(side));
  for (const layer of layers) {
    layer.weightsAt = layer.kernel ? weights : null;
    weights += layer.kernel ? layer.kernel[0] * layer.kernel[1] : 0;
    layer.biasAt = layer.bias ? weights : null;
    weights += layer.bias ? layer.units : 0;
  }
  const shape = JSON.stringify([header.extent, features.map((one) => one.name), layers.map((l) => [l.id, l.units])]);
  return { header, features, layers, surface, shape, cells: take(cells), weights: floats(rest()) };
}

function opened(bytes) {
  // The bytes may begin at an odd offset of a larger buffer: DataView reads there, typed arrays would not.
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  let at = 4 + length;
  const take = (count) => bytes.subarray(at, (at += count));
  return { header, take, rest: () => bytes.subarray(at) };
}

function floats(bytes) {
  return new Float32Array(bytes.slice().buffer);
}
