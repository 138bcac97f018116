'use strict';
// The network: a list of layers that ends in softmax with cross-entropy; one image forward, the loss
// back, one step of gradient descent. The same bits as `mlp predict` and as a training step of the
// program with a batch of one image. Read layers.js first.

function bytesOfBase64(text) {
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}

// 32-bit floats, little-endian whatever the machine is.
function floatsOfBase64(text) {
  const bytes = bytesOfBase64(text), view = new DataView(bytes.buffer);
  return Float32Array.from({length: bytes.length / 4}, (_, i) => view.getFloat32(4 * i, true));
}

// The network that mlp described in the page's data, with its parameters: each layer that has some
// gets views W and b of the one block `params`, so that a step is one loop and a reset is one copy.
class Network {
  constructor(description, weights) {
    this.params = floatsOfBase64(weights);
    this.original = this.params.slice();
    this.layers = description.layers.map((layer) => ({...layer}));
    this.classes = description.classes;
    // What the network sees of a pixel v: v / 255 / s, s the standard deviation of the training pixels.
    this.inputScale = Float32Array.from({length: 256}, (_, v) => v / 255 / description.pixel_std);
    let offset = 0;
    for (const layer of this.layers) {
      if (layer.weights === undefined) continue;
      const biases = layer.out[2];
      layer.offset = offset;
      layer.W = this.params.subarray(offset, offset += layer.weights);
      layer.b = this.params.subarray(offset, offset += biases);
    }
  }

  // All values on the way of an image (bytes) to its probabilities: x[l] is what layer l reads,
  // x[number of layers] the logits.
  forward(pixels) {
    const x = [Float32Array.from(pixels, (v) => this.inputScale[v])];
    for (const layer of this.layers) x.push(KINDS[layer.kind].forward(layer, x[x.length - 1]));
    return {pixels, x, ...softmax(x[x.length - 1])};
  }

  // L = -log yhat[label], computed from the logits a so that it cannot overflow.
  loss(pass, label) {
    const a = pass.x[pass.x.length - 1];
    return f32(pass.logSum - f32(a[label] - a[pass.best]));
  }

  // dL/d(each value), from `delta`, the derivative by the logits, back: dx[l] belongs to x[l].
  // `until`: the first layer whose input's derivative is wanted.
  backwardFrom(pass, delta, until) {
    const dx = [];
    dx[this.layers.length] = delta;
    for (let l = this.layers.length - 1; l >= until; l--)
      dx[l] = KINDS[this.layers[l].kind].backward(this.layers[l], pass.x[l], pass.x[l + 1], dx[l + 1]);
    return dx;
  }

  // Backpropagation: dL/da = yhat - y (identity 7), and from there back to the first layer with
  // parameters. Nobody needs the derivative by the pixels.
  backward(pass, label) {
    const delta = pass.probability.slice();
    delta[label] -= 1;
    return this.backwardFrom(pass, delta, this.layers.findIndex((layer) => layer.W) + 1);
  }

  // dL/d(parameters), one block like params.
  gradient(pass, dx) {
    const all = new Float32Array(this.params.length);
    this.layers.forEach((layer, l) => {
      if (!layer.W) return;
      const gradient = KINDS[layer.kind].gradient(layer, pass.x[l], dx[l + 1]);
      all.set(gradient.W, layer.offset);
      all.set(gradient.b, layer.offset + layer.W.length);
    });
    return all;
  }

  // W <- W - lr dL/dW
  step(gradient, learningRate) {
    const scale = -f32(learningRate);
    for (let i = 0; i < gradient.length; i++) this.params[i] += f32(scale * gradient[i]);
  }

  reset() {
    this.params.set(this.original);
  }
}

// yhat_k = exp(a_k - max a) / sum_j exp(a_j - max a)
function softmax(a) {
  let best = 0;
  for (let k = 1; k < a.length; k++) if (a[k] > a[best]) best = k;
  const probability = new Float32Array(a.length);
  let sum = 0;
  for (let k = 0; k < a.length; k++) {
    probability[k] = exp32(f32(a[k] - a[best]));
    sum = f32(sum + probability[k]);
  }
  for (let k = 0; k < a.length; k++) probability[k] = probability[k] / sum;
  return {probability, best, logSum: log32(sum)};
}
