// Runs a model of `mlp export` in ONNX Runtime and compares its answers with those of `mlp eval
// --predictions`: onnxruntime.js MODEL IMAGES PREDICTIONS.
// Without arguments it only says whether the package onnxruntime-node is there. Batches are of 1 and of
// 999 images, and the last one of fewer.
const fs = require("fs"), ort = require("onnxruntime-node"), zlib = require("zlib");

async function compare(model, imagesFile, predictions) {
    const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 1 });
    let bytes = fs.readFileSync(imagesFile);
    if (imagesFile.endsWith(".gz")) bytes = zlib.gunzipSync(bytes);
    const [n, rows, cols] = [4, 8, 12].map((at) => bytes.readUInt32BE(at));
    const lines = fs.readFileSync(predictions, "utf8").trim().split(/\r?\n/).slice(1);
    let worst = 0, differ = lines.length === n ? 0 : 1;
    for (let first = 0, size; first < n; first += size) {
        size = first === 0 ? 1 : Math.min(999, n - first);
        const pixels = bytes.subarray(16 + first * rows * cols, 16 + (first + size) * rows * cols);
        const { probabilities, logits } = await session.run({
            pixels: new ort.Tensor("uint8", Uint8Array.from(pixels), [size, 1, rows, cols]) });
        const classes = probabilities.dims[1];
        for (let i = 0; i < size; i++) {
            const row = (values) => Array.from(values.data.subarray(i * classes, (i + 1) * classes));
            const p = row(probabilities), a = row(logits);
            const [, , predicted, probability] = lines[first + i].split(",").map(Number);
            if (p.indexOf(Math.max(...p)) !== predicted || a.indexOf(Math.max(...a)) !== predicted) differ++;
            worst = Math.max(worst, Math.abs(p[predicted] - probability));
        }
    }
    console.log(`${n} images, ${differ} other classes, largest difference of a probability ${worst}`);
    process.exitCode = differ === 0 && worst <= 1e-5 ? 0 : 1;
}

if (process.argv.length > 2) compare(...process.argv.slice(2));
