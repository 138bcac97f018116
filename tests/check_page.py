"""Checks of the page that `mlp page` writes: `check_page.py hashes PAGE`; without arguments, in one browser, those that
standard input names, one per line, with a tab after the check's name and each argument. Prints "ok" or "FAIL" and what
was checked, and ends with status 1 if any failed. cli_page.sh calls it in a directory of its own, with MLP and FAST_MLP (the
program, with and without sanitizers), DATA (MNIST) and TESTS (this directory)."""
import base64, contextlib, csv, gzip, hashlib, json, os, random, re, shutil, socket, struct, subprocess, sys, time, urllib.parse, zlib

from browser import Browser

MLP, FAST_MLP, DATA = (os.environ.get(name) for name in ("MLP", "FAST_MLP", "DATA"))
failed = False
shared_browser = None


def claim(text, ok, *details):
    global failed
    if ok:
        print("ok " + text)
    else:
        failed = True
        for detail in details:
            print("  " + str(detail)[:1000])
        print("FAIL " + text)
    sys.stdout.flush()


def page_of(model, *flags):
    subprocess.run([MLP, "page", model, "-d", DATA, "-o", "shown.html", *flags], check=True)
    return "shown.html"


@contextlib.contextmanager
def opened(page, *flags):
    """The browser, as it was started, with the page, or the page of a model."""
    path = page if page.endswith(".html") else page_of(page, *flags)
    shared_browser.reset()
    shared_browser.open(path)
    yield shared_browser


def bits(values):
    return [struct.pack("<f", v) for v in values]


def predicted(model, file):
    """Of every image of a file that has an answer: file, number, class, and the probabilities of all ten classes."""
    out = subprocess.run([FAST_MLP, "predict", "--json", "--top", "10", model, file], capture_output=True).stdout
    return [(p["file"], p["index"], p["digit"], [t["probability"] for t in sorted(p["top"], key=lambda t: t["digit"])])
            for p in json.loads(out)["predictions"]]


def test_images():
    read = lambda name: gzip.open(os.path.join(DATA, name)).read()
    return read("t10k-images-idx3-ubyte.gz")[16:], read("t10k-labels-idx1-ubyte.gz")[8:]


def write_idx(path, images):
    with open(path, "wb") as out:
        out.write(b"\0\0\x08\x03" + struct.pack(">III", len(images), 28, 28) + b"".join(images))


def write_labels(path, labels):
    with open(path, "wb") as out:
        out.write(b"\0\0\x08\x01" + struct.pack(">I", len(labels)) + bytes(labels))


def pgm(rows, cols, pixels):
    return b"P5 %d %d 255\n" % (cols, rows) + bytes(pixels)


def write_png(path, rows, cols, pixels):
    """Grey, or red, green and blue."""
    channels = len(pixels) // (rows * cols)
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    lines = b"".join(b"\0" + bytes(pixels[y * cols * channels:(y + 1) * cols * channels]) for y in range(rows))
    header = struct.pack(">IIBBBBB", cols, rows, 8, 2 if channels == 3 else 0, 0, 0, 0)
    with open(path, "wb") as out:
        out.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b""))


def model_weights(path):
    """All tensors in the order in which the page has them: by layer, the weight before the bias."""
    raw = open(path, "rb").read()
    n = int.from_bytes(raw[:8], "little")
    header, body = json.loads(raw[8:8 + n]), raw[8 + n:]
    names = [name for name in header if re.fullmatch(r"(conv|fc)\d+\.(weight|bias)", name)]
    layer = lambda name: (name.startswith("fc"), int(re.search(r"\d+", name).group()), name.endswith("bias"))
    parts = []
    for name in sorted(names, key=layer):
        begin, end = header[name]["data_offsets"]
        parts.append(body[begin:end])
    return b"".join(parts)


# The weights that the page has now, as bytes.
WEIGHTS = "const bytes = new Uint8Array(app.network.params.buffer); let text = ''; " \
    "for (const b of bytes) text += String.fromCharCode(b); return btoa(text);"


def page_weights(browser):
    return base64.b64decode(browser.run(WEIGHTS))


def settled(browser):
    """Waits until the page has shown everything: it does so in timeouts of 0."""
    browser.call("POST", "/execute/async", {"script": "const done = arguments[0]; setTimeout(() => setTimeout(done, 0), 20);", "args": []})


# ----------------------------------------------------------------------------------------------------------------------


def hashes(path):
    page = open(path, "rb").read()
    for directive, begin, end in (("script-src", b"<script>", b"</script>"), ("style-src", b"<style>", b"</style>")):
        content = page.split(begin)[1].split(end)[0]
        named = re.search(directive.encode() + rb" 'sha256-([^']*)'", page).group(1)
        actual = base64.b64encode(hashlib.sha256(content).digest())
        assert len(content) > 1000 and named == actual, (directive, named, actual)


def answers(model, n):
    """The probabilities of test images, and those of images that are no digits."""
    pixels, _ = test_images()
    with opened(model, "--images", n) as browser:
        numbers = browser.run("return data.images.numbers")
        got = browser.run("return data.images.numbers.map((_, i) => Array.from(app.network.forward(testPixels.subarray(784 * i, 784 * (i + 1))).probability))")
        write_idx("asked.idx", [pixels[784 * i:784 * (i + 1)] for i in numbers])
        want = predicted(model, "asked.idx")
        wrong = [i for i, w, g in zip(numbers, want, got) if bits(w[3]) != bits(g)]
        claim("%s: the probabilities of %s test images are those of mlp predict, bit for bit" % (model, n),
              len(want) == len(got) == int(n) and not wrong, wrong[:5])
        strange = [bytes(784), bytes([255]) * 784, bytes(random.Random(1).randrange(256) for _ in range(784)), bytes([0, 255] * 392)]
        write_idx("strange.idx", strange)
        want = predicted(model, "strange.idx")
        got = [browser.run("return Array.from(app.network.forward(Uint8Array.from(arguments[0])).probability)", list(s)) for s in strange]
        claim("%s: and so are those of black, white and noise" % model, [bits(w[3]) for w in want] == [bits(g) for g in got])
        if n != "200":
            return
        # What one reads and clicks.
        browser.click("#images button:nth-child(3)")
        shown = browser.run("return [byId('answer').textContent, byId('terminal').textContent, byId('bars').children.length]")
        digit, probability = want_line(model, pixels, numbers[2])
        claim("%s: a click on a test image shows its answer, its truth, and the line of mlp predict" % model,
              digit in shown[0] and "truth" in shown[0] and shown[1].endswith("%s  %s" % (digit, probability)) and shown[2] == 10, shown)


def want_line(model, pixels, i):
    write_idx("one.idx", [pixels[784 * i:784 * (i + 1)]])
    line = subprocess.run([FAST_MLP, "predict", model, "one.idx"], check=True, capture_output=True, text=True).stdout
    return line.split("\t")[1], line.split("\t")[2].strip()


# A 3 in strokes, as places from the middle of the drawing area.
STROKES = [[(-50, -80), (0, -100), (50, -70), (40, -20), (-10, 0)], [(-10, 0), (50, 20), (55, 70), (0, 100), (-55, 80)]]


def asked(browser):
    """What the page was asked and answered: the picture as bytes, the answer as text, the probabilities or None."""
    return browser.run("return [Array.from(app.draw.drawing.pixels), byId('answer').textContent, app.pass && Array.from(app.pass.probability)]")


def check_drawing(browser, model, how, least=500):
    drawn, text, got = asked(browser)
    with open("drawn.pgm", "wb") as out:
        out.write(pgm(224, 224, drawn))
    want = predicted(model, "drawn.pgm")
    claim("%s: what is drawn %s gets the answer of mlp predict for the same picture, bit for bit" % (model, how),
          got is not None and len(want) == 1 and bits(want[0][3]) == bits(got) and str(want[0][2]) in text and sum(v < 128 for v in drawn) > least,
          text, want, got)
    return drawn


def draws(model):
    with opened(model, "--images", "0") as browser:
        empty = lambda: asked(browser)[1:] == ["Nothing drawn: no answer.", None]
        claim("%s: nothing drawn is an answer" % model, empty(), asked(browser)[1:])
        drawings = []
        for kind in ("mouse", "touch", "pen"):
            for stroke in STROKES:
                browser.stroke("#paper", stroke, kind)
            settled(browser)
            drawings.append(check_drawing(browser, model, "with a " + kind.replace("touch", "finger")))
            browser.click("#clear")
            claim("%s: Clear leaves nothing after a %s" % (model, kind), empty(), asked(browser)[1:])
        claim("%s: mouse, finger and pen draw the same" % model, drawings[0] == drawings[1] == drawings[2])
        for keys in (" " + "\ue015" * 14, "\ue013" * 7 + "\ue014" * 5, " "): # space, down; up, right; space
            browser.type("#paper", keys)
        check_drawing(browser, model, "with keys")
        browser.type("#paper", "\ue017")
        claim("%s: the Delete key clears" % model, empty(), asked(browser)[1:])
        browser.stroke("#paper", [(0, 0), (1, 0)])
        settled(browser)
        drawn, text, got = asked(browser)
        check_drawing(browser, model, "as a dot", 100)
        saved = browser.run("""const parts = []; const Real = Blob; Blob = function (content, type) { parts.push(...content); return new Real(content, type); };
            app.draw.save(); Blob = Real; return [parts[0], Array.from(parts[1])];""")
        claim("%s: the drawing is saved as the bytes of a PGM file" % model, saved == ["P5\n224 224\n255\n", drawn], saved[0])


def scenes(n):
    """Pictures of digits as people take them: enlarged test images on paper, with faults: (rows, cols, pixels)."""
    pixels, _ = test_images()
    faults = ["clean", "light", "noise", "chalk", "frame", "ruled", "table", "specks", "cropped", "faint", "blank", "lines", "blurred"]
    for i in range(n):
        rng, fault = random.Random(i), faults[i % len(faults)]
        k, margin = rng.choice([2, 3, 4, 5]), rng.randrange(4, 30)
        digit = pixels[784 * i:784 * (i + 1)]
        if fault == "cropped":
            margin = 0
        rows, cols = 28 * k + 2 * margin, 28 * k + margin
        picture = []
        for y in range(rows):
            for x in range(cols):
                v, u = (y - margin) // k, (x - margin // 2) // k
                ink = digit[28 * v + u] if 0 <= v < 28 and 0 <= u < 28 and fault != "blank" else 0
                level = 255 - ink * (20 if fault == "faint" else 225) // 255
                if fault == "light":
                    level = level * (2 * cols - x) // (2 * cols)
                elif fault == "noise":
                    level = max(0, min(255, level - 20 + round(rng.gauss(0, 8))))
                elif fault == "chalk":
                    level = 255 - level
                elif fault == "frame" and (min(x, y) < 2 or x >= cols - 2 or y >= rows - 2):
                    level = 0
                elif fault == "ruled" and y % 17 == 5:
                    level = min(level, 190)
                elif fault == "lines" and y % 23 == 7:
                    level = min(level, 100)
                elif fault == "table" and x < 6:
                    level = 40
                elif fault == "specks" and rng.random() < 0.0008:
                    level = 0
                picture.append(level)
        if fault == "blurred":
            picture = blurred(rows, cols, picture, 2 * k)
        yield rows, cols, picture


def blurred(rows, cols, picture, r):
    """Each pixel the mean of 2r + 1 in its row, then in its column, fewer at the edge."""
    def along(lines):
        for line in lines:
            yield [sum(line[max(0, i - r):i + r + 1]) // len(line[max(0, i - r):i + r + 1]) for i in range(len(line))]
    lines = list(along(picture[y * cols:(y + 1) * cols] for y in range(rows)))
    columns = list(along(zip(*lines)))
    return [v for line in zip(*columns) for v in line]


def prepares(model):
    pictures = list(scenes(78)) + [(1, 1, [0]), (3, 200, [255] * 300 + [0] * 300), (60, 4, ([255] * 2 + [0] * 2) * 60), (30, 30, [128] * 900)]
    with open("scenes.pgm", "wb") as out:
        out.write(b"".join(pgm(*p) for p in pictures))
    want = {index: probability for _, index, _, probability in predicted(model, "scenes.pgm")}
    prepare = """const [rows, cols, text] = arguments;
        app.draw.answerPicture({rows, cols, pixels: Uint8Array.from(atob(text), (c) => c.charCodeAt(0))}, 'a scene');
        return app.pass && Array.from(app.pass.probability);"""
    with opened(model, "--images", "0") as browser:
        wrong = []
        for i, (rows, cols, picture) in enumerate(pictures):
            got = browser.run(prepare, rows, cols, base64.b64encode(bytes(picture)).decode())
            if (got is None) != (i not in want) or (got is not None and bits(got) != bits(want[i])):
                wrong.append((i, rows, cols))
        claim("%d pictures in bad light, noise, frames and lines are prepared, or refused, as mlp predict does" % len(pictures),
              not wrong and 50 < len(want) < len(pictures), wrong, len(want))
        # Files: grey and in colour, as one opens them and as one drops them.
        rows, cols, grey = pictures[1]
        colours = [v for level in grey for v in (level, level * 9 // 10, level * 3 // 4)]
        write_png("grey.png", rows, cols, grey)
        write_png("colour.png", rows, cols, colours)
        with open("grey.pgm", "wb") as out:
            out.write(pgm(rows, cols, grey))
        with open("colour.ppm", "wb") as out:
            out.write(b"P6 %d %d 255\n" % (cols, rows) + bytes(colours))
        for png, pnm in (("grey.png", "grey.pgm"), ("colour.png", "colour.ppm")):
            browser.run("app.draw.clear()")
            browser.type("#file", os.path.abspath(png))
            got = wait_for_answer(browser)
            claim("a picture that is opened, %s, gets the answer of mlp predict for %s" % (png, pnm),
                  got is not None and bits(got) == bits(predicted(model, pnm)[0][3]), got)
        opened_answer = got
        browser.run("app.draw.clear()")
        browser.run(DROP, base64.b64encode(open("colour.png", "rb").read()).decode(), "x.png", "image/png")
        claim("so does one that is dropped", wait_for_answer(browser) == opened_answer)
        with open("none.png", "wb") as out:
            out.write(b"no picture")
        browser.type("#file", os.path.abspath("none.png"))
        wait_for_answer(browser, "none.png is not a picture")
        claim("a file that is not a picture is named, and has no answer", "none.png is not a picture" in browser.text("#answer"))


def wait_for_answer(browser, text=""):
    for _ in range(100):
        shown, got = asked(browser)[1:]
        if text in shown and (text or got is not None):
            return got
        time.sleep(0.05)


def trained(model, image, label, rate, steps):
    """The weights after so many steps of the program with a batch of this image, and the losses before each."""
    shutil.rmtree("one", ignore_errors=True)
    os.mkdir("one")
    pixels, labels = test_images()
    write_idx("one/train-images-idx3-ubyte", [image, pixels[:784]])
    write_labels("one/train-labels-idx1-ubyte", [label, labels[0]])
    write_idx("one/t10k-images-idx3-ubyte", [image])
    write_labels("one/t10k-labels-idx1-ubyte", [label])
    subprocess.run([FAST_MLP, "train", "-q", "-d", "one", "--from", model, "--train-size", "1", "--val-size", "1", "--batch", "1",
                    "--lr", rate, "--epochs", str(steps), "-o", "one.bin", "--csv", "one.csv"], check=True, stderr=subprocess.DEVNULL)
    return model_weights("one.bin"), [float(row["train_loss"]) for row in csv.DictReader(open("one.csv"))]


def learns(model):
    pixels, labels = test_images()
    with opened(model, "--images", "24") as browser:
        number, label = browser.run("return [app.source.number, app.label]")
        image = pixels[784 * number:784 * (number + 1)]
        before = page_weights(browser)
        claim("%s: the page has the model's weights" % model, before == model_weights(model))
        hidden = "return [...document.querySelectorAll('#forward-table canvas, #backward-table canvas')].filter((c) => !c.hidden).length"
        shown = [browser.run(hidden)]
        for step in ("forward", "loss", "backward"):
            browser.click("#do-" + step)
            shown.append(browser.run(hidden))
        claim("%s: forward and backward show what they have computed, in this order" % model,
              shown[0] == 0 < shown[1] == shown[2] < shown[3] and browser.run("return byId('forward-table').rows[byId('forward-table').rows.length - 1].textContent").strip() != "")
        claim("%s: and change no weight" % model, page_weights(browser) == before)
        rate = repr(browser.run("return app.learningRate()"))
        loss = browser.run("return app.loss()")
        browser.click("#do-update")
        weights, losses = trained(model, image, label, rate, 1)
        claim("%s: one update gives the weights of one training step with a batch of one image, bit for bit" % model,
              page_weights(browser) == weights != before, rate)
        claim("%s: the loss before it is that of the training" % model, abs(loss - losses[0]) <= 1e-6 * abs(loss), loss, losses)
        browser.click("#do-reset")
        claim("%s: Reset brings the model back" % model, page_weights(browser) == before)
        browser.run("byId('rate').value = -1.7; byId('rate').dispatchEvent(new Event('input'))")
        browser.run("byId('label').value = 3; byId('label').dispatchEvent(new Event('change'))")
        settled(browser)
        rate = repr(browser.run("return app.learningRate()"))
        browser.click("#do-ten")
        weights, losses = trained(model, image, 3, rate, 10)
        history = browser.run("return [...app.learn.history, app.loss()]")
        claim("%s: ten steps to another class at another rate are ten steps of the program" % model,
              page_weights(browser) == weights, rate)
        claim("%s: the losses are those of the training, and they fall" % model,
              len(history) == 11 and all(abs(a - b) <= 1e-5 * b for a, b in zip(history, losses)) and history[-1] < history[0], history, losses)
        after = subprocess.run([FAST_MLP, "predict", "--json", "--top", "10", "one.bin", "one/t10k-images-idx3-ubyte"], check=True, capture_output=True)
        top = {t["digit"]: t["probability"] for t in json.loads(after.stdout)["predictions"][0]["top"]}
        got = browser.run("return Array.from(app.pass.probability)")
        claim("%s: the answer after them is that of the trained model" % model, bits(got) == bits(top[k] for k in range(10)))


def explains(model):
    with opened(model, "--images", "24") as browser:
        # Every chain's product is the gradient of the training code: for the units and weights of every layer.
        wrong = browser.run("""const wrong = []; let n = 0;
            for (const block of app.see.blocks)
              for (let i = 0; i < 12; i++) {
                const unit = (7 * i) % block.units, weight = i < 6 ? (131 * i + 17) % block.perUnit : app.see.strongest.call({app, block}, unit);
                const text = chainParts(app, block, unit, weight).map((p) => p.textContent).join(' ');
                n++;
                if (!text.includes('the same bits')) wrong.push([block.layer.name, unit, weight, text]);
              }
            return [n, wrong];""")
        claim("%s: the product of the chain is the gradient of the training code, bit for bit, in every layer" % model,
              wrong[0] >= 24 and not wrong[1], wrong[1][:2])
        # The gradient itself against a finite difference, where that is precise enough to tell.
        far = browser.run("""const far = []; let n = 0; const {gradient} = app.backward();
            for (let i = 0; i < gradient.length && n < 60; i += Math.ceil(gradient.length / 4000)) {
              if (Math.abs(gradient[i]) < 0.05 * largest(gradient)) continue;
              n++;
              const w = app.network.params[i], h = 2 ** -9;
              const slope = (lossWith(app, i, w + h) - lossWith(app, i, w - h)) / (f32(w + h) - f32(w - h));
              if (Math.abs(slope - gradient[i]) > 0.05 * Math.abs(gradient[i]) + 2e-4) far.push([i, slope, gradient[i]]);
            }
            return [n, far];""")
        claim("%s: a small change of a weight changes the loss as its gradient says" % model, far[0] >= 5 and len(far[1]) <= far[0] // 20, far)
        if "cnn" not in model and "filters" not in model:
            number = browser.run("return app.source.number")
            browser.click("#do-backward")
            rows = browser.run("return [...byId('backward-table').tBodies[0].rows].map((r) => [...r.cells].map((c) => c.textContent))")
            shutil.rmtree("checked", ignore_errors=True)
            os.mkdir("checked")
            pixels, labels = test_images()
            for part in ("train", "t10k"):
                write_idx("checked/%s-images-idx3-ubyte" % part, [pixels[784 * number:784 * (number + 1)]] * 12)
                write_labels("checked/%s-labels-idx1-ubyte" % part, [i % 10 for i in range(12)])
            out = subprocess.run([FAST_MLP, "gradcheck", model, "-d", "checked"], capture_output=True, text=True).stdout
            want = [(m.group(2), m.group(3)) for m in re.finditer(r"^(d\S+) .* (\d+x\d+) +(\d+) ", out.split("gradient  ")[0], re.M)]
            got = [(row[2].replace("×", "x"), row[3]) for row in rows]
            # Rounded to single precision, a saturated unit may have slope 0 that has one in double.
            same = len(want) == len(got) and all(w[0] == g[0] and abs(int(w[1]) - int(g[1])) <= 3 for w, g in zip(want, got))
            claim("%s: shapes and nonzeros of the Jacobians are those of mlp gradcheck" % model, same and len(want) > 5, want, got)
        # Every layer and every way to show it, by real clicks; the keys choose another weight.
        names, errors = [], []
        for i in range(browser.run("return app.see.blocks.length")):
            browser.click("#layers label:nth-child(%d)" % (i + 1))
            for mode in (1, 2, 3):
                browser.click("#modes label:nth-child(%d)" % mode)
                browser.click("#tiles .tile:nth-child(2)")
                names.append(browser.run("return byId('detail').querySelector('h3').textContent + byId('detail').querySelectorAll('h4').length"))
            before, cols = browser.run("return [app.see.weight, app.see.block.filter.cols]")
            browser.type("canvas.large", "\ue014" * cols) # right, to the edge, and left again
            right = browser.run("return app.see.weight")
            browser.type("canvas.large", "\ue012" * cols)
            left = browser.run("return app.see.weight")
            errors += [] if left <= before <= right and left < right else [(i, left, before, right)]
        claim("%s: every layer shows its units, one in detail, and keys choose its weights" % model,
              len(set(names)) == browser.run("return app.see.blocks.length") and not errors, names, errors)
        severe = [e["message"] for e in browser.log("browser") if e["level"] == "SEVERE"]
        claim("%s: the browser reported no error" % model, not severe, severe)


def hostile(model, names):
    names = open(names, encoding="utf-8").read().split("\n")[:10]
    with opened(model, "--images", "24") as browser:
        for i in range(2):
            browser.click("#layers label:nth-child(%d)" % (i + 1))
            browser.click("#tiles .tile:nth-child(1)")
        browser.click("#do-ten")
        settled(browser)
        got = browser.run("""return {hacked: typeof window.hacked, scripts: document.scripts.length, title: document.title,
            strange: document.querySelectorAll('img, b#bold, i:not(.swatch), [onclick], [onerror]').length,
            name: byId('model-name').textContent, classes: [...byId('bars').querySelectorAll('.name')].map((e) => e.textContent),
            options: [...byId('label').options].map((o) => o.textContent)}""")
        claim("names of the model and of classes cannot inject markup", got["hacked"] == "undefined" and got["scripts"] == 4 and got["strange"] == 0, got)
        claim("they are shown as they are", got["name"] == os.path.basename(model) and got["classes"] == got["options"] == names, got, names)


# A drop of a file: its content in base64, its name, its type.
DROP = """const drop = new DragEvent('drop', {dataTransfer: new DataTransfer(), bubbles: true, cancelable: true});
    drop.dataTransfer.items.add(new File([Uint8Array.from(atob(arguments[0]), (c) => c.charCodeAt(0))], arguments[1], {type: arguments[2]}));
    document.body.dispatchEvent(drop);"""


def holds(model):
    """What a hand, a file or a large step may do wrong."""
    with opened(model, "--images", "8") as browser:
        state = lambda: browser.text("#learn-state")
        # Another image, or none, while the losses of a curve are computed.
        browser.click("#do-backward")
        browser.run("byId('do-backward').click(); app.draw.clear()")
        settled(browser)
        browser.stroke("#paper", STROKES[0])
        settled(browser)
        chosen = "const {unit, block, weight} = app.see; return [unit * block.perUnit + weight, " \
            "indexOfLargest(app.backward().gradient.subarray(block.layer.offset, block.layer.offset + block.layer.weights))]"
        got = browser.run(chosen)
        claim("%s: the weight that is explained first has the largest gradient of a new drawing, too" % model, got[0] == got[1], got)
        browser.click("#tiles .tile:nth-child(2)")
        browser.stroke("#paper", STROKES[1])
        settled(browser)
        claim("%s: a unit that was chosen stays" % model, browser.run("return app.see.unit") == 1)
        # A right click, and a second finger, neither draw nor begin anew.
        browser.click("#do-update")
        before = asked(browser), state()
        browser.run("""const send = (type, init) => byId('paper').dispatchEvent(new PointerEvent(type, {clientX: 30, clientY: 300, ...init}));
            for (const init of [{button: 2, isPrimary: true}, {button: 0, isPrimary: false, pointerType: 'touch', pointerId: 9}])
              for (const type of ['pointerdown', 'pointermove', 'pointerup']) send(type, init);""")
        settled(browser)
        claim("%s: a right click and a second finger do nothing" % model, (asked(browser), state()) == before, before[1], state())
        # What is said of weights that have changed, and of such that are too large.
        changed = browser.text("#terminal")
        browser.click("#do-reset")
        claim("%s: after Reset the focus is on Forward" % model, browser.run("return document.activeElement.id") == "do-forward")
        claim("%s: while the weights are changed, the answer is not said to be that of mlp predict" % model,
              "not this answer" in changed and "not this answer" not in browser.text("#terminal"), changed)
        browser.run("app.network.params.fill(3e38); app.step(1); app.showAnswer(); app.learn.show()")
        browser.click("#do-ten")
        shown = browser.text("#answer"), browser.text("#terminal"), state()
        claim("%s: weights that are too large give no answer, and both are said" % model,
              "no prediction" in shown[0] and "not finite" in shown[2] and "%" not in browser.text("#bars"), shown)
        browser.click("#do-reset")
        browser.run(DROP, "", "x" * 300, "image/png")
        wait_for_answer(browser, "not a picture")
        claim("%s: a long name of a file fits" % model, browser.run("return document.documentElement.scrollWidth <= innerWidth"))
        browser.run("app.draw.clear(); createImageBitmap = async () => ({width: 10001, height: 10000})")
        browser.run(DROP, "", "large.png", "image/png")
        wait_for_answer(browser, "pixels")
        claim("%s: a picture that mlp predict refuses as too large is refused" % model, "more than 100000000 pixels" in browser.text("#answer"))
        severe = [e["message"] for e in browser.log("browser") if e["level"] == "SEVERE"]
        claim("%s: and none of it is an error" % model, not severe, severe)


def safe(model):
    with opened(model) as browser:
        browser.click("#do-ten")
        browser.stroke("#paper", STROKES[0])
        settled(browser)
        own = "file://" + os.path.abspath("shown.html")
        # The browser's own first tab is no matter of the page.
        asked_for = [url for url in browser.requests() if not url.startswith(("chrome://", "data:"))]
        claim("the page asks for nothing but itself", [urllib.parse.unquote(url) for url in asked_for] == [own], asked_for)
        listener = socket.create_server(("127.0.0.1", 0))
        violations = """const where = arguments[0]; const done = arguments[arguments.length - 1], seen = [];
            document.addEventListener('securitypolicyviolation', (event) => seen.push(event.effectiveDirective));
            const script = document.createElement('script');
            try { script.text = 'window.hacked = 1'; document.body.append(script); } catch (error) { seen.push(error.name); }
            try { document.body.insertAdjacentHTML('beforeend', '<p>x</p>'); } catch (error) { seen.push(error.name); }
            const image = document.createElement('img'); image.src = where; document.body.append(image);
            const frame = document.createElement('iframe'); frame.src = where; document.body.append(frame);
            const style = document.createElement('style'); style.textContent = 'body { color: red }'; document.head.append(style);
            fetch(where).catch(() => seen.push('refused'));
            setTimeout(() => done([seen, typeof window.hacked]), 500);"""
        seen, hacked = browser.call("POST", "/execute/async", {"script": violations, "args": [
            "http://127.0.0.1:%d/" % listener.getsockname()[1]]})
        claim("its policy refuses other scripts, styles, images, frames, markup and requests",
              hacked == "undefined" and {"TypeError", "img-src", "frame-src", "style-src-elem", "connect-src", "refused"} <= set(seen), seen, hacked)
        # A refused frame may open a connection, ahead of time; no request may follow.
        received = b""
        listener.settimeout(1)
        try:
            while True:
                connection = listener.accept()[0]
                connection.settimeout(1)
                try:
                    received += connection.recv(1000)
                except TimeoutError:
                    pass
        except TimeoutError:
            pass
        claim("and no request reaches a server", received == b"", received)


def looks(page):
    shots = os.environ.get("PAGE_SCREENSHOTS") or os.getcwd()
    name = os.path.basename(page).split(".")[0]
    with opened(page) as browser:
        for selector in ("#do-backward", "#do-update"):
            if browser.run("return !document.querySelector(arguments[0]).disabled", selector):
                browser.click(selector)
        settled(browser)
        brightness, wide = {}, []
        for width, height in ((1280, 800), (390, 844)):
            for dark in (False, True):
                browser.set_size(width, height, dark)
                browser.run("scrollTo(0, 0)")
                settled(browser)
                over = browser.run("""return [...document.querySelectorAll('body *')].filter((e) => e.offsetParent !== null &&
                    e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.images, .wide')).map((e) => e.tagName + '.' + e.className + '#' + e.id)""")
                if over or browser.run("return document.documentElement.scrollWidth > innerWidth"):
                    wide.append((width, over[:5]))
                for part in ("", "draw", "see", "detail", "learn"):
                    if part:
                        browser.run("byId(arguments[0]).scrollIntoView()", part)
                    path = os.path.join(shots, "%s-%d-%s%s.png" % (name, width, "dark" if dark else "light", part and "-" + part))
                    browser.screenshot(path)
                    claim_png(path, width, height)
                brightness[width, dark] = browser.run("return getComputedStyle(document.body).backgroundColor + getComputedStyle(document.body).color")
        claim("%s: at 1280 and at 390 pixels nothing is wider than the window" % name, not wide, wide)
        claim("%s: it has a dark and a light scheme" % name, brightness[1280, False] != brightness[1280, True], brightness)
        unnamed = []
        for node in browser.devtools("Accessibility.getFullAXTree")["nodes"]:
            role = node.get("role", {}).get("value")
            if role in ("button", "radio", "slider", "combobox", "image", "img", "link", "Canvas", "radiogroup", "application") and not node.get("ignored"):
                if not node.get("name", {}).get("value"):
                    unnamed.append(role)
        claim("%s: every control and picture has a name for a screen reader" % name, not unnamed, unnamed)
        browser.print(os.path.join(shots, name + ".pdf"))
        pdf = open(os.path.join(shots, name + ".pdf"), "rb").read()
        pages = len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))
        claim("%s: it prints as a worksheet of one page, and its solutions on the next" % name, pages == 2, pages)


def claim_png(path, width, height):
    header = open(path, "rb").read(24)
    assert struct.unpack(">II", header[16:24]) == (width, height), path


if len(sys.argv) > 1:
    globals()[sys.argv[1]](*sys.argv[2:])
else:
    with Browser(os.getcwd()) as shared_browser:
        for line in sys.stdin:
            check, *arguments = line.rstrip("\n").split("\t")[:-1]
            globals()[check](*arguments)
sys.exit(1 if failed else 0)
