'use strict';
// The page: reads the data that `mlp page` wrote, keeps what all parts show (the picture, the answer,
// the true class), and tells the parts when it changes.

const data = JSON.parse(byId('data').textContent);
const testPixels = bytesOfBase64(byId('pixels').textContent);

class App {
  constructor() {
    this.network = new Network(data.network, byId('weights').textContent);
    this.source = {kind: 'nothing', text: 'Nothing drawn: no answer.'};
    this.pixels = this.pass = null; // the prepared picture, and the forward pass of it
    this.label = 0;
    this.steps = 0; // of learning, since the weights were those of the model
  }

  start() {
    this.draw = new DrawPart(this);
    this.see = new SeePart(this);
    this.learn = new LearnPart(this);
    // Something to learn from: an image that the model gets wrong, if there is one.
    const wrong = this.draw.thumbnails.findIndex((t) => t.wrong);
    if (data.images.numbers.length > 0) this.draw.chooseImage(Math.max(wrong, 0));
    else this.draw.clear();
  }

  className(k) {
    return this.network.classes[k];
  }

  learningRate() {
    return this.learn.rate();
  }

  // Another picture, prepared, or null; the true class is the one known or else the answer.
  setInput(pixels, source) {
    Object.assign(this, {pixels, source});
    this.compute();
    if (this.pass !== null) this.label = source.label === undefined ? this.pass.best : source.label;
    this.draw.show();
  }

  compute() {
    this.pass = this.pixels === null ? null : this.network.forward(this.pixels);
    this.known = this.knownPushes = null;
  }

  // Whether there is an image, and its probabilities are numbers.
  hasAnswer() {
    return this.pass !== null && Number.isFinite(this.pass.probability[this.pass.best]);
  }

  // The input stays as it is for now: what takes longer is shown, too.
  settle() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.learn.begin();
      this.see.begin();
    }, 0);
  }

  setLabel(label) {
    this.label = label;
    this.known = null;
    this.settle();
  }

  showAnswer() {
    this.draw.show();
    this.see.show();
  }

  showSee() {
    this.see.show();
  }

  // ----------------------------------------------------------------------------------------------

  loss() {
    return this.network.loss(this.pass, this.label);
  }

  // {dx, gradient} of the present picture and class, computed once.
  backward() {
    if (this.known === null) {
      const dx = this.network.backward(this.pass, this.label);
      this.known = {dx, gradient: this.network.gradient(this.pass, dx)};
    }
    return this.known;
  }

  // The derivatives of each logit by all values, computed once.
  pushes() {
    if (this.knownPushes === null) {
      const {network, pass} = this, until = network.layers.findIndex((layer) => layer.W) + 1;
      this.knownPushes = network.classes.map((_, k) =>
        network.backwardFrom(pass, Float32Array.from(network.classes, (__, j) => (j === k ? 1 : 0)), until));
    }
    return this.knownPushes;
  }

  step(learningRate) {
    this.network.step(this.backward().gradient, learningRate);
    this.steps++;
    this.compute();
  }

  // The loss that a step with this gradient would lead to.
  lossAfter(gradient, learningRate) {
    const {network} = this, before = network.params.slice();
    network.step(gradient, learningRate);
    const loss = network.loss(network.forward(this.pixels), this.label);
    network.params.set(before);
    return loss;
  }

  reset() {
    this.network.reset();
    this.steps = 0;
    this.compute();
  }

  redraw() {
    readColours();
    this.draw.redraw();
    this.draw.show();
    this.learn.show();
    this.see.show();
  }
}

readColours();
const app = new App();
{
  const {name, sizes, parameters, epochs} = data.network;
  document.title = `${name} · mlp`;
  byId('model-name').textContent = name;
  byId('model-facts').textContent = `${sizes} · ${parameters} parameters · ${epochs} epoch${epochs === 1 ? '' : 's'}`;
  byId('footer').textContent = `Made by mlp ${data.program}. The page computes in single precision, in the program's ` +
    'order: with the weights of the model, its probabilities are those of mlp predict, bit for bit. ' +
    'Nothing leaves this page.';
}
app.start();
makeWorksheet();
byId('print').addEventListener('click', () => print());
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => app.redraw());
