"""A browser for tests: chromedriver, spoken to over HTTP on 127.0.0.1 (WebDriver, w3.org/TR/webdriver2),
with the standard library alone."""
import base64, json, os, re, subprocess, tempfile, time, urllib.error, urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Browser:
    """One window. Use it in a with statement; `work` is a directory for its files."""

    def __init__(self, work, width=1280, height=800):
        self.work, self.size = work, (width, height)

    def __enter__(self):
        environment = dict(os.environ, HOME=self.work, TMPDIR=self.work, XDG_CONFIG_HOME=self.work, XDG_CACHE_HOME=self.work)
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], env=environment, text=True, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        for line in self.driver.stdout:
            port = re.search(r"started successfully on port (\d+)", line)
            if port:
                break
        else:
            raise SystemExit("chromedriver did not start")
        self.url = "http://127.0.0.1:%s/session" % port.group(1)
        # Without its sandbox, which root and many containers cannot have: it opens nothing but our own page.
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars",
                     "--disable-background-networking", "--disable-component-update", "--force-color-profile=srgb",
                     "--window-size=%d,%d" % self.size, "--user-data-dir=" + tempfile.mkdtemp(dir=self.work)]
        try:
            session = self.call("POST", "", {"capabilities": {"alwaysMatch": {
                "goog:chromeOptions": {"args": arguments},
                "goog:loggingPrefs": {"performance": "ALL", "browser": "ALL"}}}})
        except BaseException:
            self.driver.kill()
            self.driver.wait()
            raise
        self.url += "/" + session["sessionId"]
        return self

    def __exit__(self, *_):
        try:
            self.call("DELETE", "")
        finally:
            self.driver.terminate()
            self.driver.wait()
            self.driver.stdout.close()

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"}, method=method)
        # No proxy: the driver is on this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError("%s %s: %s" % (method, path, json.load(error)["value"]["message"])) from None

    def reset(self):
        """Leaves the page, and forgets what was emulated and logged for it."""
        self.call("POST", "/url", {"url": "about:blank"})
        self.devtools("Emulation.clearDeviceMetricsOverride")
        self.devtools("Emulation.setEmulatedMedia", features=[])
        for kind in ("browser", "performance"):
            self.log(kind)

    def open(self, path):
        self.call("POST", "/url", {"url": "file://" + urllib.request.pathname2url(os.path.abspath(path))})

    def run(self, script, *arguments):
        """What a function with that body returns, called with the arguments."""
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def devtools(self, command, **parameters):
        return self.call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def find(self, selector):
        return self.call("POST", "/element", {"using": "css selector", "value": selector})[ELEMENT]

    def click(self, selector):
        element = self.find(selector)
        # To the middle, where no header that stays in place covers it.
        self.run("arguments[0].scrollIntoView({block: 'center'})", {ELEMENT: element})
        self.call("POST", "/element/%s/click" % element, {})

    def text(self, selector):
        return self.call("GET", "/element/%s/text" % self.find(selector))

    def type(self, selector, keys):
        self.call("POST", "/element/%s/value" % self.find(selector), {"text": keys})

    def stroke(self, selector, points, kind="mouse"):
        """Presses at the first point, moves along the others and releases; pixels from the element's centre."""
        origin = {ELEMENT: self.find(selector)}
        move = lambda x, y: {"type": "pointerMove", "duration": 0, "x": round(x), "y": round(y), "origin": origin}
        actions = [move(*points[0]), {"type": "pointerDown", "button": 0}]
        actions += [move(*point) for point in points[1:]] + [{"type": "pointerUp", "button": 0}]
        self.call("POST", "/actions", {"actions": [
            {"type": "pointer", "id": kind, "parameters": {"pointerType": kind}, "actions": actions}]})

    def log(self, kind):
        return self.call("POST", "/se/log", {"type": kind})

    def requests(self):
        """The addresses that were asked for since the last call."""
        events = [json.loads(entry["message"])["message"] for entry in self.log("performance")]
        return [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]

    def set_size(self, width, height, dark=False):
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.devtools("Emulation.setEmulatedMedia",
                      features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        time.sleep(0.3)

    def screenshot(self, path, whole=False):
        answer = self.devtools("Page.captureScreenshot", format="png", captureBeyondViewport=whole, **(
            {"clip": dict(self.devtools("Page.getLayoutMetrics")["cssContentSize"], scale=1)} if whole else {}))
        with open(path, "wb") as out:
            out.write(base64.b64decode(answer["data"]))

    def print(self, path):
        with open(path, "wb") as out:
            out.write(base64.b64decode(self.call("POST", "/print", {})))
