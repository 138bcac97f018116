'use strict';
// See: the units of a layer as tiles, and one of them in detail: its weights, where its activation
// comes from, what it adds to each class. chain.js has the derivative by one of its weights.

// How a picture shows one filter or unit: values (height, width, channels), the channels side by side.
// index[cell] is the place of the value in the order of the model file, -1 for none.
function arrange([rows, cols, channels]) {
  const [down, across] = gridOf(channels), index = new Int32Array(down * rows * across * cols).fill(-1);
  for (let r = 0; r < down * rows; r++)
    for (let c = 0; c < across * cols; c++) {
      const channel = Math.floor(r / rows) * across + Math.floor(c / cols);
      if (channel < channels) index[r * across * cols + c] = (channel * rows + r % rows) * cols + c % cols;
    }
  return {rows: down * rows, cols: across * cols, index};
}

// One layer with weights, and the pooling and activation behind it.
class Block {
  constructor(network, l) {
    const layer = network.layers[l];
    Object.assign(this, {network, l, layer, units: layer.out[2], isConvolution: layer.kind === 'convolution'});
    this.last = l; // the last layer of the block
    while (this.last + 1 < network.layers.length && !network.layers[this.last + 1].W) this.last++;
    this.isOutput = this.last === network.layers.length - 1;
    this.out = network.layers[this.last];
    this.perUnit = layer.weights / this.units;
    const K = layer.kernel_size;
    this.filter = arrange(this.isConvolution ? [K, K, layer.in[2]] : layer.in);
    if (this.isConvolution) return;
    this.inputOf = new Uint32Array(this.perUnit); // of a weight in the order of the file
    eachInput(layer, (i, w) => { this.inputOf[w] = i; });
  }

  weightsOf(unit) {
    return this.layer.W.subarray(unit * this.perUnit, (unit + 1) * this.perUnit);
  }

  // The value of each weight times its input.
  productsOf(unit, pass) {
    const x = pass.x[this.l];
    return this.weightsOf(unit).map((w, i) => w * x[this.inputOf[i]]);
  }

  // What the block gives of one unit: one value, or a feature map. `before`: without pooling and activation.
  valuesOf(unit, pass, before = false) {
    const y = pass.x[before ? this.l + 1 : this.last + 1];
    return y.filter((_, i) => i % this.units === unit);
  }

  // W1[17,406], or W2[3,1,0,4] of a convolution.
  weightName(unit, weight) {
    const K = this.layer.kernel_size;
    const place = this.isConvolution
      ? [unit, Math.floor(weight / K / K), Math.floor(weight / K) % K, weight % K]
      : [unit, weight];
    return `W${this.layer.number}[${place.join(',')}]`;
  }

  formula() {
    const parts = this.network.layers.slice(this.l, this.last + 1).map(formulaOf);
    if (this.isOutput) parts.push(`ŷ = softmax(${this.layer.symbol})`);
    return parts.join('     ');
  }
}

const MOST_TILES = 256;
const DENSE_MODES = [{value: 'weights', text: 'Weights'}, {value: 'products', text: 'Weights × inputs'},
  {value: 'values', text: 'Activations'}];
const IMAGE_MODES = [{value: 'values', text: 'Feature maps'}, {value: 'before', text: 'Before activation'},
  {value: 'weights', text: 'Filters'}];

class SeePart {
  constructor(app) {
    this.app = app;
    const {network} = app;
    this.blocks = [];
    network.layers.forEach((layer, l) => { if (layer.W) this.blocks.push(new Block(network, l)); });
    this.setBlock(0);
  }

  get block() {
    return this.blocks[this.chosen];
  }

  setBlock(chosen) {
    this.chosen = Number(chosen);
    this.unit = this.weight = null;
    this.isChosen = false; // whether the reader chose the unit or the weight
    this.mode = this.block.isConvolution ? 'values' : 'weights';
    this.showControls();
  }

  showControls() {
    const block = this.block;
    const units = (b) => (b.isOutput ? 'classes' : b.isConvolution ? 'channels' : 'units');
    const layers = this.blocks.map((b, i) => ({value: i, text: `${b.layer.name} · ${b.units} ${units(b)}`}));
    choice(byId('layers'), layers, this.chosen, (value) => {
      this.setBlock(value);
      this.show();
      byId('layers').querySelector('input:checked').focus();
    });
    choice(byId('modes'), block.isConvolution ? IMAGE_MODES : DENSE_MODES, this.mode, (value) => {
      this.mode = value;
      this.show();
    });
    const more = block.units > MOST_TILES ? `     (the first ${MOST_TILES} are shown)` : '';
    byId('layer-formula').textContent = block.formula() + more;
  }

  // A unit and a weight to begin with: those of the largest gradient.
  chooseDefaults() {
    const {block, app} = this, first = block.layer.offset;
    if (this.unit !== null) return;
    const best = app.pass === null ? 0
      : indexOfLargest(app.backward().gradient.subarray(first, first + block.layer.weights));
    this.unit = Math.floor(best / block.perUnit);
    this.weight = best % block.perUnit;
  }

  // What the tile of a unit shows: {values, rows, cols}.
  picture(unit) {
    const {block, mode, app: {pass}} = this, {rows, cols, index} = block.filter;
    const arranged = (values) => ({rows, cols, values: Float32Array.from(index, (i) => (i < 0 ? 0 : values[i]))});
    if (mode === 'weights') return arranged(block.weightsOf(unit));
    if (pass === null) return {rows: 1, cols: 1, values: [0]};
    if (mode === 'products') return arranged(block.productsOf(unit, pass));
    const shape = mode === 'before' ? block.layer.out : block.out.out;
    return {rows: shape[0], cols: shape[1], values: block.valuesOf(unit, pass, mode === 'before')};
  }

  // Another image or class: what nobody chose begins again with the largest gradient.
  begin() {
    if (!this.isChosen) this.unit = null;
    this.show();
  }

  show() {
    this.chooseDefaults();
    this.showTiles();
    this.showDetail();
  }

  showTiles() {
    const {block, app} = this, shown = Math.min(block.units, MOST_TILES);
    const pictures = Array.from({length: shown}, (_, unit) => this.picture(unit));
    const most = Math.max(...pictures.map((p) => largest(p.values)));
    this.scale = (this.mode === 'weights' ? most / 2 : most) || 1;
    const small = pictures[0].rows * pictures[0].cols === 1;
    byId('tiles').classList.toggle('small', small);
    byId('tiles').replaceChildren(...pictures.map(({values, rows, cols}, unit) => {
      const canvas = element('canvas', {class: 'pixels'});
      const cell = small ? 48 : Math.max(2, Math.floor(96 / Math.max(rows, cols)));
      drawMatrix(canvas, values, rows, cols, this.scale, cell);
      return element('button', {type: 'button', class: 'tile', 'aria-pressed': String(unit === this.unit),
        'aria-label': `${this.unitName(unit)} ${this.valueText(unit)}`, onclick: () => this.chooseUnit(unit)},
      canvas, element('span', {class: 'tile-name'}, block.isOutput ? app.className(unit) : String(unit)),
      element('span', {class: 'tile-value'}, this.valueText(unit)));
    }));
  }

  // What the unit gives now: its activation, or the largest value of its map.
  valueText(unit) {
    const {pass} = this.app;
    if (pass === null) return '';
    const values = this.block.valuesOf(unit, pass);
    return decimals(values.reduce((a, b) => Math.max(a, b)));
  }

  unitName(unit) {
    const {block, app} = this;
    if (block.isOutput) return `Class ${app.className(unit)}`;
    return `${block.isConvolution ? 'Channel' : 'Unit'} ${unit} of ${block.layer.name}`;
  }

  chooseUnit(unit) {
    this.isChosen = true;
    this.unit = unit;
    this.weight = this.app.pass === null ? 0 : this.strongest(unit);
    byId('tiles').querySelectorAll('.tile').forEach((tile, i) => tile.setAttribute('aria-pressed', String(i === unit)));
    this.showDetail();
    const detail = byId('detail');
    const {top} = detail.getBoundingClientRect();
    if (top < 0 || top > innerHeight / 2) detail.scrollIntoView({block: 'start'});
  }

  // The weight of a unit with the largest gradient.
  strongest(unit) {
    const {block} = this, first = block.layer.offset + unit * block.perUnit;
    return indexOfLargest(this.app.backward().gradient.subarray(first, first + block.perUnit));
  }

  // ----------------------------------------------------------------------------------------------

  showDetail() {
    const {block, unit, app} = this, column = (...parts) => element('div', {}, ...parts);
    if (app.pass === null) {
      byId('detail').replaceChildren(column(element('h3', {}, this.unitName(unit)), this.weightPicture()),
        quietText('Draw something, or choose a test image, to see what it computes.'));
      return;
    }
    byId('detail').replaceChildren(
      column(element('h3', {}, this.unitName(unit)), this.weightPicture(),
        ...(block.isConvolution ? [this.mapPicture()] : [])),
      column(...this.activationParts(), ...(block.isOutput ? [] : this.classParts())),
      column(...chainParts(app, block, unit, this.weight)));
  }

  // The weights of the unit, large: a click or the arrow keys choose one.
  weightPicture() {
    const {block, unit} = this, {rows, cols, index} = block.filter;
    const canvas = element('canvas', {class: 'pixels large', tabindex: '0', role: 'application'});
    const products = this.mode === 'products' && this.app.pass !== null;
    const values = products ? block.productsOf(unit, this.app.pass) : block.weightsOf(unit);
    const shown = Float32Array.from(index, (i) => (i < 0 ? 0 : values[i]));
    const scale = largest(values) / (products ? 1 : 1.5) || 1;
    const cell = Math.max(4, Math.floor(336 / Math.max(rows, cols))), mark = index.indexOf(this.weight);
    drawMatrix(canvas, shown, rows, cols, scale, cell, mark);
    canvas.setAttribute('aria-label', `${products ? 'Weights times inputs' : 'Weights'} of this unit. ` +
      `${block.weightName(unit, this.weight)} is chosen; arrow keys choose another.`);
    const choose = (at) => {
      if (at < 0 || at >= index.length || index[at] < 0) return;
      this.isChosen = true;
      this.weight = index[at];
      this.showDetail();
    };
    canvas.addEventListener('click', (event) => {
      const box = canvas.getBoundingClientRect();
      const row = Math.floor((event.clientY - box.top) / box.height * rows);
      choose(row * cols + Math.floor((event.clientX - box.left) / box.width * cols));
    });
    canvas.addEventListener('keydown', (event) => {
      const step = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[event.key];
      if (step === undefined) return;
      event.preventDefault();
      const col = mark % cols + step[0];
      if (col >= 0 && col < cols) choose(mark + step[0] + cols * step[1]);
      byId('detail').querySelector('canvas.large').focus();
    });
    const caption = `${products ? 'weights × inputs' : 'weights'}; choose one for its chain`;
    return element('figure', {}, canvas, element('figcaption', {}, caption));
  }

  mapPicture() {
    const {block, unit, app: {pass}} = this, canvas = element('canvas', {class: 'pixels map', role: 'img',
      'aria-label': 'The feature map of this channel'});
    const values = block.valuesOf(unit, pass), [rows, cols] = block.out.out;
    drawMatrix(canvas, values, rows, cols, largest(values) || 1, Math.max(4, Math.floor(168 / rows)));
    return element('figure', {}, canvas, element('figcaption', {}, `feature map ${block.out.symbol}, ${rows} × ${cols}`));
  }

  // The sum that gives a, in its three parts, and the activation.
  activationParts() {
    const {block, unit, app: {pass}} = this, {layer} = block, n = layer.number;
    let terms, position = 0, where = '';
    if (block.isConvolution) {
      const a = block.valuesOf(unit, pass, true), {at, weight} = windowInputs(layer);
      position = a.indexOf(a.reduce((x, y) => Math.max(x, y)));
      const row = Math.floor(position / layer.out[1]), col = position % layer.out[1];
      const window = (row * layer.in[1] + col) * layer.stride * layer.in[2], w = block.weightsOf(unit);
      terms = Array.from(at, (offset, k) => pass.x[block.l][window + offset] * w[weight[k]]);
      where = ` at row ${row}, column ${col}, where it is largest`;
    } else {
      terms = Array.from(block.productsOf(unit, pass));
    }
    const sum = (keep) => terms.filter(keep).reduce((x, y) => x + y, 0);
    const up = sum((v) => v > 0), down = sum((v) => v < 0), bias = layer.b[unit];
    const a = pass.x[block.l + 1][position * block.units + unit];
    const scale = Math.max(up, -down, Math.abs(bias), Math.abs(a));
    const name = `a${n}[${unit}]`, count = (keep) => terms.filter(keep).length;
    const bars = [signedBar('bias', bias, scale), signedBar(`${count((v) => v > 0)} products > 0`, up, scale),
      signedBar(`${count((v) => v < 0)} products < 0`, down, scale), signedBar(`sum ${name}`, a, scale)];
    const parts = [element('h4', {}, 'Where its value comes from' + where),
      element('ul', {class: 'signed-bars'}, ...bars)];
    const activation = ACTIVATIONS[block.out.kind];
    if (activation) {
      const f = activation.value(a);
      parts.push(element('p', {class: 'formula'}, `f${n}[${unit}] = ${block.out.kind}(${short(a)}) = ${short(f)}`));
    } else {
      parts.push(element('p', {class: 'formula'}, `ŷ[${unit}] = softmax = ${g9(pass.probability[unit])}`));
    }
    return parts;
  }

  // The derivative of each logit by what the unit gives, times what it gives now.
  classParts() {
    const {block, unit, app} = this, values = app.pass.x[block.last + 1], pushes = app.pushes();
    const total = pushes.map((dx) => {
      let sum = 0;
      for (let i = unit; i < values.length; i += block.units) sum += dx[block.last + 1][i] * values[i];
      return sum;
    });
    const scale = largest(total) || 1, symbol = `a${app.network.layers[app.network.layers.length - 1].number}`;
    let order = total.map((_, k) => k);
    if (order.length > 12) order = order.sort((a, b) => Math.abs(total[b]) - Math.abs(total[a])).slice(0, 10);
    const exact = block.last + 2 === app.network.layers.length;
    return [element('h4', {}, 'What it speaks for'),
      quietText(exact ? `What it adds to each logit of ${symbol}: its output weight times its activation.`
        : `What it adds to each logit of ${symbol}, to first order: the logit's derivative times its value.`),
      element('ul', {class: 'signed-bars classes'}, ...order.map((k) => signedBar(app.className(k), total[k], scale)))];
  }
}
