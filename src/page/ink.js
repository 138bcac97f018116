'use strict';
// Which pixels of a picture are the ink of a digit: src/io/paper.c and strokes.c in the same order,
// whole numbers throughout, so that the page prepares a picture as `mlp predict` does, byte for byte.
// Numbers stay below 2^53, where doubles are exact; a quotient is truncated as C does it.
//
// A picture is {rows, cols, pixels}, pixels 0 (black) to 255 (white). A box is {top, bottom, left,
// right}, bottom and right exclusive.

const div = (a, b) => Math.trunc(a / b);
const partOf = (n, i, parts) => [Math.floor(n * i / parts), Math.floor(n * (i + 1) / parts)];

class Histogram {
  constructor() {
    this.count = new Float64Array(256);
    this.n = 0;
  }

  add(level) {
    this.count[level]++;
    this.n++;
  }

  addBox(pixels, cols, box) {
    for (let y = box.top; y < box.bottom; y++)
      for (let x = box.left; x < box.right; x++) this.add(pixels[y * cols + x]);
    return this;
  }

  // The smallest level that at least `rank` of those counted do not exceed.
  quantile(rank) {
    let level = 0;
    for (let sum = this.count[0]; sum < rank && level < 255; sum += this.count[level]) level++;
    return level;
  }

  median() {
    return this.quantile(Math.floor((this.n + 1) / 2));
  }
}

// ------------------------------------------------------------------------------------------------
// Paper: its brightness, a polynomial of degree 4 in x and y, by a robust least-squares fit to
// samples, which are medians of pieces of the border and of tiles inside

const PIECES = 24, TILES = 12, BAND = 64, TERMS = 9, BORDER_TERMS = 6, REACH = 64;
const ONE = 2 ** 24; // a level; weights and errors have 24 bits behind the point
const SWEEPS = 12, ROUNDS = 8, FIRST_LIMIT = 12;
const SIDES = ['top', 'bottom', 'left', 'right'];

// The coordinate of the middle of a range of n pixels, -REACH to REACH.
function coordinate(first, end, n) {
  return div((first + end) * REACH, n) - REACH;
}

// Products of Legendre's polynomials of x and y.
function paperTerms(x, y) {
  const unit = REACH * REACH;
  const x2 = div(3 * x * x - unit, 2), y2 = div(3 * y * y - unit, 2);
  return [
    1, x, y, x2, x * y, y2,
    div(35 * x * x * x * x - 30 * x * x * unit + 3 * unit * unit, 8 * unit),
    div(x2 * y2, unit),
    div(35 * y * y * y * y - 30 * y * y * unit + 3 * unit * unit, 8 * unit)
  ];
}

class Paper {
  constructor(picture) {
    this.weight = new Array(TERMS).fill(0);
    this.samples = [];
    const {rows, cols} = picture;
    const band = Math.floor((Math.min(rows, cols) + BAND - 1) / BAND);
    for (let i = 0; i < PIECES; i++) {
      const xs = partOf(cols, i, PIECES), ys = partOf(rows, i, PIECES);
      this.addSample(picture, [0, band], xs, 'top');
      this.addSample(picture, [rows - band, rows], xs, 'bottom');
      this.addSample(picture, ys, [0, band], 'left');
      this.addSample(picture, ys, [cols - band, cols], 'right');
    }
    for (let i = 0; i < TILES * TILES; i++)
      this.addSample(picture, partOf(rows, Math.floor(i / TILES), TILES), partOf(cols, i % TILES, TILES), 'inside');
    // In arrays, as the fit reads them most: the error of each sample, and its terms by their number.
    this.error = new Float64Array(this.samples.length);
    this.term = this.weight.map((_, j) => Float64Array.from(this.samples, (s) => s.term[j]));
    this.fitAll();
  }

  addSample(picture, [top, bottom], [left, right], side) {
    const box = {top, bottom, left, right};
    const histogram = new Histogram().addBox(picture.pixels, picture.cols, box);
    if (histogram.n === 0) return;
    const term = paperTerms(coordinate(left, right, picture.cols), coordinate(top, bottom, picture.rows));
    this.samples.push({level: histogram.median() * ONE, term, box, side});
  }

  level(term) {
    let level = 0;
    for (let j = 0; j < TERMS; j++) level += this.weight[j] * term[j];
    return level;
  }

  setWeights(weight) {
    this.weight = weight.slice();
    this.samples.forEach((s, i) => { this.error[i] = s.level; });
    for (let j = 0; j < TERMS; j++)
      for (let i = 0; weight[j] !== 0 && i < this.error.length; i++) this.error[i] -= weight[j] * this.term[j][i];
  }

  // Whether sample i counts: those inside only when they are wanted, and none that is too far off.
  isUsed(i, withInside) {
    return (withInside || this.samples[i].side !== 'inside') && Math.abs(this.error[i]) <= this.limit;
  }

  // Least squares over the samples within the limit, one weight after the other (Gauss-Seidel).
  fit(withInside) {
    const terms = withInside ? TERMS : BORDER_TERMS, {samples, error, limit} = this;
    for (let step = 0; step < SWEEPS * terms; step++) {
      const j = step % terms, term = this.term[j];
      let above = 0, below = 0;
      for (let i = 0; i < error.length; i++) {
        if (Math.abs(error[i]) > limit || (samples[i].side === 'inside' && !withInside)) continue;
        above += error[i] * term[i];
        below += term[i] * term[i];
      }
      if (below === 0) continue;
      const change = div(above, below);
      this.weight[j] += change;
      for (let i = 0; i < error.length; i++) error[i] -= change * term[i];
    }
  }

  medianError(withInside) {
    const histogram = new Histogram();
    this.error.forEach((error, i) => {
      if (this.isUsed(i, withInside)) histogram.add(Math.min(Math.floor(Math.abs(error) / ONE) + 1, 255));
    });
    return histogram.median();
  }

  sideMedian(side) {
    const histogram = new Histogram();
    for (const s of this.samples) if (s.side === side) histogram.add(s.level / ONE);
    return histogram.median();
  }

  // How many samples the start is near to, of the border or of all.
  countNear(withInside) {
    const limit = div(this.weight[0], 16) + FIRST_LIMIT * ONE;
    let n = 0;
    for (let i = 0; i < this.error.length; i++)
      if (Math.abs(this.error[i]) <= limit && (withInside || this.samples[i].side !== 'inside')) n++;
    return n;
  }

  // The plane through the medians of the sides; that of side `without` follows from the others.
  plane(median, without) {
    const m = {...median};
    if (without !== 'inside') {
      const opposite = {top: 'bottom', bottom: 'top', left: 'right', right: 'left'};
      const a = without === 'top' || without === 'bottom' ? 'left' : 'top';
      m[without] = m[a] + m[opposite[a]] - m[opposite[without]];
    }
    const weight = new Array(TERMS).fill(0);
    weight[0] = div(m.top + m.bottom + m.left + m.right, 4) * ONE;
    weight[1] = div(div(m.right - m.left, 2) * ONE, REACH);
    weight[2] = div(div(m.bottom - m.top, 2) * ONE, REACH);
    return weight;
  }

  // The plane or constant that most of the samples are near to, of equals the first.
  findStart() {
    const median = {};
    for (const side of SIDES) median[side] = this.sideMedian(side);
    const starts = ['inside', 'right', 'left', 'bottom', 'top'].map((without) => this.plane(median, without));
    for (const s of this.samples) {
      const constant = new Array(TERMS).fill(0);
      constant[0] = s.level;
      starts.push(constant);
    }
    let best = new Array(TERMS).fill(0), most = 0;
    for (const start of starts) {
      this.setWeights(start);
      const near = this.countNear(true);
      if (near > most) [best, most] = [start, near];
    }
    this.setWeights(best);
  }

  fitAll() {
    this.findStart();
    const border = this.samples.filter((s) => s.side !== 'inside').length;
    const withInside = 2 * this.countNear(false) < border;
    let least = 0;
    for (let limit = FIRST_LIMIT + div(Math.floor(this.weight[0] / ONE), 5); limit > least; limit = div(limit * 3, 4)) {
      this.limit = limit * ONE;
      this.fit(withInside);
      least = 3 * this.medianError(withInside) + 1;
    }
    this.limit = least * ONE;
    for (let round = 0; round < ROUNDS; round++) this.fit(true);
  }

  // The paper's level at each pixel, 0 to 255; computed once for pixels of the same coordinates.
  draw(rows, cols) {
    const level = new Uint8Array(rows * cols), known = new Int16Array(4 * REACH * REACH).fill(-1);
    for (let y = 0; y < rows; y++)
      for (let x = 0; x < cols; x++) {
        const atX = coordinate(x, x + 1, cols), atY = coordinate(y, y + 1, rows);
        const at = (atY + REACH) * 2 * REACH + atX + REACH;
        if (known[at] < 0) {
          const v = Math.floor((this.level(paperTerms(atX, atY)) + ONE / 2) / ONE);
          known[at] = Math.max(0, Math.min(255, v));
        }
        level[y * cols + x] = known[at];
      }
    return level;
  }
}

// How far each pixel is from the paper on the side of the ink, darker or lighter, as most of the
// squared deviation is; and the scatter of the paper: three quarters of its pixels are within.
function paperRelief(picture) {
  const {rows, cols, pixels} = picture;
  const fitted = new Paper(picture), paper = fitted.draw(rows, cols), level = new Uint8Array(rows * cols);
  let darker = 0, lighter = 0, brightest = 1;
  for (let i = 0; i < level.length; i++) {
    const off = pixels[i] - paper[i];
    if (off > 0) lighter += off * off;
    else darker += off * off;
    brightest = Math.max(brightest, paper[i]);
  }
  for (let i = 0; i < level.length; i++) {
    const v = pixels[i], p = paper[i];
    if (lighter > darker) level[i] = Math.max(v - p, 0);
    else level[i] = v < p ? Math.floor(((p - v) * 2 * brightest + p) / (2 * p)) : 0;
  }
  const of = {border: new Histogram(), inside: new Histogram()};
  fitted.samples.forEach((s, i) => {
    if (!fitted.isUsed(i, true)) return;
    const histogram = new Histogram().addBox(level, cols, s.box);
    of[s.side === 'inside' ? 'inside' : 'border'].add(histogram.quantile(Math.floor((3 * histogram.n + 3) / 4)));
  });
  let scatter = 255;
  for (const histogram of [of.border, of.inside])
    if (histogram.n > 0) scatter = Math.min(scatter, histogram.median());
  return {rows, cols, level, scatter};
}

// ------------------------------------------------------------------------------------------------
// Boxes

const height = (b) => b.bottom - b.top, width = (b) => b.right - b.left;
const longer = (b) => Math.max(height(b), width(b)), shorter = (b) => Math.min(height(b), width(b));
const boxArea = (b) => height(b) * width(b);

function boxJoin(a, b) {
  return {top: Math.min(a.top, b.top), bottom: Math.max(a.bottom, b.bottom),
    left: Math.min(a.left, b.left), right: Math.max(a.right, b.right)};
}

function boxGap(a, b) {
  const gap = (first, end, first2, end2) => Math.max(0, first - end2, first2 - end);
  return Math.max(gap(a.top, a.bottom, b.top, b.bottom), gap(a.left, a.right, b.left, b.right));
}

// ------------------------------------------------------------------------------------------------
// Strokes: levels, components of certain ink, the choice among them, growth into the pale edge.
// The names and values of the limits are those of strokes.c, which gives reasons.

const NOISE_SCATTERS = 5, BLANK_SCATTERS = 7, WEAKEST_INK = 16, RARE = 10000, RARE_INK = 512, CERTAIN = 3,
  MOST_CERTAIN = 7, AROUND = 50, INK_THRESHOLD = 16, SMALLEST_INK = 4, NOISY_PART = 40, LEAST_PART = 4,
  FRAME_PART = 4, TOUCHING_PART = 20, CLOSE_PART = 10, CLOSE_ROUNDS = 3, GROWTH_PART = 8, SMALL_PART = 64,
  SIMILAR_PART = 2, BLOCK_INSET = 50, BLOCK_EDGE = 9, BLOCK_FILL = 5, SOLID_FILL = 9, SOLID_SHAPE = 3;

// A picture in which nothing can be a digit.
class NoInk extends Error {}

class Strokes {
  constructor(relief) {
    Object.assign(this, {rows: relief.rows, cols: relief.cols, level: relief.level, scatter: relief.scatter});
    this.label = new Uint32Array(this.level.length);
    this.queue = new Uint32Array(this.level.length);
    this.findLevels();
    const main = this.findCertain();
    if (main === 0) this.refuse();
    let box = this.keepClose(main);
    this.doubt = this.doubtOf(main);
    const m = this.component[main];
    this.isSolid = 10 * m.size >= SOLID_FILL * boxArea(m.box) && SOLID_SHAPE * shorter(m.box) > longer(m.box);
    this.raiseNoise(box);
    this.grow(Math.floor(longer(box) / GROWTH_PART) + 1);
    this.fillInk();
  }

  // The smallest box around these pixels.
  boxOf(pixels) {
    const box = {top: this.rows, bottom: 0, left: this.cols, right: 0};
    for (const i of pixels) {
      const y = Math.floor(i / this.cols), x = i % this.cols;
      box.top = Math.min(box.top, y);
      box.bottom = Math.max(box.bottom, y + 1);
      box.left = Math.min(box.left, x);
      box.right = Math.max(box.right, x + 1);
    }
    return box;
  }

  touchesEdge(b) {
    return b.top === 0 || b.left === 0 || b.bottom === this.rows || b.right === this.cols;
  }

  reachesAcross(b) {
    return width(b) === this.cols || height(b) === this.rows;
  }

  findLevels() {
    const histogram = new Histogram();
    for (const level of this.level) histogram.add(level);
    this.contrast = histogram.quantile(histogram.n - Math.floor(histogram.n / RARE));
    if (this.contrast === 0) throw new NoInk('The picture is blank: no pixel stands out from the paper.');
    if (this.contrast < WEAKEST_INK || this.contrast < BLANK_SCATTERS * this.scatter)
      throw new NoInk('The picture seems blank: its strongest pixels hardly differ from the paper.');
    this.noise = Math.min(NOISE_SCATTERS * this.scatter, Math.floor(this.contrast / 2));
  }

  // Labels what a path of at most `steps` pixels of that level, each one of eight neighbours of the one
  // before, joins to the first n in the queue; returns how many are in it then.
  spread(n, steps, weakest, label) {
    for (let at = 0, end = n; steps > 0 && at < n; steps--, end = n)
      for (; at < end; at++) {
        const y = Math.floor(this.queue[at] / this.cols), x = this.queue[at] % this.cols;
        for (let v = Math.max(y - 1, 0); v <= y + 1 && v < this.rows; v++)
          for (let u = Math.max(x - 1, 0); u <= x + 1 && u < this.cols; u++) {
            const next = v * this.cols + u;
            if (this.label[next] !== 0 || this.level[next] < weakest) continue;
            this.label[next] = label;
            this.queue[n++] = next;
          }
      }
    return n;
  }

  // The connected components of ink that is certain at so many eighths of the contrast, from 1.
  findComponents(certain) {
    const weakest = Math.max(Math.floor((certain * this.contrast + 7) / 8), this.noise + 1);
    this.component = [null];
    this.label.fill(0);
    for (let i = 0; i < this.label.length; i++) {
      if (this.label[i] !== 0 || this.level[i] < weakest) continue;
      const label = this.component.length;
      this.label[i] = label;
      this.queue[0] = i;
      const size = this.spread(1, Infinity, weakest, label);
      this.component.push({size, box: this.boxOf(this.queue.subarray(0, size)), kept: false});
    }
  }

  // Whether component `frame` has ink on all four sides of the middle of box `held`.
  surrounds(frame, held) {
    const y = Math.floor((held.top + held.bottom) / 2), x = Math.floor((held.left + held.right) / 2);
    let sides = 0; // a bit for each
    for (let u = 0; u < this.cols; u++)
      if (this.label[y * this.cols + u] === frame) sides |= u < held.left ? 1 : u >= held.right ? 2 : 0;
    for (let v = 0; v < this.rows; v++)
      if (this.label[v * this.cols + x] === frame) sides |= v < held.top ? 4 : v >= held.bottom ? 8 : 0;
    return sides === 15;
  }

  isFrameOf(frame, held) {
    const outer = this.component[frame].box, inner = this.component[held].box;
    return outer.top < inner.top && inner.bottom < outer.bottom && outer.left < inner.left &&
      inner.right < outer.right && longer(inner) * FRAME_PART >= longer(outer) && this.surrounds(frame, inner);
  }

  isFrame(frame) {
    return this.component.some((c, held) => c !== null && this.isFrameOf(frame, held));
  }

  // The component that most of the digit is, 0 when there is none.
  findMain() {
    const part = Math.floor(Math.min(this.rows, this.cols) / NOISY_PART);
    const smallest = this.scatter > 0 && part > SMALLEST_INK ? part : SMALLEST_INK;
    const best = [0, 0]; // inside the picture, and touching its edge
    for (let i = 1; i < this.component.length; i++) {
      const c = this.component[i], kind = this.touchesEdge(c.box) ? 1 : 0;
      if ((best[kind] === 0 || c.size > this.component[best[kind]].size) && longer(c.box) >= smallest &&
          !this.isFrame(i))
        best[kind] = i;
    }
    const [inside, touching] = best;
    const chosen = inside !== 0 && (touching === 0 ||
      this.component[inside].size * TOUCHING_PART >= this.component[touching].size);
    return chosen ? inside : touching;
  }

  isClear(main, least) {
    if (main === 0) return false;
    const m = this.component[main];
    let touching = 0;
    for (const c of this.component.slice(1))
      if (this.touchesEdge(c.box) && !this.reachesAcross(c.box)) touching += c.size;
    return !this.touchesEdge(m.box) && longer(m.box) >= least && touching * TOUCHING_PART <= m.size;
  }

  // The main component; where it reaches across the picture, as lines do, stronger ink is tried.
  findCertain() {
    this.findComponents(CERTAIN);
    this.block = this.findBlock();
    let main = this.findMain();
    if (main === 0 || !this.reachesAcross(this.component[main].box)) return main;
    const least = Math.floor(shorter(this.component[main].box) / LEAST_PART);
    for (let certain = CERTAIN + 2; certain <= MOST_CERTAIN; certain += 2) {
      this.findComponents(certain);
      main = this.findMain();
      if (this.isClear(main, least)) return main;
    }
    this.findComponents(CERTAIN);
    return this.findMain();
  }

  // A light or dark rectangle that fills most of the picture: perhaps the paper, with the digit within.
  findBlock() {
    let largest = 1;
    this.component.forEach((c, i) => {
      if (i > 1 && c.size > this.component[largest].size) largest = i;
    });
    const {box, size} = this.component[largest], inset = Math.floor(shorter(box) / BLOCK_INSET) + 1;
    if (shorter(box) <= 4 * inset || 2 * height(box) < this.rows || 2 * width(box) < this.cols ||
        10 * size < BLOCK_FILL * boxArea(box))
      return null;
    const inside = {top: box.top + inset, bottom: box.bottom - inset, left: box.left + inset, right: box.right - inset};
    return this.edgeShare(inside, largest) >= BLOCK_EDGE ? inside : null;
  }

  // How many tenths of the pixels along the edge of a box have that label.
  edgeShare(box, label) {
    let on = 0, all = 0;
    for (let y = box.top; y < box.bottom; y++) {
      const wholeRow = y === box.top || y === box.bottom - 1;
      for (let x = box.left; x < box.right; x += wholeRow ? 1 : width(box) - 1, all++)
        if (this.label[y * this.cols + x] === label) on++;
    }
    return Math.floor(10 * on / all);
  }

  refuse() {
    const largest = this.component.slice(1).map((c) => c.box).reduce((a, b) => (longer(b) > longer(a) ? b : a));
    throw new NoInk(`The largest part of the ink is only ${width(largest)} × ${height(largest)} pixels: ` +
      'too small to be a digit.');
  }

  // Keeps the components that are close to the digit, and those close to these; returns the box of all.
  keepClose(main) {
    const m = this.component[main];
    let box = m.box;
    m.kept = true;
    for (let round = 0; round < CLOSE_ROUNDS; round++)
      for (let i = 1; i < this.component.length; i++) {
        const c = this.component[i];
        if (c.kept || this.touchesEdge(c.box) || c.size * SMALL_PART < m.size ||
            boxGap(c.box, box) * CLOSE_PART > longer(m.box) || this.isFrameOf(i, main))
          continue;
        c.kept = true;
        box = boxJoin(box, c.box);
      }
    return box;
  }

  doubtOf(main) {
    const m = this.component[main].box;
    for (let i = 1; i < this.component.length; i++) {
      const c = this.component[i];
      const similar = i !== main && !this.touchesEdge(c.box) && longer(c.box) * SIMILAR_PART >= longer(m);
      const beside = c.box.right <= m.left || m.right <= c.box.left;
      if (similar && (!c.kept || beside) && !this.isFrameOf(i, main))
        return 'There seems to be more than one digit; the answer is for the largest.';
    }
    if (this.reachesAcross(m))
      return 'Its ink reaches from edge to edge: leave some paper around the digit, and no lines, frame or table.';
    return null;
  }

  // What the paper shows around the digit, as faint lines, is not ink of the digit either.
  raiseNoise(digit) {
    const around = new Histogram(), margin = Math.floor(longer(digit) / GROWTH_PART) + 1;
    for (let y = 0; y < this.rows; y++)
      for (let x = 0; x < this.cols; x++) {
        const gap = Math.max(digit.top - y - 1, y - digit.bottom, digit.left - x - 1, x - digit.right);
        if (this.label[y * this.cols + x] === 0 && gap >= margin) around.add(this.level[y * this.cols + x]);
      }
    this.noise = Math.max(this.noise, around.quantile(around.n - Math.floor(around.n / AROUND)));
  }

  // Reduces `label` to a mask: 1 for the kept components and the pale ink connected with them.
  grow(steps) {
    let n = 0;
    for (let i = 0; i < this.label.length; i++) {
      const label = this.label[i];
      this.label[i] = label === 0 ? 0 : this.component[label].kept ? 1 : 2;
      if (this.label[i] === 1) this.queue[n++] = i;
    }
    this.spread(n, steps, this.noise + 1, 1);
  }

  // The ink of the mask, 255 for its strongest, and its box.
  fillInk() {
    const inks = new Histogram();
    for (let i = 0; i < this.label.length; i++) if (this.label[i] === 1) inks.add(this.level[i]);
    const strongest = inks.quantile(inks.n - Math.floor(inks.n / RARE_INK)), range = strongest - this.noise;
    this.ink = new Uint8Array(this.label.length);
    const inBox = [];
    for (let i = 0; i < this.label.length; i++) {
      const level = this.level[i];
      if (this.label[i] !== 1 || level <= this.noise) continue;
      const ink = level < strongest ? Math.floor(((level - this.noise) * 255 + Math.floor(range / 2)) / range) : 255;
      this.ink[i] = ink;
      if (ink >= INK_THRESHOLD) inBox.push(i);
    }
    this.box = this.boxOf(inBox);
  }
}
