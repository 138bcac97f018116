'use strict';
// The derivative of the loss by one weight, as the product of its factors with their numbers: the
// chain rule, and beside it the number of the training code, a finite difference, and what the update makes
// of the weight.

const DIFFERENCE_STEP = 1 / 64;

// The loss with one parameter changed.
function lossWith(app, parameter, value) {
  const {params} = app.network, before = params[parameter];
  params[parameter] = value;
  const loss = app.network.loss(app.network.forward(app.pixels), app.label);
  params[parameter] = before;
  return loss;
}

function factor(name, value, isResult = false) {
  return element('span', {class: isResult ? 'factor result' : 'factor'},
    element('span', {}, name), element('b', {}, short(value)));
}

function product(...factors) {
  const parts = [];
  factors.forEach((f, i) => parts.push(i === 0 ? '' : i === factors.length - 1 ? '=' : '×', f));
  return element('p', {class: 'factors'}, ...parts);
}

// A sum of products as a table, the largest terms first.
function sumTable(caption, heads, terms, total) {
  const most = 10, order = terms.slice().sort((a, b) => Math.abs(b.product) - Math.abs(a.product));
  const row = (cells) => element('tr', {}, ...cells.map((cell, i) => element(i === 0 ? 'th' : 'td', {}, cell)));
  const rows = order.slice(0, most).map((t) =>
    row([t.name, short(t.left, true), short(t.right, true), short(t.product, true)]));
  if (order.length > most) {
    const rest = order.slice(most).reduce((sum, t) => sum + t.product, 0);
    rows.push(row([`${order.length - most} more`, '', '', short(rest, true)]));
  }
  rows.push(row(['sum', '', '', short(total, true)]));
  return element('table', {class: 'table terms'}, element('caption', {}, caption),
    element('thead', {}, row(heads)), element('tbody', {}, ...rows));
}

// dL/df of a unit: what the layer above passes down to it.
function passedDown(app, block, unit, dx) {
  const {network} = app, l = block.last + 1, above = network.layers[l], isOutput = l === network.layers.length - 1;
  const n = above.number, I = above.weights / above.out[2], terms = [];
  for (let o = 0; o < above.out[2]; o++) {
    const left = dx[l + 1][o], right = above.W[o * I + unit];
    terms.push({name: isOutput ? app.className(o) : String(o), left, right, product: f32(left * right)});
  }
  const delta = isOutput ? 'ŷ − y' : `∂L/∂a${n}`;
  const over = isOutput ? 'the classes' : `the units of ${above.name}`;
  const caption = `∂L/∂f${block.layer.number}[${unit}] = sum over ${over}: how wrong each is, times the weight that leads there`;
  const heads = [isOutput ? 'class' : 'unit', delta, `W${n}[·,${unit}]`, 'product'];
  return sumTable(caption, heads, terms, dx[l][unit]);
}

function denseChain(app, block, unit, weight, dx) {
  const {layer} = block, n = layer.number, name = block.weightName(unit, weight), {pass} = app;
  const input = block.inputOf[weight], x = pass.x[block.l][input], delta = dx[block.l + 1][unit];
  const weightFactor = factor(`∂a${n}[${unit}]/∂${name} = ${layer.in_symbol}[${input}]`, x);
  const result = (value) => factor(`∂L/∂${name}`, value, true);
  if (block.isOutput) {
    const y = unit === app.label ? 1 : 0, chain = f32(delta * x);
    const error = `∂L/∂a${n}[${unit}] = ŷ[${unit}] − y[${unit}] = ${short(pass.probability[unit])} − ${y}`;
    return {chain, parts: [product(factor(error, delta), weightFactor, result(chain))]};
  }
  const f = pass.x[block.last + 1][unit], activation = ACTIVATIONS[block.out.kind], slope = activation.slope(f);
  const passed = dx[block.last + 1][unit], chain = f32(activation.times(passed, f) * x);
  const parts = [product(factor(`∂L/∂f${n}[${unit}]`, passed),
    factor(`∂f${n}/∂a${n} = ${activation.slopeText(`f${n}`)}`, slope), weightFactor, result(chain))];
  parts.push(passedDown(app, block, unit, dx));
  return {chain, parts};
}

// A convolution uses the weight at every position: a sum over all where the delta is not 0.
function convolutionChain(app, block, unit, weight, dx) {
  const {layer} = block, name = block.weightName(unit, weight), n = layer.number, O = block.units;
  const {at, weight: order} = windowInputs(layer), offset = at[order.indexOf(weight)];
  const x = app.pass.x[block.l], terms = [];
  let chain = 0;
  eachWindow(layer, (position, window) => {
    const left = dx[block.l + 1][position * O + unit], right = x[window + offset];
    if (left === 0) return;
    const term = f32(left * right), row = Math.floor(position / layer.out[1]);
    chain = f32(chain + term);
    terms.push({name: `${row}, ${position % layer.out[1]}`, left, right, product: term});
  });
  const caption = `∂L/∂${name} = sum over the positions of the filter: ∂L/∂a${n} there, times the input under the weight`;
  const table = sumTable(caption, ['position', `∂L/∂a${n}`, layer.in_symbol, 'product'], terms, chain);
  const note = quietText(`Of ${layer.out[0] * layer.out[1]} positions ${terms.length} count: the others are not the largest of ` +
    'their pool, or were cut off by the activation.');
  const sum = product(factor(`sum of ${terms.length} products`, chain), factor(`∂L/∂${name}`, chain, true));
  return {chain, parts: [sum, note, table]};
}

function chainParts(app, block, unit, weight) {
  const {dx, gradient} = app.backward(), name = block.weightName(unit, weight);
  const parameter = block.layer.offset + unit * block.perUnit + weight, w = app.network.params[parameter];
  const {chain, parts} = (block.isConvolution ? convolutionChain : denseChain)(app, block, unit, weight, dx);
  const code = gradient[parameter], rate = f32(app.learningRate());
  const above = f32(w + DIFFERENCE_STEP), below = f32(w - DIFFERENCE_STEP);
  const slope = (lossWith(app, parameter, above) - lossWith(app, parameter, below)) / (above - below);
  const same = code === chain || (code === 0 && chain === 0);
  const line = (term, ...text) => [element('dt', {}, term), element('dd', {}, ...text)];
  return [element('h4', {}, `The chain rule for ${name} = ${short(w)}`),
    quietText(`The loss is L = −log ŷ[${app.className(app.label)}] = ${short(app.loss())}.`), ...parts,
    element('dl', {class: 'checks'},
      ...line('backpropagation', `${g9(code)} ${same ? '✓ the same bits' : '✗ not the product'}`),
      ...line('finite difference', `(L(w + h) − L(w − h)) / 2h = ${short(slope)} with h = 1/64`),
      ...line('the update', `${short(w)} − ${short(rate)} · ${short(code)} = ${short(f32(w + f32(-rate * code)))}`))];
}
