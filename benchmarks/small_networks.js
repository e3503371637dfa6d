// A plain JavaScript training loop in the manner of TensorFlow Playground's engine: an object a neuron, an object a
// link, one number at a time; SGD, squared error, tanh. Prints examples per second for each network as JSON.
//
//     node small_networks.js SECONDS 2-4-2-1 2-8-8-1 …

const RATE = 0.03, BATCH = 10, EXAMPLES = 500;

const tanh = { output: Math.tanh, der: (x) => { const y = Math.tanh(x); return 1 - y * y; } };

class Link {
  constructor(source, dest) {
    this.source = source;
    this.dest = dest;
    this.weight = Math.random() - 0.5;
    this.errorDer = 0;
    this.accErrorDer = 0;
    this.numAccumulatedDers = 0;
  }
}

class Node {
  constructor() {
    this.inputLinks = [];
    this.outputs = [];
    this.bias = 0.1;
    this.totalInput = 0;
    this.output = 0;
    this.outputDer = 0;
    this.inputDer = 0;
    this.accInputDer = 0;
    this.numAccumulatedDers = 0;
  }

  updateOutput() {
    this.totalInput = this.bias;
    for (let j = 0; j < this.inputLinks.length; j++) {
      const link = this.inputLinks[j];
      this.totalInput += link.weight * link.source.output;
    }
    return (this.output = tanh.output(this.totalInput));
  }
}

function build(shape) {
  let previous = [];
  return shape.map((size, layer) => {
    const nodes = Array.from({ length: size }, () => new Node());
    if (layer) {
      for (const node of nodes) {
        for (const before of previous) {
          const link = new Link(before, node);
          before.outputs.push(link);
          node.inputLinks.push(link);
        }
      }
    }
    return (previous = nodes);
  });
}

function forward(network, input) {
  for (let i = 0; i < input.length; i++) network[0][i].output = input[i];
  for (let l = 1; l < network.length; l++) for (const node of network[l]) node.updateOutput();
  return network[network.length - 1][0].output;
}

function backward(network, target) {
  const out = network[network.length - 1][0];
  out.outputDer = out.output - target;
  for (let l = network.length - 1; l >= 1; l--) {
    for (const node of network[l]) {
      node.inputDer = node.outputDer * tanh.der(node.totalInput);
      node.accInputDer += node.inputDer;
      node.numAccumulatedDers++;
    }
    for (const node of network[l]) {
      for (const link of node.inputLinks) {
        link.errorDer = node.inputDer * link.source.output;
        link.accErrorDer += link.errorDer;
        link.numAccumulatedDers++;
      }
    }
    if (l === 1) continue;
    for (const node of network[l - 1]) {
      node.outputDer = 0;
      for (const link of node.outputs) node.outputDer += link.weight * link.dest.inputDer;
    }
  }
}

function update(network) {
  for (let l = 1; l < network.length; l++) {
    for (const node of network[l]) {
      if (node.numAccumulatedDers > 0) {
        node.bias -= (RATE * node.accInputDer) / node.numAccumulatedDers;
        node.accInputDer = node.numAccumulatedDers = 0;
      }
      for (const link of node.inputLinks) {
        if (link.numAccumulatedDers > 0) {
          link.weight -= (RATE / link.numAccumulatedDers) * link.accErrorDer;
          link.accErrorDer = link.numAccumulatedDers = 0;
        }
      }
    }
  }
}

function examples() {
  return Array.from({ length: EXAMPLES }, () => {
    const x = [Math.random() * 2 - 1, Math.random() * 2 - 1];
    return { x, y: x[0] * x[1] > 0 ? 1 : -1 };
  });
}

function rate(shape, seconds) {
  const network = build(shape), data = examples();
  const epoch = () => data.forEach((example, i) => {
    forward(network, example.x);
    backward(network, example.y);
    if ((i + 1) % BATCH === 0) update(network);
  });
  const warm = performance.now();
  while (performance.now() - warm < 300) epoch();
  let epochs = 0;
  const begun = performance.now();
  while (performance.now() - begun < seconds * 1000) {
    epoch();
    epochs++;
  }
  return (epochs * EXAMPLES * 1000) / (performance.now() - begun);
}

const [seconds, ...shapes] = process.argv.slice(2);
const rates = Object.fromEntries(shapes.map((name) => [name, rate(name.split("-").map(Number), +seconds)]));
console.log(JSON.stringify(rates));
