'use strict';
// Draw: the drawing area, pictures that are opened or dropped, the test images, and the answer.

const SIDE = 224, PEN = 9; // pixels of the drawing, and the pen's radius

// The drawing is an array of grey bytes of our own, dark ink on white paper: no browser's way of
// drawing lines, and no protection against fingerprinting, changes a byte of it.
class Drawing {
  constructor() {
    this.pixels = new Uint8Array(SIDE * SIDE);
    this.clear();
  }

  clear() {
    this.pixels.fill(255);
    this.isEmpty = true;
  }

  // A straight stroke with round ends; an edge pixel is as dark as the pen covers it.
  line(x1, y1, x2, y2) {
    const dx = x2 - x1, dy = y2 - y1, length2 = dx * dx + dy * dy, reach = PEN + 1;
    const from = (a, b) => Math.max(0, Math.floor(Math.min(a, b) - reach));
    const to = (a, b) => Math.min(SIDE - 1, Math.ceil(Math.max(a, b) + reach));
    for (let y = from(y1, y2); y <= to(y1, y2); y++)
      for (let x = from(x1, x2); x <= to(x1, x2); x++) {
        const along = length2 === 0 ? 0 : ((x - x1) * dx + (y - y1) * dy) / length2;
        const t = Math.max(0, Math.min(1, along));
        const distance = Math.sqrt((x - x1 - t * dx) ** 2 + (y - y1 - t * dy) ** 2);
        const level = Math.round(255 * Math.max(0, Math.min(1, distance - PEN + 0.5)));
        if (level < this.pixels[y * SIDE + x]) this.pixels[y * SIDE + x] = level;
      }
    this.isEmpty = false;
  }
}

// Grey as the program makes it of colours: the luma of ITU-R BT.601, rounded once.
function greyOfColours(data) {
  const grey = new Uint8Array(data.length / 4);
  for (let i = 0; i < grey.length; i++)
    grey[i] = Math.floor((299 * data[4 * i] + 587 * data[4 * i + 1] + 114 * data[4 * i + 2] + 500) / 1000);
  return grey;
}

const MOST_PIXELS = 100000000; // of a picture, as in the program

// The file as a picture on white paper.
async function readPicture(file) {
  const bitmap = await createImageBitmap(file, {colorSpaceConversion: 'none'});
  if (bitmap.width * bitmap.height > MOST_PIXELS) throw new RangeError(`has more than ${MOST_PIXELS} pixels`);
  const canvas = element('canvas', {width: bitmap.width, height: bitmap.height});
  const context = canvas.getContext('2d', {willReadFrequently: true});
  context.fillStyle = '#ffffff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0);
  const {data} = context.getImageData(0, 0, canvas.width, canvas.height);
  return {rows: canvas.height, cols: canvas.width, pixels: greyOfColours(data)};
}

class DrawPart {
  constructor(app) {
    this.app = app;
    this.drawing = new Drawing();
    this.pen = {x: SIDE / 2, y: SIDE / 4, down: false, keys: false};
    this.picture = null; // what was opened, instead of the drawing
    const paper = byId('paper');
    paper.addEventListener('pointerdown', (event) => this.begin(event));
    paper.addEventListener('pointermove', (event) => this.move(event));
    for (const end of ['pointerup', 'pointercancel']) paper.addEventListener(end, (event) => this.end(event));
    paper.addEventListener('keydown', (event) => this.key(event));
    paper.addEventListener('blur', () => { this.pen.keys = false; this.showPaper(); });
    byId('clear').addEventListener('click', () => this.clear());
    byId('save').addEventListener('click', () => this.save());
    byId('file').addEventListener('change', (event) => {
      this.openFile(event.target.files[0]);
      event.target.value = '';
    });
    document.addEventListener('dragover', (event) => event.preventDefault());
    document.addEventListener('drop', (event) => {
      event.preventDefault();
      this.openFile(event.dataTransfer.files[0]);
    });
    this.makeImages();
  }

  // The place of a pointer in the drawing.
  place(event) {
    const box = byId('paper').getBoundingClientRect();
    return [(event.clientX - box.left) * SIDE / box.width - 0.5, (event.clientY - box.top) * SIDE / box.height - 0.5];
  }

  begin(event) {
    if (event.button !== 0 || !event.isPrimary) return; // one finger draws
    event.preventDefault();
    const paper = byId('paper');
    paper.setPointerCapture(event.pointerId);
    paper.focus({preventScroll: true});
    this.startDrawing();
    this.pen.keys = false;
    this.last = this.place(event);
    this.lineTo(...this.last);
  }

  move(event) {
    if (!this.last || !event.isPrimary) return;
    // All places since the last event, where the browser keeps them.
    const events = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
    for (const e of events.length > 0 ? events : [event]) this.lineTo(...this.place(e));
  }

  end(event) {
    if (!this.last || !event.isPrimary) return;
    this.last = null;
    this.app.settle();
  }

  // A picture or a test image gives way to the drawing.
  startDrawing() {
    if (this.picture !== null || this.app.source.kind === 'image') this.drawing.clear();
    this.picture = null;
  }

  lineTo(x, y) {
    this.drawing.line(this.last[0], this.last[1], x, y);
    this.last = [x, y];
    if (this.waits) return;
    this.waits = true;
    requestAnimationFrame(() => {
      this.waits = false;
      this.answerDrawing();
    });
  }

  key(event) {
    const moves = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
    const pen = this.pen, move = moves[event.key];
    if (move) {
      const step = event.shiftKey ? 2 : 8, limit = (v) => Math.max(0, Math.min(SIDE - 1, v));
      const x = limit(pen.x + step * move[0]), y = limit(pen.y + step * move[1]);
      if (pen.down) this.drawing.line(pen.x, pen.y, x, y);
      Object.assign(pen, {x, y});
    } else if (event.key === ' ') {
      this.startDrawing();
      pen.down = !pen.down;
      if (pen.down) this.drawing.line(pen.x, pen.y, pen.x, pen.y);
    } else if (event.key === 'Delete' || event.key === 'Backspace') {
      this.clear();
    } else {
      return;
    }
    event.preventDefault();
    pen.keys = true;
    if (this.picture === null && !(this.app.source.kind === 'image' && this.drawing.isEmpty)) this.answerDrawing();
    this.showPaper();
    this.app.settle();
  }

  clear() {
    this.drawing.clear();
    this.picture = null;
    this.pen.down = false;
    this.answerDrawing();
    this.app.settle();
  }

  answerDrawing() {
    if (this.drawing.isEmpty) this.app.setInput(null, {kind: 'nothing', text: 'Nothing drawn: no answer.'});
    else this.answerPicture({rows: SIDE, cols: SIDE, pixels: this.drawing.pixels}, 'drawing.pgm');
  }

  // Prepares a picture as `mlp predict` does, and asks the network.
  answerPicture(picture, name) {
    const {rows, cols} = data.network;
    try {
      const {digit, doubt} = prepareDigit(picture, rows, cols);
      this.app.setInput(digit, {kind: 'picture', name, doubt});
    } catch (error) {
      if (!(error instanceof NoInk)) throw error;
      this.app.setInput(null, {kind: 'nothing', text: error.message});
    }
  }

  async openFile(file) {
    if (!file) return;
    let picture;
    try {
      picture = await readPicture(file);
    } catch (error) {
      const why = error instanceof RangeError ? error.message : 'is not a picture that this browser can read';
      this.app.setInput(null, {kind: 'nothing', text: `${file.name} ${why}.`});
      this.app.settle();
      return;
    }
    this.picture = picture;
    this.pen.down = false;
    this.answerPicture(picture, file.name);
    this.app.settle();
  }

  // What the network was asked, as a file for `mlp predict`.
  save() {
    const picture = this.picture || {rows: SIDE, cols: SIDE, pixels: this.drawing.pixels};
    const header = `P5\n${picture.cols} ${picture.rows}\n255\n`;
    const file = new Blob([header, picture.pixels], {type: 'image/x-portable-graymap'});
    const link = element('a', {href: URL.createObjectURL(file), download: 'drawing.pgm'});
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  // ----------------------------------------------------------------------------------------------

  makeImages() {
    const {numbers, labels, n, correct} = data.images, size = data.network.rows * data.network.cols;
    byId('images-card').hidden = numbers.length === 0;
    byId('images-note').textContent = `The model gets ${correct} of all ${n} test images right. Of the ${numbers.length} here, ` +
      'chosen to show mistakes too, those with a cross it gets wrong.';
    this.thumbnails = numbers.map((number, i) => {
      const pixels = testPixels.subarray(i * size, (i + 1) * size), canvas = element('canvas', {class: 'pixels'});
      const wrong = this.app.network.forward(pixels).best !== labels[i], name = this.app.className(labels[i]);
      const button = element('button', {type: 'button', class: wrong ? 'image wrong' : 'image', 'aria-pressed': 'false',
        title: `test image ${number}: ${name}`,
        'aria-label': `test image ${number}, truth ${name}${wrong ? ', the model gets it wrong' : ''}`,
        onclick: () => this.chooseImage(i)}, canvas, element('span', {}, name));
      byId('images').append(button);
      drawInk(canvas, pixels, data.network.rows, data.network.cols);
      return {pixels, label: labels[i], number, wrong, button, canvas};
    });
  }

  chooseImage(i) {
    const {pixels, label, number} = this.thumbnails[i];
    this.picture = null;
    this.drawing.clear();
    this.pen.down = false;
    this.app.setInput(pixels, {kind: 'image', number, index: i, label});
    this.app.settle();
  }

  showPaper() {
    const canvas = byId('paper'), context = canvas.getContext('2d');
    const shown = element('canvas'), picture = this.picture || {rows: SIDE, cols: SIDE, pixels: this.drawing.pixels};
    drawInk(shown, picture.pixels.map((v) => 255 - v), picture.rows, picture.cols);
    context.fillStyle = colours.paper;
    context.fillRect(0, 0, SIDE, SIDE);
    const scale = Math.min(SIDE / picture.cols, SIDE / picture.rows), w = picture.cols * scale, h = picture.rows * scale;
    context.drawImage(shown, (SIDE - w) / 2, (SIDE - h) / 2, w, h);
    if (this.picture === null && this.drawing.isEmpty && !this.pen.keys) {
      context.fillStyle = colours.quiet;
      context.font = '15px system-ui, sans-serif';
      context.textAlign = 'center';
      context.fillText(this.app.source.kind === 'image' ? 'or draw here' : 'draw here', SIDE / 2, SIDE / 2);
    }
    if (!this.pen.keys) return;
    context.strokeStyle = this.pen.down ? colours.accent : colours.quiet;
    context.lineWidth = 2;
    context.beginPath();
    context.arc(this.pen.x, this.pen.y, PEN, 0, 7);
    context.stroke();
  }

  // The answer to the present input.
  show() {
    const {pixels, source, network} = this.app, {rows, cols} = data.network;
    const pass = this.app.hasAnswer() ? this.app.pass : null;
    this.showPaper();
    drawInk(byId('prepared'), pixels, rows, cols);
    byId('prepared-note').textContent = pixels === null ? '' : source.kind === 'image' ? `Test image ${source.number}, as it is in the data.`
      : `Cropped, fitted into ${Math.floor(rows * 20 / 28)} × ${Math.floor(cols * 20 / 28)} pixels and centred by mass in ` +
        `${rows} × ${cols}, as the images of MNIST were.`;
    byId('answer').replaceChildren(...this.answerText());
    const probability = pass === null ? network.classes.map(() => 0) : Array.from(pass.probability);
    let order = probability.map((_, k) => k);
    if (order.length > 12) order = order.sort((a, b) => probability[b] - probability[a]).slice(0, 10);
    byId('bars').replaceChildren(...order.map((k) => {
      const bar = element('span', {class: 'bar'});
      bar.style.width = 100 * probability[k] + '%';
      const best = pass !== null && k === pass.best ? 'best' : '', truth = k === source.label ? ' truth' : '';
      return element('li', {class: best + truth}, element('span', {class: 'name'}, this.app.className(k)),
        element('span', {class: 'track'}, bar),
        element('span', {class: 'number'}, pass === null ? '–' : percent(probability[k])));
    }));
    const asked = source.kind === 'image' ? `test image ${source.number}` : source.name;
    byId('terminal').textContent = this.app.steps > 0 ? 'mlp predict: not this answer, as the weights have changed'
      : pass === null ? 'mlp predict: no answer'
      : `mlp predict: ${asked}  ${this.app.className(pass.best)}  ${g9(pass.probability[pass.best])}`;
    this.thumbnails.forEach(({button}, i) => {
      button.setAttribute('aria-pressed', String(source.kind === 'image' && source.index === i));
    });
  }

  answerText() {
    const {pass, source} = this.app;
    if (pass === null) return [element('span', {class: 'nothing'}, source.text)];
    if (!this.app.hasAnswer())
      return [element('span', {class: 'nothing'}, 'The weights are so large that there is no prediction.')];
    const parts = [element('strong', {}, this.app.className(pass.best)), ` ${percent(pass.probability[pass.best])}`];
    if (source.kind === 'image') {
      const right = source.label === pass.best;
      parts.push(element('span', {class: right ? 'right' : 'mistake'},
        ` ${right ? '✓' : '✗'} truth ${this.app.className(source.label)}`));
    }
    if (source.doubt) parts.push(element('span', {class: 'doubt'}, source.doubt));
    return parts;
  }

  redraw() {
    for (const {pixels, canvas} of this.thumbnails) drawInk(canvas, pixels, data.network.rows, data.network.cols);
  }
}
