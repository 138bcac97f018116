'use strict';
// The print view: a worksheet. A network small enough for pencil and paper, forward, loss, backward
// and one update, with blanks; the next page has the same with all numbers.

const SHEET = {
  x: [1, 0.5], label: 0, rate: 0.5,
  W1: [[0.4, -0.6], [-0.3, 0.8]], b1: [0.1, -0.2],
  W2: [[0.7, -0.5], [-0.2, 0.9]], b2: [0, 0.1]
};

// Every number of the sheet, in double precision.
function solveSheet({x, label, rate, W1, b1, W2, b2}) {
  const affine = (W, v, b) => W.map((row, o) => row.reduce((sum, w, i) => sum + w * v[i], b[o]));
  const a1 = affine(W1, x, b1), f1 = a1.map((a) => 1 / (1 + Math.exp(-a)));
  const a2 = affine(W2, f1, b2), exps = a2.map(Math.exp), total = exps[0] + exps[1];
  const yhat = exps.map((e) => e / total), loss = -Math.log(yhat[label]);
  const d2 = yhat.map((p, k) => p - (k === label ? 1 : 0));
  const df1 = f1.map((_, j) => d2[0] * W2[0][j] + d2[1] * W2[1][j]);
  const d1 = df1.map((d, j) => d * f1[j] * (1 - f1[j]));
  const outer = (d, v) => d.map((a) => v.map((b) => a * b));
  const dW2 = outer(d2, f1), dW1 = outer(d1, x);
  const stepped = (W, dW) => W.map((row, o) => row.map((w, i) => w - rate * dW[o][i]));
  return {a1, f1, a2, yhat, loss: [loss], d2, dW2, df1, d1, dW1, newW2: stepped(W2, dW2), newW1: stepped(W1, dW1)};
}

// A matrix or column as a table with brackets; without numbers, blanks.
function matrix(values, filled) {
  const rows = Array.isArray(values[0]) ? values : values.map((v) => [v]);
  return element('table', {class: 'matrix'}, element('tbody', {}, ...rows.map((row) => element('tr', {},
    ...row.map((v) => element('td', {}, filled ? String(Number(v.toFixed(4))).replace('-', '−') : ''))))));
}

function sheetPage(title, filled) {
  const s = solveSheet(SHEET), page = element('div', {class: 'sheet'}, element('h2', {}, title));
  const given = (name, values) => element('span', {class: 'given'}, `${name} =`, matrix(values, true));
  page.append(element('p', {}, 'A network with two inputs, two hidden sigmoid units and two classes. The true class is ' +
    `${SHEET.label}; the learning rate is ${SHEET.rate}. Round to four decimals. A gradient has the shape of what ` +
    'L is differentiated by.'));
  page.append(element('p', {class: 'row'}, ...['x', 'W1', 'b1', 'W2', 'b2'].map((name) => given(name, SHEET[name]))));
  const task = (text, shape, values) => page.append(element('div', {class: 'task'}, element('span', {}, text),
    element('span', {class: 'quiet'}, filled ? shape : ''), matrix(values, filled)));
  const steps = [
    ['a1 = W1 x + b1', '2', s.a1],
    ['f1 = 1 / (1 + exp(−a1))', '2', s.f1],
    ['a2 = W2 f1 + b2', '2', s.a2],
    ['ŷ = softmax(a2)', '2', s.yhat],
    ['L = −log ŷ[true class]', '1', s.loss],
    ['∂L/∂a2 = ŷ − y', '2', s.d2],
    ['∂L/∂W2 = ∂L/∂a2 f1ᵀ', '2×2', s.dW2],
    ['∂L/∂f1 = W2ᵀ ∂L/∂a2', '2', s.df1],
    ['∂L/∂a1 = ∂L/∂f1 ⊙ f1 ⊙ (1 − f1)', '2', s.d1],
    ['∂L/∂W1 = ∂L/∂a1 xᵀ', '2×2', s.dW1],
    ['new W2 = W2 − lr ∂L/∂W2', '2×2', s.newW2],
    ['new W1 = W1 − lr ∂L/∂W1', '2×2', s.newW1]
  ];
  steps.forEach(([text, shape, values], i) => task(`${i + 1}.  ${text}`, filled ? `shape ${shape}` : '', values));
  page.append(element('p', {}, filled
    ? 'Diagonal: ∂f1/∂a1, and the identities ∂a1/∂b1 and ∂a2/∂b2. So ∂L/∂b1 = ∂L/∂a1 and ∂L/∂b2 = ∂L/∂a2. ' +
      'With numbers that were rounded on the way, the last decimal may differ by one or two.'
    : 'What is the shape of each of these? Which Jacobians are diagonal? What are the gradients of b1 and b2? ' +
      'Here ⊙ multiplies element by element.'));
  return page;
}

function makeWorksheet() {
  byId('worksheet').replaceChildren(sheetPage('Backpropagation by hand', false), sheetPage('Solutions', true));
}
