'use strict';
// What the parts of the page share: elements, numbers as text, colours, heat maps and charts. Text
// enters the page as text only (never as markup), whatever the model and its classes are called.

const SVG = 'http://www.w3.org/2000/svg';

function byId(id) {
  return document.getElementById(id);
}

// element('p', {class: 'quiet', onclick: f}, 'text', child, ...)
function element(tag, attributes = {}, ...children) {
  const made = tag.startsWith('svg:') ? document.createElementNS(SVG, tag.slice(4)) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null) made.setAttribute(name, value === true ? '' : value);
  made.append(...children);
  return made;
}

function quietText(...text) {
  return element('p', {class: 'quiet'}, ...text);
}

// ------------------------------------------------------------------------------------------------
// Numbers

// As C's %.9g, which the program prints.
function g9(x) {
  if (x === 0) return '0';
  const [digits, exponent] = x.toExponential(8).split('e');
  if (exponent < -4 || exponent >= 9) {
    const size = String(Math.abs(exponent)).padStart(2, '0');
    return digits.replace(/\.?0+$/, '') + (exponent < 0 ? 'e-' : 'e+') + size;
  }
  return String(Number(x.toPrecision(9)));
}

// A few digits, with a true minus sign; `signed` shows a plus, too.
function short(x, signed = false, digits = 4) {
  if (!Number.isFinite(x)) return String(x);
  const size = Math.abs(x), sign = x < 0 ? '−' : signed && x > 0 ? '+' : '';
  if (size === 0) return '0';
  if (size >= 1e-3 && size < 1e5) return sign + String(Number(size.toPrecision(digits)));
  const [number, exponent] = size.toExponential(digits - 2).split('e');
  return `${sign}${Number(number)}·10${superscript(Number(exponent))}`;
}

// Two decimals, for values side by side.
function decimals(x) {
  const text = Math.abs(x).toFixed(2);
  return (text === '0.00' ? '' : x < 0 ? '−' : '+') + text;
}

function superscript(n) {
  return (n < 0 ? '⁻' : '') + String(Math.abs(n)).replace(/\d/g, (d) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[d]);
}

function percent(p) {
  if (Number.isNaN(p)) return 'NaN';
  return p > 0.00005 && p < 0.99995 ? (100 * p).toFixed(2) + ' %' : p >= 0.5 ? '> 99.99 %' : '< 0.01 %';
}

function shapeText(shape) {
  return shape[0] * shape[1] === 1 ? String(shape[2]) : shape.filter((n, i) => i < 2 || n > 1).join('×');
}

// ------------------------------------------------------------------------------------------------
// Colours: blue and orange, which colour-blind people tell apart; a negative value is dotted, too

const colours = {};

function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ['positive', 'negative', 'zero', 'ink', 'paper', 'text', 'quiet', 'accent'])
    colours[name] = style.getPropertyValue('--' + name).trim();
  const rgb = (name) => [1, 3, 5].map((at) => parseInt(colours[name].slice(at, at + 2), 16));
  colours.palette = {
    positive: makePalette(rgb('zero'), rgb('positive')),
    negative: makePalette(rgb('zero'), rgb('negative')),
    ink: makePalette(rgb('paper'), rgb('ink'))
  };
}

// Colours between two as pixels of a canvas, for shares of 0, 1/255, ..., 1.
function makePalette(from, to) {
  const bytes = new Uint8Array(4 * 256);
  for (let i = 0; i < 256; i++)
    bytes.set([...from.map((v, k) => Math.round(v + (to[k] - v) * i / 255)), 255], 4 * i);
  return new Uint32Array(bytes.buffer);
}

// Whether a pixel of a negative value's square is paler: a minus sign, or, in a small square, its edge at
// the right and below, so that negative values look dotted.
function isPale(x, y, cell) {
  if (cell < 8) return cell > 1 && Math.max(x, y) >= cell - Math.max(1, Math.floor(cell / 4));
  return Math.abs(y + 0.5 - cell / 2) <= Math.max(1, cell / 16) && Math.abs(x + 0.5 - cell / 2) < 0.3 * cell;
}

// Draws a matrix, each value a square of `cell` pixels. `scale`: the value of full colour. mark: the index
// of a value to frame.
function drawMatrix(canvas, values, rows, cols, scale, cell, mark = -1) {
  canvas.width = cols * cell;
  canvas.height = rows * cell;
  const context = canvas.getContext('2d'), image = context.createImageData(canvas.width, canvas.height);
  const pixels = new Uint32Array(image.data.buffer), {positive, negative} = colours.palette;
  for (let i = 0; i < rows * cols; i++) {
    const share = Math.round(255 * Math.min(1, Math.abs(values[i]) / scale) ** 0.75) || 0;
    const isNegative = values[i] < 0, palette = isNegative ? negative : positive, pale = Math.round(share * 0.25);
    const first = Math.floor(i / cols) * cell * canvas.width + i % cols * cell;
    for (let y = 0; y < cell; y++)
      for (let x = 0; x < cell; x++)
        pixels[first + y * canvas.width + x] = palette[isNegative && isPale(x, y, cell) ? pale : share];
  }
  context.putImageData(image, 0, 0);
  if (mark < 0) return;
  context.strokeStyle = colours.text;
  context.lineWidth = 2;
  context.strokeRect(mark % cols * cell + 1, Math.floor(mark / cols) * cell + 1, cell - 2, cell - 2);
}

// Draws grey bytes, 0 the paper and 255 ink; null: nothing is there.
function drawInk(canvas, grey, rows, cols) {
  canvas.width = cols;
  canvas.height = rows;
  const context = canvas.getContext('2d'), image = context.createImageData(cols, rows);
  const pixels = new Uint32Array(image.data.buffer), palette = colours.palette.ink;
  for (let i = 0; i < pixels.length; i++) pixels[i] = palette[grey === null ? 0 : grey[i]];
  context.putImageData(image, 0, 0);
}

function largest(values) {
  let most = 0;
  for (const v of values) if (Math.abs(v) > most) most = Math.abs(v);
  return most;
}

function indexOfLargest(values) {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (Math.abs(values[i]) > Math.abs(values[best])) best = i;
  return best;
}

// The sides of a grid of n values that have no shape of their own, nearly a square.
function gridOf(n) {
  const cols = Math.ceil(Math.sqrt(n));
  return [Math.ceil(n / cols), cols];
}

// A bar that goes left for negative numbers and right for positive ones.
function signedBar(name, value, scale, text = short(value, true)) {
  const bar = element('span', {class: value < 0 ? 'bar negative' : 'bar positive'});
  bar.style.width = (50 * Math.min(1, Math.abs(value) / scale)) + '%';
  return element('li', {}, element('span', {class: 'name'}, name), element('span', {class: 'track signed'}, bar),
    element('span', {class: 'number'}, text));
}

// Radio buttons that look like tabs: arrow keys and screen readers know them.
function choice(group, options, chosen, onChange) {
  group.replaceChildren(...options.map(({value, text}) => {
    const input = element('input', {type: 'radio', name: group.id, value, checked: value === chosen,
      onchange: () => onChange(value)});
    return element('label', {}, input, element('span', {}, text));
  }));
}

// ------------------------------------------------------------------------------------------------
// Charts

const CHART = {width: 520, height: 190, left: 58, right: 12, top: 12, bottom: 34};

// points: [[x, y], ...]; options: {label, x, y: titles, log: whether x is a power of ten, mark: an x to
// point at, marks: dots at the points}
function drawChart(svg, points, options) {
  const {width, height, left, right, top, bottom} = CHART;
  svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
  svg.setAttribute('aria-label', options.label);
  const finite = points.filter((p) => Number.isFinite(p[1]));
  if (finite.length === 0) {
    svg.replaceChildren(element('svg:text', {x: width / 2, y: height / 2, 'text-anchor': 'middle'}, options.empty));
    return;
  }
  const xs = options.range || [finite[0][0], Math.max(finite[finite.length - 1][0], finite[0][0] + 1)];
  const most = Math.max(...finite.map((p) => p[1])), highest = most > 0 ? most * 1.08 : 1;
  const atX = (x) => left + (x - xs[0]) / (xs[1] - xs[0]) * (width - left - right);
  const atY = (y) => height - bottom - y / highest * (height - top - bottom);
  const line = (x1, y1, x2, y2, name) => element('svg:line', {x1, y1, x2, y2, class: name});
  const text = (x, y, anchor, content) => element('svg:text', {x, y, 'text-anchor': anchor}, content);
  const parts = [];
  for (let i = 0; i <= 4; i++) {
    const y = highest * i / 4;
    parts.push(line(left, atY(y), width - right, atY(y), 'grid'));
    parts.push(text(left - 8, atY(y) + 4, 'end', short(y, false, 2)));
  }
  const ticks = Math.min(5, Math.round(xs[1] - xs[0]));
  for (let i = 0; i <= ticks; i++) {
    const x = xs[0] + (xs[1] - xs[0]) * i / ticks;
    const power = x < -2 || x > 3 ? '10' + superscript(Math.round(x)) : short(10 ** x);
    parts.push(text(atX(x), height - bottom + 16, 'middle', options.log ? power : String(Math.round(x))));
  }
  parts.push(text((left + width - right) / 2, height - 3, 'middle', options.x));
  if (options.mark !== undefined) parts.push(line(atX(options.mark), top, atX(options.mark), height - bottom, 'mark'));
  const places = finite.map((p) => `${atX(p[0]).toFixed(1)},${atY(p[1]).toFixed(1)}`);
  parts.push(element('svg:polyline', {class: 'curve', points: places.join(' ')}));
  for (const p of finite)
    if (finite.length < 40) parts.push(element('svg:circle', {class: 'dot', cx: atX(p[0]), cy: atY(p[1]), r: 2.5}));
  svg.replaceChildren(...parts);
}
