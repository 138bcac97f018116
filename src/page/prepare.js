'use strict';
// A picture of a digit made into what the network was trained on, as src/io/digit.c does it: found
// (ink.js), fitted into 20 x 20 pixels and put into 28 x 28 so that its centre of mass is in the
// middle. Whole numbers throughout: the same bytes as `mlp predict`.

const WORK_PIXELS = 1000000, MOST_FRAMES = 3;

// Makes a picture of more than a million pixels smaller: each pixel the mean of factor x factor ones.
function shrink(picture) {
  let factor = 1;
  while (Math.ceil(picture.rows / factor) * Math.ceil(picture.cols / factor) > WORK_PIXELS) factor++;
  if (factor === 1) return picture;
  const rows = Math.ceil(picture.rows / factor), cols = Math.ceil(picture.cols / factor);
  const pixels = new Uint8Array(rows * cols);
  for (let row = 0; row < rows; row++)
    for (let col = 0; col < cols; col++) {
      let sum = 0, n = 0;
      for (let y = row * factor; y < (row + 1) * factor && y < picture.rows; y++)
        for (let x = col * factor; x < (col + 1) * factor && x < picture.cols; x++, n++)
          sum += picture.pixels[y * picture.cols + x];
      pixels[row * cols + col] = Math.floor((sum + Math.floor(n / 2)) / n);
    }
  return {rows, cols, pixels};
}

function crop(picture, box) {
  const rows = height(box), cols = width(box), pixels = new Uint8Array(rows * cols);
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < cols; x++) pixels[y * cols + x] = picture.pixels[(box.top + y) * picture.cols + box.left + x];
  return {rows, cols, pixels};
}

// The digit's strokes; where a rectangle holds something, as paper on a table does, those within it.
function findDigit(picture) {
  let strokes = new Strokes(paperRelief(picture));
  for (let i = 0; i < MOST_FRAMES && strokes.block !== null; i++) {
    picture = crop(picture, strokes.block);
    let within;
    try {
      within = new Strokes(paperRelief(picture));
    } catch (error) {
      if (error instanceof NoInk) return strokes;
      throw error;
    }
    if (within.isSolid) return strokes;
    strokes = within;
  }
  return strokes;
}

// One direction of the scaling, in units in which a pixel of the picture is `to` long and one of the
// digit `from`: the overlaps of both are whole numbers.
class Axis {
  constructor(n, from, to) {
    Object.assign(this, {n, from, to});
    this.out = Math.floor((n * to + from - 1) / from);
    this.margin = Math.floor((this.out * from - n * to) / 2);
  }

  // Calls f(input pixel, overlap) for those that output pixel i covers a part of.
  each(i, f) {
    const begin = i * this.from, end = begin + this.from;
    for (let j = Math.max(0, Math.floor((begin - this.margin) / this.to)); j < this.n; j++) {
      const first = this.margin + j * this.to;
      const overlap = Math.min(end, first + this.to) - Math.max(begin, first);
      if (overlap <= 0) break;
      f(j, overlap);
    }
  }
}

// Where the first of n pixels goes, so that their centre of mass comes to pixel size / 2.
function centred(size, n, mass, sum) {
  const wanted = Math.floor(size / 2) * mass;
  const first = wanted > sum ? Math.floor((2 * (wanted - sum) + mass) / (2 * mass)) : 0;
  return Math.min(first, size - n);
}

function place(scaled, inRows, inCols, rows, cols) {
  let mass = 0, sumY = 0, sumX = 0;
  scaled.forEach((v, i) => {
    mass += v;
    sumY += v * Math.floor(i / inCols);
    sumX += v * (i % inCols);
  });
  const top = centred(rows, inRows, mass, sumY), left = centred(cols, inCols, mass, sumX);
  const digit = new Uint8Array(rows * cols);
  scaled.forEach((v, i) => {
    digit[(top + Math.floor(i / inCols)) * cols + left + i % inCols] = v;
  });
  return digit;
}

// {digit: rows x cols bytes, doubt: why the picture may not show one digit, or null}. Throws NoInk.
function prepareDigit(picture, rows, cols) {
  const strokes = findDigit(shrink(picture)), box = strokes.box;
  const boxRows = Math.max(Math.floor(rows * 20 / 28), 1), boxCols = Math.max(Math.floor(cols * 20 / 28), 1);
  const isTall = height(box) * boxCols >= width(box) * boxRows;
  const from = isTall ? height(box) : width(box), to = isTall ? boxRows : boxCols;
  const down = new Axis(height(box), from, to), across = new Axis(width(box), from, to);
  const sums = [];
  for (let row = 0; row < down.out; row++)
    for (let col = 0; col < across.out; col++) {
      let sum = 0;
      down.each(row, (y, h) => across.each(col, (x, w) => {
        sum += strokes.ink[(box.top + y) * strokes.cols + box.left + x] * w * h;
      }));
      sums.push(BigInt(sum)); // times 255 it may exceed 2^53
    }
  const most = sums.reduce((a, b) => (b > a ? b : a));
  const scaled = Uint8Array.from(sums, (sum) => Number((sum * 255n + most / 2n) / most));
  return {digit: place(scaled, down.out, across.out, rows, cols), doubt: strokes.doubt};
}
