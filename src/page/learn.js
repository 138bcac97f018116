'use strict';
// Learn: forward, loss, backward, update of one image, step by step, with shapes, the nonzero pattern
// of each Jacobian, and the loss along the negative gradient.

const STAGES = {start: 0, forward: 1, loss: 2, backward: 3, update: 4};

// Calls f(row, column) for each nonzero of a Jacobian. Images are ordered by channel, row, column.
const PATTERNS = {
  // dy/dx of the layer kinds
  'dense x': (layer, pass, l, f) => eachMatrixEntry(layer.W, layer.out[2], layer.weights / layer.out[2], f),
  'convolution x': (layer, pass, l, f) => eachFilterEntry(layer, (row, weight, at) => {
    if (layer.W[weight] !== 0) f(row, at);
  }),
  'max pooling x': (layer, pass, l, f) => {
    const C = layer.out[2], outPixels = layer.out[0] * layer.out[1], inPixels = layer.in[0] * layer.in[1];
    eachWindow(layer, (position, window) => {
      for (let c = 0; c < C; c++) {
        const winner = Math.floor(poolWinner(layer, pass.x[l], window, c) / C);
        f(c * outPixels + position, c * inPixels + winner);
      }
    });
  },
  'activation x': (layer, pass, l, f) => {
    const C = layer.out[2], pixels = layer.out[0] * layer.out[1];
    pass.x[l + 1].forEach((y, i) => {
      const at = i % C * pixels + Math.floor(i / C);
      if (ACTIVATIONS[layer.kind].slope(y) !== 0) f(at, at);
    });
  },
  // dy/dvec(W)
  'dense W': (layer, pass, l, f) => {
    const O = layer.out[2], I = layer.weights / O;
    eachInput(layer, (i, w) => {
      for (let o = 0; pass.x[l][i] !== 0 && o < O; o++) f(o, o * I + w);
    });
  },
  'convolution W': (layer, pass, l, f) => {
    const x = pass.x[l], C = layer.in[2], pixels = layer.in[0] * layer.in[1];
    eachFilterEntry(layer, (row, weight, at) => {
      if (x[at % pixels * C + Math.floor(at / pixels)] !== 0) f(row, weight);
    });
  },
  // dy/db
  'dense b': (layer, pass, l, f) => { for (let o = 0; o < layer.out[2]; o++) f(o, o); },
  'convolution b': (layer, pass, l, f) => {
    const pixels = layer.out[0] * layer.out[1];
    for (let row = 0; row < layer.out[2] * pixels; row++) f(row, Math.floor(row / pixels));
  }
};

function eachMatrixEntry(values, rows, cols, f) {
  for (let r = 0; r < rows; r++) for (let c = 0; c < cols; c++) if (values[r * cols + c] !== 0) f(r, c);
}

// Calls f(row of y, index of the weight, index in x) for each weight at each position.
function eachFilterEntry(layer, f) {
  const {at, weight} = windowInputs(layer), n = at.length, O = layer.out[2], C = layer.in[2];
  const pixels = layer.in[0] * layer.in[1], positions = layer.out[0] * layer.out[1];
  for (let o = 0; o < O; o++)
    eachWindow(layer, (position, window) => {
      for (let k = 0; k < n; k++) {
        const i = window + at[k];
        f(o * positions + position, o * n + weight[k], i % C * pixels + Math.floor(i / C));
      }
    });
}

// The Jacobians in the order of the chain, from the loss back: {name, identity, rows, cols, each}.
function listJacobians(network) {
  const last = network.layers.length - 1, first = network.layers.findIndex((layer) => layer.W), list = [];
  const K = network.classes.length;
  list.push({name: `∂L/∂${network.layers[last].symbol}`, identity: '(ŷ − y)ᵀ (7)', rows: 1, cols: K,
    each: (pass, f) => { for (let k = 0; k < K; k++) f(0, k); }});
  for (let l = last; l >= first; l--) {
    const layer = network.layers[l], n = layer.number, kind = ACTIVATIONS[layer.kind] ? 'activation' : layer.kind;
    const pixels = layer.out[0] * layer.out[1];
    const meaning = {$n: n, $x: layer.in_symbol, $y: layer.symbol, $O: layer.out[2], $P: pixels, '(x)': '⊗', '^T': 'ᵀ', '*': '·'};
    const text = (identity) => identity.replace(/\$[nxyOP]|\(x\)|\^T|\*/g, (sign) => meaning[sign]);
    const add = (what, part, index, cols) => list.push({
      name: `∂${layer.symbol}/∂${what}`, identity: text(layer.identity[index]), rows: shapeSize(layer.out), cols,
      each: (pass, f) => PATTERNS[`${kind} ${part}`](layer, pass, l, f)
    });
    if (layer.W) {
      add(`b${n}`, 'b', 2, layer.out[2]);
      add(`vec(W${n})`, 'W', 1, layer.weights);
    }
    if (l > first) add(layer.in_symbol, 'x', 0, shapeSize(layer.in));
  }
  return list;
}

// Draws where a Jacobian is not zero, scaled down; returns how many entries are.
function drawPattern(canvas, jacobian, pass) {
  const {rows, cols} = jacobian, w = Math.min(cols, 160), h = Math.min(rows, 56);
  const seen = new Uint8Array(w * h);
  let n = 0;
  jacobian.each(pass, (row, col) => {
    n++;
    seen[Math.floor(row * h / rows) * w + Math.floor(col * w / cols)] = 1;
  });
  drawMatrix(canvas, seen, h, w, 1, w <= 40 && h <= 40 ? 4 : 1);
  return n;
}

class LearnPart {
  constructor(app) {
    this.app = app;
    this.stage = STAGES.start;
    this.history = []; // losses before each step
    this.jacobians = listJacobians(app.network);
    for (const k of app.network.classes.keys()) byId('label').append(element('option', {value: k}, app.className(k)));
    byId('label').addEventListener('change', (event) => app.setLabel(Number(event.target.value)));
    const buttons = {
      forward: () => this.advance(STAGES.forward), loss: () => this.advance(STAGES.loss),
      backward: () => this.advance(STAGES.backward),
      update: () => this.update(1), ten: () => this.update(10), reset: () => this.reset()
    };
    for (const [name, action] of Object.entries(buttons)) byId('do-' + name).addEventListener('click', action);
    const rate = byId('rate');
    rate.addEventListener('input', () => this.showRate());
    rate.addEventListener('change', () => app.showSee());
    this.makeTables();
    this.showRate();
  }

  // The learning rate of the slider, with two digits, so that it can be said on the command line.
  rate() {
    return Number((10 ** Number(byId('rate').value)).toPrecision(2));
  }

  // Another image or class: the steps begin again, with the weights as they are.
  begin() {
    this.stage = STAGES.start;
    this.history = [];
    this.curve = null;
    this.show();
  }

  advance(stage) {
    if (this.app.pass === null) return;
    this.stage = Math.max(stage, this.stage === STAGES.update ? stage : this.stage);
    if (this.stage === STAGES.backward) this.startCurve();
    this.show();
  }

  update(steps) {
    const {app} = this;
    if (app.pass === null) return;
    for (let i = 0; i < steps; i++) {
      this.history.push(app.loss());
      app.step(this.rate());
    }
    this.stage = STAGES.update;
    this.startCurve();
    this.show();
    app.showAnswer();
  }

  reset() {
    this.app.reset();
    this.begin();
    this.app.showAnswer();
    byId('do-forward').focus(); // Reset is disabled now, and would lose the focus
  }

  // ----------------------------------------------------------------------------------------------

  makeTables() {
    const {network} = this.app, cell = (...content) => element('td', {}, ...content);
    const heading = (...content) => element('th', {scope: 'row'}, ...content);
    const strip = () => element('canvas', {class: 'pixels strip', width: 1, height: 1});
    this.forwardRows = [];
    const addForward = (formula, shape, values, stage) => {
      const canvas = strip(), note = element('span', {class: 'note'});
      byId('forward-table').tBodies[0].append(element('tr', {}, heading(formula), cell(shape), cell(canvas, note)));
      this.forwardRows.push({canvas, note, values, stage});
    };
    const {rows, cols} = data.network;
    addForward('x = pixels / 255 / s', `${rows}×${cols}`, (pass) => [pass.x[0], rows, cols], STAGES.forward);
    network.layers.forEach((layer, l) => {
      if (layer.kind === 'pixels') return;
      addForward(formulaOf(layer), shapeText(layer.out), (pass) => this.arranged(pass.x[l + 1], layer.out), STAGES.forward);
    });
    const K = network.classes.length, symbol = network.layers[network.layers.length - 1].symbol;
    addForward(`ŷ = softmax(${symbol})`, String(K), (pass) => [pass.probability, 1, K], STAGES.forward);
    addForward('L = −log ŷ[true class]', '1', (pass) => [[network.loss(pass, this.app.label)], 1, 1], STAGES.loss);
    this.jacobians.forEach((jacobian) => {
      Object.assign(jacobian, {canvas: strip(), count: cell()});
      byId('backward-table').tBodies[0].append(element('tr', {}, heading(jacobian.name), cell(jacobian.identity),
        cell(`${jacobian.rows}×${jacobian.cols}`), jacobian.count, cell(jacobian.canvas)));
    });
    this.gradientRows = [];
    network.layers.slice().reverse().filter((layer) => layer.W).forEach((layer) => {
      const n = layer.number, O = layer.out[2];
      const W = ['W', layer.offset, layer.weights], b = ['b', layer.offset + layer.weights, O];
      for (const [letter, offset, size] of [W, b]) {
        const canvas = strip(), most = cell();
        byId('gradient-table').tBodies[0].append(element('tr', {}, heading(`∂L/∂${letter}${n}`),
          cell(letter === 'W' ? `${O}×${size / O}` : String(O)), most, cell(canvas)));
        this.gradientRows.push({canvas, most, offset, size, rows: letter === 'W' ? O : 1});
      }
    });
  }

  // Values of a layer for a picture: a vector in a row or a grid, the channels of an image side by side.
  arranged(values, shape) {
    const [rows, cols, channels] = shape;
    if (rows * cols === 1) return channels <= 64 ? [values, 1, channels] : [values, ...gridOf(channels)];
    const {rows: h, cols: w, index} = arrange(shape), pixels = rows * cols;
    const valueAt = (i) => (i < 0 ? 0 : values[i % pixels * channels + Math.floor(i / pixels)]);
    return [Float32Array.from(index, valueAt), h, w];
  }

  // A matrix in a row of a table: a vector is a strip, an image has square pixels.
  drawStrip(canvas, values, rows, cols, scale) {
    const isStrip = cols > 3 * rows;
    drawMatrix(canvas, values, rows, cols, scale, Math.max(1, Math.floor(isStrip ? 200 / cols : 64 / rows)));
    canvas.style.width = isStrip ? '200px' : '';
    canvas.style.height = isStrip ? (rows === 1 ? 16 : 32) + 'px' : '';
  }

  show() {
    const {app} = this, {pass, pixels} = app, {rows, cols} = data.network;
    drawInk(byId('learn-image'), pixels, rows, cols);
    byId('label').value = String(app.label);
    for (const name of ['forward', 'loss', 'backward', 'update', 'ten']) byId('do-' + name).disabled = pass === null;
    byId('do-reset').disabled = app.steps === 0;
    byId('label').disabled = pass === null;
    this.showForward(pass);
    this.showBackward(pass);
    this.showState(pass);
    const losses = this.history.length > 0 ? [...this.history, app.loss()] : [];
    const points = losses.map((loss, i) => [i, loss]);
    drawChart(byId('loss-chart'), points, {label: 'The loss after each number of steps', x: 'steps',
      empty: 'Update the weights to see the loss fall.'});
    this.showCurve();
  }

  showState(pass) {
    const value = pass === null ? 0 : this.app.loss(), loss = short(value), {steps} = this.app;
    const what = ['Next: forward.', 'Forward: the network has its answer.', `Loss ${loss}.`,
      'Backward: every gradient is there.', `Updated: the loss went from ${short(this.history[0])} to ${loss}.`];
    const changed = steps > 0 ? ` The weights have changed in ${steps} step${steps > 1 ? 's' : ''}.` : '';
    const none = 'There is no image: draw one, or choose a test image.';
    const diverged = 'The loss is not finite: the weights are too large. Reset, then try a smaller learning rate.';
    byId('learn-state').textContent =
      (pass === null ? none : Number.isFinite(value) ? what[this.stage] : diverged) + changed;
  }

  showForward(pass) {
    for (const {canvas, note, values, stage} of this.forwardRows) {
      const visible = pass !== null && this.stage >= stage;
      canvas.hidden = !visible;
      note.textContent = '';
      if (!visible) continue;
      const [numbers, rows, cols] = values(pass), most = largest(numbers) || 1;
      this.drawStrip(canvas, numbers, rows, cols, most);
      canvas.hidden = numbers.length === 1;
      const least = numbers.reduce((a, b) => Math.min(a, b)), greatest = numbers.reduce((a, b) => Math.max(a, b));
      note.textContent = numbers.length === 1 ? g9(numbers[0]) : `${short(least)} to ${short(greatest)}`;
    }
  }

  showBackward(pass) {
    const visible = pass !== null && this.stage >= STAGES.backward;
    for (const jacobian of this.jacobians) {
      jacobian.canvas.hidden = !visible;
      jacobian.count.textContent = visible ? String(drawPattern(jacobian.canvas, jacobian, pass)) : '';
    }
    const gradient = visible ? this.app.backward().gradient : null;
    for (const {canvas, most, offset, size, rows} of this.gradientRows) {
      canvas.hidden = !visible;
      most.textContent = '';
      if (!visible) continue;
      const values = gradient.subarray(offset, offset + size), scale = largest(values);
      this.drawStrip(canvas, values, rows, size / rows, scale / 2 || 1);
      most.textContent = short(scale);
    }
  }

  // ----------------------------------------------------------------------------------------------

  // The losses at W - lr dL/dW for learning rates along the slider, a few at a time.
  startCurve() {
    const points = [], {pass} = this.app;
    const curve = this.curve = {points, loss: this.app.loss(), gradient: this.app.backward().gradient};
    const next = () => {
      if (this.curve !== curve || this.app.pass !== pass) return; // another curve, or another image
      const x = -4 + points.length * 0.2;
      points.push([x, this.app.lossAfter(curve.gradient, 10 ** x)]);
      if (points.length <= 25) setTimeout(next, 0);
      this.showCurve();
    };
    next();
  }

  showCurve() {
    drawChart(byId('rate-chart'), this.curve ? this.curve.points : [], {
      label: 'The loss after one step, against the learning rate', x: 'learning rate of one step', range: [-4, 1], log: true,
      mark: Number(byId('rate').value), empty: 'Go backward to see how far a step may go.'
    });
    byId('rate-note').textContent = this.curve
      ? `One more step with learning rate ${short(this.rate())} changes the loss from ${short(this.curve.loss)} to ` +
        `${short(this.app.lossAfter(this.curve.gradient, this.rate()))}.` : '';
  }

  showRate() {
    byId('rate-value').textContent = short(this.rate());
    byId('rate').setAttribute('aria-valuetext', short(this.rate()));
    this.showCurve();
  }
}
