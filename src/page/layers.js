'use strict';
// The kinds of layer: the calculus of src/nn/layers.c and layers_image.c, in the same order of
// operations, for one example. Read arithmetic.js first and network.js next.
//
// An image is (height, width, channels), channels innermost; what a dense layer gives is an image
// of one pixel. W and b are as the model file has them: W (O, I) of a dense layer, where the inputs
// are ordered by channel, row, column; W (O, channels, K, K) of a convolution. In working memory
// dL/d(something) is named d(something): dy is known, dx is wanted.
//
// forward(layer, x)          y
// backward(layer, x, y, dy)  dx = (dy/dx)^T dy
// gradient(layer, x, dy)     {W: dL/dW, b: dL/db}, for kinds with parameters

function shapeSize(shape) {
  return shape[0] * shape[1] * shape[2];
}

// Calls f(index in x, index in a row of W) for each input of a dense layer, in the order of the sum.
// They differ where the input is an image of several channels.
function eachInput(layer, f) {
  const channels = layer.in[2], pixels = layer.in[0] * layer.in[1];
  for (let p = 0, i = 0; p < pixels; p++)
    for (let c = 0; c < channels; c++, i++) f(i, c * pixels + p);
}

// "a1 = W1 x + b1", "f1 = sigmoid(a1)"
function formulaOf({kind, symbol, in_symbol, number}) {
  if (kind === 'dense') return `${symbol} = W${number} ${in_symbol} + b${number}`;
  if (kind === 'convolution') return `${symbol} = W${number} ∗ ${in_symbol} + b${number}`;
  return `${symbol} = ${kind === 'max pooling' ? 'maxpool' : kind}(${in_symbol})`;
}

// ------------------------------------------------------------------------------------------------
// Dense: y = W x + b     dy/dx = W     dy/db = I     dy/dvec(W) = I (x) x^T
//                        dx = W^T dy   dL/db = dy    dL/dW = dy x^T

const INPUT_BLOCKS = 8;

// The layer that reads pixels: y = (((b + s0) + s1) + ...) + s7, where s0 to s7 are the sums over
// eight equal parts of the pixels, so that the program's threads can share the work. Zero pixels are
// skipped: they change no sum.
function pixelsForward(layer, x) {
  const O = layer.out[2], I = x.length, y = Float32Array.from(layer.b);
  for (let block = 0; block < INPUT_BLOCKS; block++) {
    const first = Math.floor(I * block / INPUT_BLOCKS), end = Math.floor(I * (block + 1) / INPUT_BLOCKS);
    const nonzero = [];
    for (let i = first; i < end; i++) if (x[i] !== 0) nonzero.push(i);
    for (let o = 0; o < O; o++) {
      let sum = 0;
      for (const i of nonzero) sum = f32(sum + f32(x[i] * layer.W[o * I + i]));
      y[o] += sum;
    }
  }
  return y;
}

function denseForward(layer, x) {
  if (layer.reads_pixels) return pixelsForward(layer, x);
  const O = layer.out[2], I = x.length, y = new Float32Array(O);
  const order = new Uint32Array(I); // of the inputs in a row of W
  eachInput(layer, (i, w) => { order[i] = w; });
  for (let o = 0; o < O; o++) {
    let sum = layer.b[o];
    for (let i = 0; i < I; i++) sum = f32(sum + f32(x[i] * layer.W[o * I + order[i]]));
    y[o] = sum;
  }
  return y;
}

function denseBackward(layer, x, y, dy) {
  const O = layer.out[2], I = x.length, dx = new Float32Array(I);
  eachInput(layer, (i, w) => {
    let sum = 0;
    for (let o = 0; o < O; o++) sum = f32(sum + f32(dy[o] * layer.W[o * I + w]));
    dx[i] = sum;
  });
  return dx;
}

// 0 + turns a product of -0 into +0, as a sum over a batch that begins at +0 does.
function denseGradient(layer, x, dy) {
  const O = layer.out[2], I = x.length, W = new Float32Array(O * I);
  eachInput(layer, (i, w) => {
    for (let o = 0; x[i] !== 0 && o < O; o++) W[o * I + w] = 0 + f32(x[i] * dy[o]);
  });
  return {W, b: dy.map((d) => 0 + d)};
}

// ------------------------------------------------------------------------------------------------
// Activations, elementwise: the Jacobian is diag(f'(x)), which all three can write in y

const ACTIVATIONS = {
  sigmoid: { // y = 1 / (1 + exp(-x))   y' = y (1 - y)
    value: (x) => f32(1 / f32(1 + exp32(-x))),
    slope: (y) => f32(y * f32(1 - y)),
    times: (dy, y) => f32(dy * f32(y * f32(1 - y))),
    slopeText: (f) => `${f} (1 − ${f})`
  },
  tanh: { // y = 2 / (1 + exp(-2x)) - 1   y' = 1 - y^2
    value: (x) => f32(f32(2 / f32(1 + exp32(f32(-2 * x)))) - 1),
    slope: (y) => f32(1 - f32(y * y)),
    times: (dy, y) => f32(dy * f32(1 - f32(y * y))),
    slopeText: (f) => `1 − ${f}²`
  },
  relu: { // y = max(x, 0)   y' = 1 where y > 0, else 0
    value: (x) => (x <= 0 ? 0 : x),
    slope: (y) => (y > 0 ? 1 : 0),
    times: (dy, y) => (y > 0 ? dy : 0),
    slopeText: (f) => `1 if ${f} > 0, else 0`
  }
};

function activationKind(activation) {
  return {
    forward: (layer, x) => x.map(activation.value),
    backward: (layer, x, y, dy) => dy.map((d, i) => activation.times(d, y[i]))
  };
}

// ------------------------------------------------------------------------------------------------
// Convolution: y[r,c,o] = b[o] + sum over u, v, i of W[o,i,u,v] x[r+u, c+v, i]
// It is a dense layer whose weights are shared by all positions (r,c). In backward and gradient the
// zeros of dy are skipped: after max pooling most of dy is zero.

// Calls f(position in y, beginning of its window in x) for each output position.
function eachWindow(layer, f) {
  const [rows, cols] = layer.out, stride = layer.stride, width = layer.in[1], channels = layer.in[2];
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < cols; c++)
      f(r * cols + c, (r * width + c) * stride * channels);
}

// Calls f(offset in x from the beginning of a window, index in the weights of an output channel) for
// each input of a window, in the order of the sum.
function windowInputs(layer) {
  const K = layer.kernel_size, width = layer.in[1], channels = layer.in[2];
  const at = [], weight = [];
  for (let u = 0; u < K; u++)
    for (let v = 0; v < K; v++)
      for (let i = 0; i < channels; i++) {
        at.push((u * width + v) * channels + i);
        weight.push((i * K + u) * K + v);
      }
  return {at: Uint32Array.from(at), weight: Uint32Array.from(weight)};
}

function convolutionForward(layer, x) {
  const O = layer.out[2], y = new Float32Array(shapeSize(layer.out));
  const {at, weight} = windowInputs(layer), n = at.length;
  const W = new Float32Array(layer.W.length); // each channel's weights in the order of the sum
  for (let o = 0; o < O; o++)
    for (let k = 0; k < n; k++) W[o * n + k] = layer.W[o * n + weight[k]];
  eachWindow(layer, (position, window) => {
    for (let o = 0; o < O; o++) {
      let sum = f32(layer.b[o] + 0);
      for (let k = 0; k < n; k++) sum = f32(sum + f32(x[window + at[k]] * W[o * n + k]));
      y[position * O + o] = sum;
    }
  });
  return y;
}

function convolutionBackward(layer, x, y, dy) {
  const O = layer.out[2], dx = new Float32Array(x.length);
  const {at, weight} = windowInputs(layer), n = at.length;
  for (let o = 0; o < O; o++)
    eachWindow(layer, (position, window) => {
      const d = dy[position * O + o];
      for (let k = 0; d !== 0 && k < n; k++) dx[window + at[k]] += f32(d * layer.W[o * n + weight[k]]);
    });
  return dx;
}

function convolutionGradient(layer, x, dy) {
  const O = layer.out[2], W = new Float32Array(layer.W.length), b = new Float32Array(O);
  const {at, weight} = windowInputs(layer), n = at.length;
  for (let o = 0; o < O; o++)
    eachWindow(layer, (position, window) => {
      const d = dy[position * O + o];
      if (d === 0) return;
      for (let k = 0; k < n; k++) W[o * n + weight[k]] += f32(d * x[window + at[k]]);
      b[o] += d;
    });
  return {W, b};
}

// ------------------------------------------------------------------------------------------------
// Max pooling: the largest x of each window, the first of equals; its Jacobian selects

// Where the largest value of a window is in x.
function poolWinner(layer, x, window, channel) {
  const K = layer.kernel_size, width = layer.in[1], channels = layer.in[2];
  let best = window + channel;
  for (let u = 0; u < K; u++)
    for (let v = 0; v < K; v++) {
      const at = window + (u * width + v) * channels + channel;
      if (x[at] > x[best]) best = at;
    }
  return best;
}

function poolForward(layer, x) {
  const C = layer.out[2], y = new Float32Array(shapeSize(layer.out));
  eachWindow(layer, (position, window) => {
    for (let c = 0; c < C; c++) y[position * C + c] = x[poolWinner(layer, x, window, c)];
  });
  return y;
}

function poolBackward(layer, x, y, dy) {
  const C = layer.out[2], dx = new Float32Array(x.length);
  eachWindow(layer, (position, window) => {
    for (let c = 0; c < C; c++) dx[poolWinner(layer, x, window, c)] = dy[position * C + c];
  });
  return dx;
}

const KINDS = {
  pixels: {forward: (layer, x) => x, backward: (layer, x, y, dy) => dy},
  dense: {forward: denseForward, backward: denseBackward, gradient: denseGradient},
  sigmoid: activationKind(ACTIVATIONS.sigmoid),
  tanh: activationKind(ACTIVATIONS.tanh),
  relu: activationKind(ACTIVATIONS.relu),
  convolution: {forward: convolutionForward, backward: convolutionBackward, gradient: convolutionGradient},
  'max pooling': {forward: poolForward, backward: poolBackward}
};
